"""The rounds by hand on files and SQLite, done as they are written."""

import re
from pathlib import Path
from typing import Any

import orjson

from tests.pages import DOCS, README, blocks
from tests.reading import Reader

TOUR = DOCS / "tour.md"


def lines(text: str) -> dict[str, Any]:
    """Verdicts by article, among whatever else is printed."""
    found = [orjson.loads(line) for line in text.splitlines() if line.startswith('{"')]
    return {line["article_id"]: line for line in found}


def test_the_readmes_round_on_files(tmp_path: Path) -> None:
    on_files, _ = blocks(README, "sh", "A round by hand")
    told = Reader(tmp_path).does(on_files.text)
    assert "published 1000 articles" in told
    (counted,) = re.findall(r"([\d,]+) lines in verdicts.jsonl", told)
    verdicts = lines((tmp_path / "verdicts.jsonl").read_text(encoding="utf-8"))
    assert len(verdicts) == int(counted.replace(",", "")) > 900
    relations = {verdict["relation"] for verdict in verdicts.values()}
    assert relations == {None, "duplicate", "contained_in", "contains", "template"}
    for verdict in verdicts.values():
        assert verdict["duplicate_of"] is None or verdict["duplicate_of"] != verdict["article_id"]


def test_the_tour_up_to_the_servers(tmp_path: Path) -> None:
    begun, looked = blocks(TOUR, "sh", "2. Four articles of your own")
    edited, drafted = blocks(TOUR, "sh", "3. An edit, an editor, a draft")
    reader = Reader(tmp_path)
    assert "4 events, 2 duplicates" in reader.does(begun.text)
    reader.directory = tmp_path / "tour"

    told = reader.does(looked.text)
    before = lines(told)
    assert {name: said["duplicate_of"] for name, said in before.items()} == {
        "a03": None, "b17": "a03", "c21": "a03", "d08": None,
    }  # fmt: skip
    assert before["b17"]["relation"] == "duplicate"
    assert before["c21"]["relation"] == "contained_in"
    assert "threshold overlap" in told
    assert "{+市民+}" in told

    told = reader.does(edited.text)
    after = lines(told)
    assert {name: said["duplicate_of"] for name, said in after.items()} == {
        "a03": None, "c21": None, "d08": None,
    }  # fmt: skip
    assert after["c21"]["overrides"] == [["not_duplicate", "a03"]]
    assert after["d08"]["first_seen"] == before["d08"]["first_seen"]
    assert "1 dead letters: 1 empty_text" in told

    told = reader.does(drafted.text)
    assert re.search(r"^verdict +contained in a03", told, flags=re.MULTILINE), told
