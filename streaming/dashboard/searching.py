"""Find articles by their id, or by what their title begins with or holds.

There is no index of titles: the newest articles are looked at, and how far that went is said.
"""

from collections.abc import Sequence
from typing import Any

from streaming.dashboard.recent import walk_back
from streaming.dashboard.shown import brief
from streaming.engine.put import TEXTS
from streaming.enrichment import decode_text
from streaming.store import articles, keys
from streaming.store.contract import Store
from streaming.texts import current_texts

LOOKED_AT = 1_500
MOST_FOUND = 50
MOST_ASKED = 200
"""Characters of a question."""


def search(store: Store, asked: str, begin_ms: int, end_ms: int) -> dict[str, Any]:
    """Look for articles that appeared in ``[begin_ms, end_ms)``, and for one of exactly this id.

    An article is found if its id begins with what is asked, or if its title holds every word
    of it, in any case.
    """
    words = asked.casefold().split()
    exact = articles.read(store, [asked])[asked] if asked else articles.NOTHING
    walk = walk_back(store, begin_ms, end_ms, LOOKED_AT)
    names = [each.article for each in walk.found]
    titles = _titles(store, names) if words else {}
    found = [
        name
        for name in dict.fromkeys(names)
        if name != asked and (name.startswith(asked) or _holds(titles.get(name, ""), words))
    ][:MOST_FOUND]
    rows = articles.read(store, found)
    texts = current_texts(store, rows)
    lines = [brief(name, rows[name], texts) for name in found]
    if exact.first is not None:
        its_text = current_texts(store, {asked: exact})
        lines.insert(0, brief(asked, exact, its_text))
    return {
        "asked": asked,
        "found": lines,
        "looked_at": len(names),
        "from_ms": walk.begin_ms,
        "to_ms": end_ms,
        "complete": walk.complete,
    }


def _titles(store: Store, names: Sequence[str]) -> dict[str, str]:
    """Give the latest titles that are kept; deleted articles have theirs still."""
    rows = {keys.article(name): name for name in names}
    found = store.rows(TEXTS, list(rows))
    return {rows[row]: decode_text(cells[max(cells)])[0].casefold() for row, cells in found.items()}


def _holds(title: str, words: Sequence[str]) -> bool:
    return bool(words) and all(word in title for word in words)
