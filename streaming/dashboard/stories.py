"""The most copied originals, and the copies of one."""

from collections import Counter, defaultdict
from typing import Any

from streaming.dashboard.recent import walk_back
from streaming.dashboard.shown import brief, verdict_of
from streaming.engine.affected import CITATIONS
from streaming.engine.statistics import Appearance
from streaming.matching.verdict import REPEATS
from streaming.store import articles, keys
from streaming.store.articles import ArticleRow
from streaming.store.contract import Store
from streaming.stories import Stories
from streaming.texts import current_texts

LOOKED_AT = 10_000
"""Articles of the time line that are looked at for copies, about."""
MOST_STORIES = 30
MOST_MEMBERS = 300
_MOST_ORIGINALS = 3 * MOST_STORIES
_SHOWN_COPIES = 60
_SHOWN_NAMES = 6


def stories(store: Store, begin_ms: int, end_ms: int) -> dict[str, Any]:
    """Tell the originals that were copied most by the newest articles of a time."""
    walk = walk_back(store, begin_ms, end_ms, LOOKED_AT)
    copies: dict[str, list[Appearance]] = defaultdict(list)
    for each in walk.found:
        if each.duplicate_of is not None and each.outcome.relation in REPEATS:
            copies[each.duplicate_of].append(each)
    most = sorted(copies, key=lambda name: (-len(copies[name]), name))[:_MOST_ORIGINALS]
    roots = Stories(store).roots(articles.read(store, most))
    members: dict[str, list[Appearance]] = defaultdict(list)
    for name in most:
        members[roots[name]] += copies[name]
    best = sorted(members, key=lambda name: (-len(members[name]), name))[:MOST_STORIES]
    rows = articles.read(store, best)
    texts = current_texts(store, rows)
    return {
        "from_ms": walk.begin_ms,
        "to_ms": end_ms,
        "looked_at": len(walk.found),
        "complete": walk.complete,
        "stories": [{**brief(name, rows[name], texts), **_copied(members[name])} for name in best],
    }


def story(store: Store, name: str) -> dict[str, Any] | None:
    """Tell the story that an article belongs to, with its copies; None if there is none."""
    asked = articles.read(store, [name])
    if asked[name].first is None:
        return None
    root = Stories(store).roots(asked)[name]
    rows = _members(store, root)
    texts = current_texts(store, rows)
    ordered = sorted(rows, key=lambda each: (rows[each].first or b"", each))
    return {
        "root": root,
        "asked": name,
        "members": [brief(each, rows[each], texts) for each in ordered],
        "complete": len(rows) < MOST_MEMBERS,
    }


def _copied(copies: list[Appearance]) -> dict[str, Any]:
    channels = Counter(each.outcome.channel for each in copies)
    sources = Counter(each.outcome.source for each in copies if each.outcome.source)
    return {
        "copies": len(copies),
        "channels": channels.most_common(_SHOWN_NAMES),
        "sources": sources.most_common(_SHOWN_NAMES),
        "times": sorted(each.minute_ms for each in copies)[-_SHOWN_COPIES:],
    }


def _members(store: Store, root: str) -> dict[str, ArticleRow]:
    """Read an original with those whose verdicts lead to it, up to a number."""
    found = articles.read(store, [root])
    asked = [root]
    while asked and len(found) < MOST_MEMBERS:
        cited = set(asked)
        room = MOST_MEMBERS - len(found)
        citing = {name for each in asked for name in _citing(store, each, 2 * room)}
        rows = articles.read(store, sorted(citing - found.keys()))
        copies = {n: r for n, r in rows.items() if r.current is not None and _copies(r, cited)}
        first = sorted(copies, key=lambda each: copies[each].first or b"")[:room]
        found |= {name: copies[name] for name in first}
        asked = first
    return found


def _citing(store: Store, name: str, limit: int) -> list[str]:
    prefix = keys.citation(name)
    rows = store.scan(CITATIONS, prefix, keys.after(prefix), limit=limit, keys_only=True)
    return [keys.citing_of(row) for row, _ in rows]


def _copies(row: ArticleRow, originals: set[str]) -> bool:
    verdict = verdict_of(row)
    return verdict.get("relation") in REPEATS and verdict.get("duplicate_of") in originals
