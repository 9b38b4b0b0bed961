from pathlib import Path

import pytest

from streaming.errors import SourceError
from streaming.offline.corpus import read_corpus
from streaming.settings import Settings
from tests.offline.made import article, write


def test_articles_stand_in_the_order_of_their_time_then_of_the_file(tmp_path: Path) -> None:
    undated = {"id": "u", "channel": "news", "body": "没有时间的稿件"}
    file = write(
        tmp_path / "a.jsonl",
        [
            article("late", "晚间的稿件", 90),
            undated,
            article("b", "同一分钟的稿件"),
            article("a", "同一分钟的另一稿件"),
            {"id": "none", "channel": "news"},
        ],
    )
    first = write(tmp_path / "first.jsonl", [undated | {"id": "v"}])
    corpus = read_corpus([file, first], Settings())
    assert [each.name for each in corpus.articles] == ["v", "b", "a", "late", "u"]
    assert (corpus.read, corpus.enriched) == (6, 5)
    assert corpus.refused.total() == 1


def test_edits_and_deletions_are_folded(tmp_path: Path) -> None:
    rows = [
        article("a", "最初的稿件"),
        article("b", "不久删去的稿件"),
        article("a", "后来的稿件", 5, event="updated"),
        {"event": "deleted", "id": "b", "channel": "news"},
        {"event": "deleted", "id": "c", "channel": "news"},
        {"event": "not_duplicate", "id": "a", "other_id": "b"},
    ]
    corpus = read_corpus([write(tmp_path / "a.jsonl", rows)], Settings())
    edited, deleted = corpus.articles
    assert (edited.name, len(edited.versions), edited.content) == ("a", 2, edited.versions[1])
    assert (deleted.name, deleted.content, len(deleted.versions)) == ("b", None, 1)
    assert corpus.overrides == 1


def test_a_sample_keeps_what_is_wanted_and_so_many_others(tmp_path: Path) -> None:
    rows = [article(str(n), f"第{n}篇稿件", n) for n in range(30)]
    file = write(tmp_path / "a.jsonl", rows)

    def names(seed: int) -> list[str]:
        corpus = read_corpus([file], Settings(), wanted={"7", "absent"}, sample=4, seed=seed)
        assert corpus.passed_over == 25
        return [each.name for each in corpus.articles]

    assert len(names(1)) == 5
    assert "7" in names(1)
    assert names(1) == names(1)
    assert names(1) != names(2)


def test_files_without_an_article_are_told(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", [{"id": "a"}])
    with pytest.raises(SourceError, match=r"a\.jsonl: no article is left; refused: \w+ 1"):
        read_corpus([file], Settings())
