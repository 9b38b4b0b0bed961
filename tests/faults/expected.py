"""What every export must hold, computed from the whole log without a store or a batch."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from streaming import deadletters
from streaming.engine.events import Logged, LoggedContent, became, by_article
from streaming.enrichment import STAGE, decode_text, position_of
from streaming.exporting import Line, expected_counts, expected_verdicts
from streaming.filelog import LogRecord
from streaming.hotkeys import EXAMPLES, hot_key
from streaming.matching.content import Content, Key
from streaming.matching.overrides import Ruling, in_force
from streaming.matching.reference import reference
from streaming.matching.rules import Rules
from streaming.position import Position, decode
from streaming.reasons import Rejected
from streaming.settings import Settings
from streaming.store.articles import keys_of
from streaming.texts import Text
from tests.faults.index import lines
from tests.integration.logs import answers

Rows = dict[tuple[Any, ...], Line]
"""Rows of an export by what identifies them."""

_IDENTITY = {
    "verdicts": ("article_id",),
    "articles": ("article_id",),
    "statistics": (
        "minute_ms", "channel", "source", "relation", "tier", "distance", "score", "check",
    ),
    "dead-letters": ("topic", "partition", "offset", "stage"),
    "pairs": ("id1", "id2"),
    "hot-keys": ("tier", "scope", "key"),
}  # fmt: skip


def expected_exports(source: str, settings: Settings) -> dict[str, Rows]:
    """Give the rows of every export that the log at ``source`` demands."""
    events, refused = [], []
    for record, answer in answers(source, settings):
        if isinstance(answer, Rejected):
            refused.append(_letter(record, answer))
        else:
            events.append(answer)
    judged = reference(map(became, events), settings.matching.rules())
    wanted: dict[str, Iterable[Line]] = {
        "verdicts": expected_verdicts(judged).values(),
        "articles": _articles(events),
        "statistics": expected_counts(judged.values()),
        "dead-letters": refused,
        "pairs": _pairs(events),
        "hot-keys": _hot_keys(events, settings.matching.rules()),
    }
    return {what: _keyed(what, rows) for what, rows in wanted.items()}


def differing(what: str, exported: bytes, wanted: Rows) -> list[tuple[Any, ...]]:
    """Identify the rows of an export that are missing, too many, or other than they must be."""
    rows = lines(exported)
    found = _keyed(what, rows)
    wrong = [key for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key)]
    return wrong + [("rows that come twice",)] * (len(rows) - len(found))


def _keyed(what: str, rows: Iterable[Line]) -> Rows:
    return {tuple(row[name] for name in _IDENTITY[what]): row for row in rows}


def _articles(events: Sequence[Logged]) -> Iterable[Line]:
    for name, brought in by_article(events).items():
        contents = brought.contents
        real = {position: content for position, content in contents.items() if content}
        if real:
            yield _article(name, contents, real)


def _hot_keys(events: Sequence[Logged], rules: Rules) -> Iterable[Line]:
    carriers: dict[Key, dict[str, Position]] = defaultdict(dict)
    contents = sorted(
        (each for each in events if isinstance(each, LoggedContent)), key=lambda e: e.position
    )
    last = {each.article: each.text for each in contents}
    texts = {name: Text(*decode_text(text)) for name, text in last.items() if text is not None}
    for name, brought in by_article(events).items():
        real = {position: each for position, each in brought.contents.items() if each}
        for key in keys_of(real.values(), rules):
            carriers[key][name] = min(real)
    for key, firsts in carriers.items():
        if len(firsts) > rules.visible:
            ranked = sorted(firsts.items(), key=lambda each: (each[1], each[0]))
            yield hot_key(key, len(firsts), dict(ranked[:EXAMPLES]), texts)


def _pairs(events: Sequence[Logged]) -> Iterable[Line]:
    for name, brought in by_article(events).items():
        for other, override in in_force(brought.overrides):
            original = override.ruling is Ruling.ORIGINAL
            yield {
                "id1": name,
                "id2": other,
                "label": "dup" if original else "not_dup",
                "judged_by": override.by,
                "note": override.note,
            }


def _article(
    name: str, contents: dict[Position, Content | None], real: dict[Position, Content]
) -> Line:
    known = real[max(real)]
    return {
        "article_id": name,
        "channel": known.channel,
        "source": known.source or None,
        "fingerprint": None if known.fingerprint is None else f"{known.fingerprint:016x}",
        "first_seen": decode(min(real)).sortable(),
        "published_ms": known.published_ms,
        "events": len(contents),
        "live": contents[max(contents)] is not None,
    }


def _letter(record: LogRecord, refused: Rejected) -> Line:
    return deadletters.DeadLetter(
        position_of(record),
        STAGE,
        refused.reason.value,
        refused.detail,
        record.key,
        record.value,
        record.headers,
    ).fields()
