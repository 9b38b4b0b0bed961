"""One article, and two beside each other."""

from typing import Any

from streaming.dashboard.shown import body_of, brief, title_of, verdict_of
from streaming.differences import difference
from streaming.errors import LeitongError, ModelsError
from streaming.explaining import Explanation, Side, explain
from streaming.letterview import visible
from streaming.position import timestamp_ms
from streaming.settings import Settings
from streaming.similarity import By, similar
from streaming.stamping import matching_stamp
from streaming.store import articles, ownership
from streaming.store.contract import Store
from streaming.texts import current_texts

MOST_SIMILAR = 20
MOST_EVENTS = 50
MOST_COMPARED = 20_000
"""Characters of a body that are compared."""


def article(store: Store, settings: Settings, name: str) -> dict[str, Any] | None:
    """Tell everything of an article; None if there is none of this id."""
    row = articles.read(store, [name])[name]
    if row.first is None:
        return None
    text = current_texts(store, {name: row}).get(name)
    body, whole = body_of(text) if text else (None, True)
    verdict = verdict_of(row)
    named = [each[0] for each in verdict.get("matches", ())]
    rows = articles.read(store, named)
    texts = current_texts(store, rows)
    events = sorted(row.contents.items())[-MOST_EVENTS:]
    return {
        **brief(name, row, {name: text} if text else {}),
        "published_ms": row.current and row.current.published_ms,
        "body": body,
        "body_complete": whole,
        "verdict": verdict or None,
        "matches": [
            {**brief(each, rows[each], texts), "as": relation, "alike": alike}
            for each, relation, alike in verdict.get("matches", ())
        ],
        "events": [
            {
                "at_ms": timestamp_ms(position),
                "what": "deleted" if content is None else "content",
                "channel": content and content.channel,
            }
            for position, content in events
        ],
        "overrides": [
            {
                "at_ms": timestamp_ms(position),
                "ruling": each.ruling,
                "other": each.other,
                "by": None if each.by is None else visible(each.by),
                "note": None if each.note is None else visible(each.note),
            }
            for position, each in sorted(row.overrides.items())[-MOST_EVENTS:]
        ],
        "similar": _similar(store, settings, name) if row.current is not None else None,
    }


def _similar(store: Store, settings: Settings, name: str) -> dict[str, Any]:
    """Give the list that is served; without the models, which take long to load."""
    query = settings.query.model_copy(update={"models": None})
    try:
        answer = similar(
            store, settings.model_copy(update={"query": query}), name, By.LISTS, MOST_SIMILAR
        )
    except ModelsError:
        return {"model": None, "articles": []}
    found = [each.fields() for each in answer.alike]
    for each in found:
        each["title"] = None if each["title"] is None else visible(each["title"])
    return {"model": answer.model, "articles": found}


def pair(store: Store, settings: Settings, a: str, b: str) -> dict[str, Any]:
    """Put two articles side by side, with what `leitong explain` says of them.

    SettingsError if one of the two is unknown or deleted, or if the index compares by other
    rules than these settings.
    """
    confirm_rules(store, settings)
    found = explain(store, settings.matching.rules(), a, b)
    fields = found.fields()
    for name in ("earlier", "later"):
        side: Side = getattr(found, name)
        fields[name]["title"] = title_of(side.text)
        fields[name]["first_ms"] = timestamp_ms(side.first)
    fields["measured"] = [
        {"name": each.name, "value": each.value, "thresholds": each.thresholds}
        for each in found.measures
    ]
    return {**fields, "difference": _difference(found)}


def _difference(found: Explanation) -> dict[str, Any] | None:
    one, other = found.earlier.text, found.later.text
    if one is None or other is None:
        return None
    return {
        "title": _passages(one.title, other.title),
        "body": _passages(one.body[:MOST_COMPARED], other.body[:MOST_COMPARED]),
        "complete": max(len(one.body), len(other.body)) <= MOST_COMPARED,
    }


def _passages(old: str, new: str) -> list[list[str]]:
    return [[each.change, visible(each.text, keep="\n\t")] for each in difference(old, new)]


def confirm_rules(store: Store, settings: Settings) -> None:
    """Make sure that an index compares articles by these rules; LeitongError says what differs."""
    stored = ownership.read_stamp(store) or {}
    wanted = matching_stamp(settings)
    differing = [name for name in wanted if stored.get(name) != wanted[name]]
    if differing:
        raise LeitongError(
            f"the index was built under other settings ({', '.join(differing[:3])}):"
            " start the dashboard with those of the query"
        )
