import dataclasses
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from streaming.matching.reference import reference
from streaming.matching.rules import Rules
from streaming.offline.corpus import Article, read_corpus
from streaming.offline.judging import judge_all
from streaming.position import Position, encode
from streaming.settings import Settings
from tests.newsfeed import simulated
from tests.offline.made import article, sentences, stories, write

if TYPE_CHECKING:
    from streaming.matching.content import Content

SMALL = Rules(visible=2, window_ms=3_600_000)


@pytest.fixture(scope="module")
def articles(tmp_path_factory: pytest.TempPathFactory) -> list[Article]:
    """A simulated morning with edits and deletions, and stories with many alike."""
    folder = tmp_path_factory.mktemp("corpus")
    feed = folder / "feed.jsonl"
    feed.write_bytes(b"".join(message.value + b"\n" for message in simulated(500)))
    copies = [row | {"id": f"{row['id']}/{n}"} for row in stories(3)[0] for n in range(3)]
    edits = [
        row | {"id": copies[n]["id"], "event": "updated"} for n, row in enumerate(copies[9:30])
    ]
    gone = [{"event": "deleted", "id": copies[n]["id"], "channel": "news"} for n in (2, 20, 31)]
    made = write(folder / "made.jsonl", [*copies, *edits, *gone])
    return read_corpus([feed, made], Settings()).articles


@pytest.mark.parametrize("rules", [Rules(), SMALL, dataclasses.replace(SMALL, scope="channel")])
def test_verdicts_are_those_of_the_reference(articles: list[Article], rules: Rules) -> None:
    log: list[tuple[Position, str, Content | None]] = []
    for each in articles:
        became: list[Content | None] = list(each.versions)
        if each.content is None:
            became.append(None)
        # Where between two articles an edit stands decides nothing: any later place will do.
        places = [each.first, *(encode(2**41, "edits", 0, n) for n in range(len(became)))]
        log += [(places[n], each.name, content) for n, content in enumerate(became)]
    expected = reference(log, rules)
    found = {each.article.name: each for each in judge_all(articles, rules)}
    assert {name: each.verdict for name, each in found.items()} == {
        name: each.verdict for name, each in expected.items()
    }
    assert sum(each.verdict.duplicate_of is not None for each in found.values()) > 20
    assert sum(len(each.versions) > 1 for each in articles) > 20
    assert sum(each.content is None for each in articles) > 1


def test_an_article_that_was_changed_altogether_is_not_compared(tmp_path: Path) -> None:
    rng = random.Random(1)
    body = sentences(rng, 8)
    rows = [
        article("a", body, 1),
        article("b", body, 2),
        article("a", sentences(rng, 8), 3, event="updated"),
    ]
    corpus = read_corpus([write(tmp_path / "a.jsonl", rows)], Settings())
    (changed, copy) = judge_all(corpus.articles, Rules())
    assert (changed.article.name, copy.article.name) == ("a", "b")
    assert (copy.candidates, copy.verdict.reason) == (frozenset(), None)
