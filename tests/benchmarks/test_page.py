"""The page tells what was measured, and leaves nothing out that it does not know."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import measuring
from benchmarks.page import render

MACHINE = {"processor": "a processor", "cores": "2", "memory": "24 GiB", "python": "3.11"}
HERE = {"machine": MACHINE, "measured": "2026-01-31", "versions": {"numpy": "2"}}


def of(median: float) -> dict[str, float]:
    return {"median": median, "least": median / 2, "most": median * 2}


STAGES: dict[str, Any] = {
    **HERE,
    "articles": 600,
    "indexed": 1_000,
    "mean_characters": 900.0,
    "slower_than": ["segmentation: another"],
    "stages": {
        "segmentation": {
            "per_processor_second": {"leitong": of(700), "another": of(1_400)},
            "ours_against": {"another": of(0.5)},
        }
    },
}
CURVE = {
    "per_processor_second": of(600),
    "per_second": of(500),
    "with_enriching_per_processor_second": of(300),
    "gets_per_article": {"bucket": 10.0, "article": 3.5},
    "cells_per_article": {"bucket": 12.0},
}
GROWTH: dict[str, Any] = {
    **HERE,
    "store": "sqlite",
    "bands": {"blocks": 5, "chosen": 2},
    "curve": {"1000": CURVE, "100000": CURVE},
    "bytes_per_article": {"bucket": 300.0, "meta": 0.3},
}


def test_known_results_become_tables_and_pictures() -> None:
    page, pictures = render({"stages": STAGES, "growth-sqlite": GROWTH})
    assert "| segmentation | another | 1,400 (700–2,800) | 0.5 (0.25–1) |" in page
    assert "Ours is slower than: segmentation: another." in page
    assert "| 100,000 | 600 (300–1,200) | 300 (150–600) | 13.5 | 12.00 | 3.5 |" in page
    assert "Bytes on disk per real article: bucket 300." in page
    assert page.count("a processor, 2 cores, 24 GiB") == 2
    for name, picture in pictures.items():
        assert f"(pictures/{name})" in page
        assert picture.startswith("<svg")
        assert picture.endswith("</svg>\n")


def test_sections_without_a_result_stay() -> None:
    before, _ = render({"growth-sqlite": GROWTH, "plan": PLAN, "stages": STAGES})
    assert before == render({}, before)[0]
    newer = {**PLAN, "measured": "2026-02-01"}
    page, pictures = render({"plan": newer, "some_thing": HERE}, before)
    plan = "## The plan beside what was counted\n\nMeasured "
    assert page.startswith(before.replace(f"{plan}2026-01-31", f"{plan}2026-02-01"))
    assert "## some thing" in page
    assert not pictures


EXPECTED = {"expected": 2.0, "low": 1.0, "high": 3.0, "ratio": 0.5}
PROJECTED = {"candidates": 900.0, "low": 800.0, "high": 1_000.0, "uniform": 200.0}
PLAN: dict[str, Any] = {
    **HERE,
    "streams": {
        "a feed": {
            "schemes": {
                "4 choose 1": [
                    {"size": 1_000, "counted": 0.1, "whole": EXPECTED, "first_4000": EXPECTED},
                    {"size": 8_000, "counted": 4.0, "whole": EXPECTED, "first_4000": EXPECTED},
                ]
            }
        }
    },
    "monte_carlo": {
        "size": 1_000_000,
        "queries": 10_000,
        "schemes": {"5 choose 2": {"counted": 4.0, "profile": EXPECTED | {"ratio": None}}},
    },
    "projections": {
        "figures": "a feed",
        "10^9": {"4 choose 1": {"newsroom": PROJECTED, "channel": PROJECTED}},
    },
}
CLAIMS: dict[str, Any] = {
    **HERE,
    "comparisons": {"claimed_ms": 100, "leitong": of(5)},
    "distances": {"numpy": of(7)},
    "look-up in 2^37": {
        "claimed_comparisons": 33_550_000,
        "monte_carlo": 100_000_000,
        "as claimed": {"leitong": of(80)},
        "4 choose 1": {
            "candidates": {
                "plan": 9_000.0,
                "low": 8_000.0,
                "high": 10_000.0,
                "monte_carlo": 9_500.0,
                "uniform": 700.0,
            },
            "compared_ms": {"leitong": of(20)},
            "read_from_hbase_ms": 40.0,
        },
    },
}


def test_the_plan_stands_beside_what_was_counted() -> None:
    page, _ = render({"plan": PLAN})
    assert "| a feed | 4 choose 1 | 8,000 | 4 | 2 | 1–3 | 0.5 | 0.5 |" in page
    assert "| 5 choose 2 | 4 | 2 | 1–3 |  |" in page
    assert "| 10^9 | 4 choose 1 | 900 | 800–1,000 | 900 | 800–1,000 | 200 |" in page


def test_claims_stand_beside_what_was_measured() -> None:
    page, _ = render({"claims": CLAIMS})
    assert "| comparisons | leitong | 5 (2.5–10) | 100 |" in page
    assert "| distances | numpy | 7 (3.5–14) |  |" in page
    assert "| 4 choose 1 | 9,000 | 8,000–10,000 | 9,500 | 700 | 20 (10–40) | 40 |" in page


def test_results_of_others_are_told_as_they_are() -> None:
    told = {
        **HERE,
        "runs": [{"rate": of(5), "store": "sqlite"}, {"rate": of(7)}],
        "searches": {"ours": {"of 1": {"per_second": of(3)}, "recall": 0.957}},
        "whole": {"open_seconds": 1.25, "marks": [1, 2.5]},
        "articles_asked": 6_000,
    }
    page, _ = render({"some_thing": told})
    assert "## some thing" in page
    assert (
        "| whole, open seconds | 1.25 |\n| whole, marks | 1, 2.5 |\n| articles asked | 6,000 |"
        in page
    )
    assert "|  | rate | store |\n|---|---|---|\n| 1 | 5 (2.5–10) | sqlite |" in page
    assert "| 2 | 7 (3.5–14) |  |" in page
    assert "|  | of 1, per second | recall |\n|---|---|---|\n| ours | 3 (1.5–6) | 0.957 |" in page


def test_contestants_take_turns() -> None:
    order: list[str] = []

    def working(name: str) -> int:
        order.append(name)
        return sum(range(20_000)) and 10

    rates = measuring.in_turns({"a": lambda: working("a"), "b": lambda: working("b")}, 3)
    assert order == ["a", "b"] * 4
    assert {name: len(each) for name, each in rates.items()} == {"a": 3, "b": 3}


def test_results_say_where_they_are_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "RESULTS", tmp_path / "results")
    told = json.loads(measuring.write("x", {"rate": measuring.spread([3, 1, 2])}).read_text())
    assert told["rate"] == {"median": 2, "least": 1, "most": 3}
    assert told["machine"].keys() >= {"processor", "cores", "memory", "python", "java"}
    assert measuring.times([4, 9], [2, 3]) == {"median": 2.5, "least": 2, "most": 3}
