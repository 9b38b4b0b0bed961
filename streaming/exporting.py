"""What leaves the index: verdict events, and the exports of its tables as JSON lines.

The fields are those of the schemas. Exports read the store directly and need no Spark;
rows come in the order of their keys, which is the same for every store.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

import orjson

from streaming import deadletters
from streaming.engine import statistics
from streaming.engine.judge import Judged
from streaming.hotkeys import hot_keys
from streaming.matching.overrides import ORIGINAL_OF, Ruling, in_force
from streaming.matching.reference import Expected
from streaming.matching.rules import Rules
from streaming.matching.stories import Member, chain_end, link, precedes
from streaming.position import decode, timestamp_ms
from streaming.similar.scoring import ONE
from streaming.store import articles, models, similar
from streaming.store.contract import Store
from streaming.stories import Stories

Line = dict[str, Any]

_PAGE = 1_000
_VISIBLE = Rules().visible


def verdict_event(item: Judged) -> Line | None:
    """Give the event that announces a verdict; None for a deletion, which has none.

    ``root`` is null in it: chains are resolved when they are read.
    """
    if item.verdict is None or item.row.current is None or item.row.first is None:
        return None
    return _line(item.article, item.row.current.channel, item.verdict.fields(), item.row.first)


def verdicts(store: Store, sources: Sequence[str] = ()) -> Iterator[Line]:
    """Export the verdict of every live article; ``sources`` ranks those of roots."""
    stories = Stories(store, sources)
    rows = articles.scan(store)
    while page := list(islice(rows, _PAGE)):
        judged = {name: row for name, row in page if row.verdict and row.current is not None}
        roots = stories.roots(judged)
        for name, row in judged.items():
            if row.verdict and row.current is not None and row.first is not None:
                fields = orjson.loads(row.verdict)
                line = _line(name, row.current.channel, fields, row.first)
                yield line | {"root": roots[name]}


def expected_verdicts(
    expected: Mapping[str, Expected], sources: Sequence[str] = ()
) -> dict[str, Line]:
    """Give what `verdicts` must export for a reference's answer, by article."""
    rank = {source: place for place, source in enumerate(sources)}
    members = {
        name: Member(
            row.first,
            link(row.verdict.duplicate_of, row.verdict.relation),
            row.content.source,
            any(kind == ORIGINAL_OF for kind, _ in row.verdict.overrides),
        )
        for name, row in expected.items()
    }
    stories: dict[str, list[str]] = defaultdict(list)
    for name in members:
        stories[chain_end(name, members)].append(name)
    lines = {}
    for end, story in stories.items():
        ranked = [name for name in story if precedes(rank, members[name], members[end])]
        root = min(
            ranked, key=lambda each: (rank[members[each].source], members[each].first), default=end
        )
        for name in story:
            row = expected[name]
            line = _line(name, row.content.channel, row.verdict.fields(), row.first)
            lines[name] = line | {"root": root}
    return lines


def expected_counts(expected: Iterable[Expected]) -> list[Line]:
    """Give what `counts` must export for a reference's answer, in no order."""
    tally: Counter[tuple[int, statistics.Outcome]] = Counter()
    for row in expected:
        outcome = statistics.Outcome.of(row.content, row.verdict)
        moment = timestamp_ms(row.first)
        tally[moment - moment % statistics.MINUTE_MS, outcome] += 1
    return [
        statistics.Count(minute, outcome, articles).fields()
        for (minute, outcome), articles in tally.items()
    ]


def all_articles(store: Store) -> Iterator[Line]:
    """Export what is known of every article, deleted ones included."""
    for name, row in articles.scan(store):
        if row.first is None:
            continue
        known = row.current or next(
            row.contents[p] for p in sorted(row.contents, reverse=True) if row.contents[p]
        )
        if known is None:
            raise ValueError(f"{name}: a first position without a content")
        yield {
            "article_id": name,
            "channel": known.channel,
            "source": known.source or None,
            "fingerprint": None if known.fingerprint is None else f"{known.fingerprint:016x}",
            "first_seen": decode(row.first).sortable(),
            "published_ms": known.published_ms,
            "events": len(row.contents),
            "live": row.current is not None,
        }


def counts(store: Store) -> Iterator[Line]:
    """Export the statistics: articles per minute, channel, source and outcome."""
    return (count.fields() for count in statistics.read(store))


def dead_letters(store: Store) -> Iterator[Line]:
    """Export every dead letter with its bytes in base64."""
    return (letter.fields() for letter in deadletters.scan(store))


def labelled_pairs(store: Store) -> Iterator[Line]:
    """Export the overrides that stand as labelled pairs, as calibration reads them."""
    for name, row in articles.scan(store):
        for other, override in sorted(in_force(row.overrides)):
            yield {
                "id1": name,
                "id2": other,
                "label": _LABELS[override.ruling],
                "judged_by": override.by,
                "note": override.note,
            }


_LABELS = {Ruling.ORIGINAL: "dup", Ruling.NOT_DUPLICATE: "not_dup"}


def similar_lists(store: Store) -> Iterator[Line]:
    """Export the lists of similar articles that readers follow, each with the best first."""
    followed = models.read(store).followed
    for model, article, scores in similar.scan_lists(store):
        if model == followed and scores:
            ordered = sorted(scores.items(), key=lambda each: (-each[1], each[0]))
            listed = [[other, points / ONE] for other, points in ordered]
            yield {"article_id": article, "similar": listed, "model": model}


def exports(
    sources: Sequence[str] = (), visible: int = _VISIBLE
) -> Mapping[str, Callable[[Store], Iterator[Line]]]:
    """Give what can be exported, by the name it has on the command line.

    ``sources`` ranks the sources of roots, ``visible`` is how many articles are seen under a
    key.
    """
    return {
        "verdicts": partial(verdicts, sources=sources),
        "articles": all_articles,
        "statistics": counts,
        "dead-letters": dead_letters,
        "pairs": labelled_pairs,
        "similar": similar_lists,
        "hot-keys": partial(hot_keys, visible=visible),
    }


def _line(name: str, channel: str, fields: Line, first: bytes) -> Line:
    return {
        "article_id": name,
        "channel": channel,
        **fields,
        "root": None,
        "first_seen": decode(first).sortable(),
    }
