"""The whole job on Spark, against scoring all pairs."""

import gzip
import random
from pathlib import Path

import orjson
import pytest
from pyspark.sql import SparkSession

from streaming.errors import SettingsError, SourceError
from streaming.matching.title_thresholds import TITLE_DEFAULTS, TitleRelation
from streaming.offline.balance import Cutting
from streaming.offline.match import Matched, MatchOptions, match_catalogues
from streaming.text.settings import TextSettings
from streaming.text.title_words import TitleWords
from tests.matching.titles import Title, TitleMatch, best_matches

WORDS = (
    *("手机", "电视", "电脑", "相机", "苹果", "小米", "华为", "黑色"),
    *("白色", "蓝色", "官方", "正品", "新款", "旗舰", "无线", "充电"),
)
SMALL = Cutting(shares=(0.1,), least=0.0, most_right=90)


def line(name: str, category: str | None, title: str) -> bytes:
    return orjson.dumps({"id": name, "title": title} | ({"shop": category} if category else {}))


def catalogue(seed: int, count: int) -> list[tuple[str, str, str]]:
    """Titles in three categories, one of which has most."""
    draw = random.Random(seed)
    found = []
    for number in range(count):
        title = " ".join([*draw.sample(WORDS, draw.randint(2, 6)), f"X{draw.randint(1, 9)}"])
        category = draw.choices(["", "small", "large"], [1, 2, 8])[0]
        found.append((f"{number:03x}", category, title))
    return found


def titles(catalogue: list[tuple[str, str, str]]) -> list[Title]:
    cutter = TitleWords(TextSettings())
    return [
        Title(name, category, tuple(cutter.words(title))) for name, category, title in catalogue
    ]


def found_in(matched: Matched) -> dict[str, TitleMatch]:
    return {
        row["left"]: TitleMatch(row["right"], row["score"], TitleRelation(row["relation"]))
        for row in matched.matches.to_pylist()
    }


def test_the_answer_is_that_of_all_pairs_however_work_is_cut(
    spark: SparkSession, tmp_path: Path
) -> None:
    left, right = catalogue(1, 300), catalogue(2, 250)
    (tmp_path / "left.jsonl").write_bytes(b"\n".join(line(*each) for each in left))
    packed = gzip.compress(b"".join(line(*each) + b"\r\n" for each in right))
    (tmp_path / "right.jsonl.gz").write_bytes(packed)
    files = tmp_path / "left.jsonl", tmp_path / "right.jsonl.gz"
    before = spark.conf.get("spark.sql.shuffle.partitions")
    heard: list[str] = []
    cut = match_catalogues(
        spark, MatchOptions(*files, "shop", tasks=3, cutting=SMALL), heard.append
    )
    whole = match_catalogues(spark, MatchOptions(*files, "shop", tasks=1))

    assert found_in(cut) == best_matches(titles(left), titles(right), TITLE_DEFAULTS)
    assert cut.matches.equals(whole.matches)
    assert cut.refused == whole.refused == []
    assert heard == ["read", "sample", "match", "reduce"]
    assert spark.conf.get("spark.sql.shuffle.partitions") == before

    report = cut.report
    assert (report.left, report.right) == (300, 250)
    assert (report.categories, report.common_categories) == (3, 3)
    assert "large" in {each.category for each in report.skewed}
    assert len(report.tasks) > 1
    assert not whole.report.skewed
    assert (cut.report.planned_tasks, whole.report.planned_tasks) == (3, 1)
    assert len(whole.report.tasks) == 1
    assert sum(report.matches.values()) == cut.matches.num_rows
    assert 0 < report.scored <= report.candidates < report.pairs
    assert orjson.loads(orjson.dumps(report.fields()))["scored"] == report.scored
    assert any("large" in told for told in report.lines())


def test_no_line_is_dropped_silently(spark: SparkSession, tmp_path: Path) -> None:
    padding = b"".join(line(f"p{n}", None, f"电视 {n}") + b"\n" for n in range(60))
    (tmp_path / "left.jsonl").write_bytes(
        b"\n".join(
            [
                b"\xef\xbb\xbf" + line("a", "x", "手机 14"),
                b"{",
                b"",
                line("b", "x", "！"),
                line("a", "y", "电视"),
                b"\xff",
                line("a", "x", "相机"),
                padding + b'{"title": "no id"}',
            ]
        )
    )
    odd = tmp_path / "右 [1]{2}*%20.jsonl"
    odd.write_bytes(line("a", "x", "手机 14") + b"\nnull\n")
    files = tmp_path / "left.jsonl", odd
    # Blocks of some lines each: their numbers must not show it.
    spark.conf.set("spark.sql.files.maxPartitionBytes", "400")
    try:
        matched = match_catalogues(spark, MatchOptions(*files, "shop", tasks=2))
    finally:
        spark.conf.unset("spark.sql.files.maxPartitionBytes")
    assert found_in(matched) == {"a": TitleMatch("a", 1_000_000, TitleRelation.MATCH)}
    assert [(each.side, each.line, each.reason) for each in matched.refused] == [
        (0, 2, "not_json"),
        (0, 4, "no_words"),
        (0, 5, "duplicate_id"),
        (0, 6, "not_utf8"),
        (0, 7, "duplicate_id"),
        (0, 68, "no_id"),
        (1, 2, "not_object"),
    ]
    assert matched.refused[2].detail == "line 1 has this id already"
    assert matched.report.left == 61
    assert matched.report.refused["duplicate_id"] == 2


def test_nothing_in_common_is_an_answer(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "left.jsonl").write_bytes(line("a", "x", "手机"))
    (tmp_path / "right.jsonl").write_bytes(b"")
    files = tmp_path / "left.jsonl", tmp_path / "right.jsonl"
    matched = match_catalogues(spark, MatchOptions(*files, "shop", tasks=2))
    assert matched.matches.num_rows == 0
    assert matched.report.pairs == 0
    assert "matches     match 0, probable 0, doubtful 0" in matched.report.lines()


def test_a_compressed_catalogue_that_is_cut_off_is_told(
    spark: SparkSession, tmp_path: Path
) -> None:
    packed = gzip.compress(b"\n".join(line(*each) for each in catalogue(1, 300)))
    (tmp_path / "left.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    (tmp_path / "right.jsonl").write_bytes(line("a", "x", "手机"))
    files = tmp_path / "left.jsonl.gz", tmp_path / "right.jsonl"
    with pytest.raises(SourceError, match=r"left\.jsonl\.gz: the compressed file is damaged"):
        match_catalogues(spark, MatchOptions(*files, "shop", tasks=1))


def test_a_catalogue_that_is_not_there_is_told_before_spark_is_asked(
    spark: SparkSession, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="there is no such file"):
        match_catalogues(spark, MatchOptions(tmp_path / "absent", tmp_path / "absent"))
