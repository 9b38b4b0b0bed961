from dataclasses import replace

import orjson

from streaming.offline.match_report import MatchReport, SkewedCategory, TaskTally


def report(*seconds: float, planned: int = 2) -> MatchReport:
    return MatchReport(
        left=1_000,
        right=2_000,
        refused={"no_id": 2, "not_json": 1},
        categories=3,
        common_categories=2,
        pairs=1_000_000,
        skewed=(SkewedCategory("", 900, 1_800, 4, 2, 5),),
        planned_tasks=planned,
        tasks=tuple(TaskTally(500, 700, 90, 3_000, 2_000, each, each / 2) for each in seconds),
        matches={"match": 7, "probable": 0, "doubtful": 1},
        seconds={"read": 1.0, "match": 2.5},
    )


def test_the_report_in_lines() -> None:
    assert report(1.0, 3.0).lines() == [
        "titles      1,000 left, 2,000 right; 3 lines refused (no_id 2, not_json 1)",
        "categories  3, 2 of them on both sides",
        "skewed      (none): 900 x 1,800 titles, cut into 4 x 2 pieces for 5 tasks",
        "pairs       4,000 scored of 1,000,000 (0.400%); 6.0 candidates per title",
        "tasks       2, slowest 3.00 s, mean 2.00 s: 1.50 times the mean",
        "seconds     3.5 (read 1.0, match 2.5)",
        "matches     match 7, probable 0, doubtful 1",
    ]


def test_tasks_without_work_are_told() -> None:
    assert (
        "tasks       2 and 6 without work, slowest 3.00 s, mean 2.00 s: 1.50 times the mean"
        in report(1.0, 3.0, planned=8).lines()
    )


def test_ten_skewed_categories_are_shown_and_the_others_counted() -> None:
    many = tuple(SkewedCategory(f"c{n}", 9, 9, 2, 1, 2) for n in range(1_012))
    lines = replace(report(), skewed=many).lines()
    shown = [line for line in lines if line.startswith("skewed")]
    assert len(shown) == 11
    assert shown[-1] == "skewed      1,002 smaller ones, cut as well"


def test_the_report_as_json() -> None:
    fields = orjson.loads(orjson.dumps(report(1.0, 3.0).fields()))
    assert fields["slowest_to_mean"] == fields["busiest_to_mean"] == 1.5
    assert fields["candidates"] == 6_000
    assert fields["tasks"][1]["seconds"] == 3.0
    assert fields["skewed"][0]["left_pieces"] == 4


def test_a_run_without_tasks_has_no_slowest() -> None:
    assert report().fields()["slowest_to_mean"] is None
    assert not any(line.startswith("tasks") for line in report().lines())
