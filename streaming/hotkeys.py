"""Hot keys: what more articles share than are seen under one key. Boilerplate, mostly.

Whoever comes late to a hot key is not compared with most of those who carry it. That is
meant: a disclaimer under every article relates none of them. The list says what it is, so
that an editor can tell a disclaimer from a story that everybody ran.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from streaming.matching.content import Key, Tier
from streaming.position import Position, decode, split_entry
from streaming.store import articles, keys
from streaming.store.contract import Cells, Store
from streaming.store.index import HEADS, TAILS
from streaming.texts import Text, current_texts

EXAMPLES = 3
_PAGE = 16

Line = dict[str, Any]


def hot_keys(store: Store, visible: int) -> Iterator[Line]:
    """Yield the keys that more than ``visible`` articles ever carried, in the order of rows.

    Those from which an edit or a deletion took the key count as well.
    """
    for row, cells in store.scan(HEADS):
        entries = {qualifier[1:] for qualifier in cells if qualifier[:1] == keys.ENTRY}
        if _has_tail(cells):
            # An entry that is just being moved is in both.
            found = store.scan(TAILS, row, keys.after(row), keys_only=True)
            entries |= {entry[len(row) :] for entry, _ in found}
        carriers = {split_entry(entry)[1] for entry in entries}
        if len(carriers) > visible:
            earliest = _earliest(store, sorted(entries))
            texts = current_texts(store, articles.read(store, earliest))
            yield hot_key(keys.key_of(row), len(carriers), earliest, texts)


def hot_key(
    key: Key, carriers: int, earliest: Mapping[str, Position], texts: Mapping[str, Text]
) -> Line:
    """Give the line of a hot key; ``earliest`` are the first of its carriers, in order.

    ``text`` is the clause or title, None for a fingerprint or a band of bigrams, or if none
    of the earliest carries it any more.
    """
    named: Sequence[str | None] = []
    if key.tier is Tier.SHINGLE:
        # Not before it is needed: what is compiled takes a moment to load.
        from streaming.text.shingling import named_keys  # noqa: PLC0415

        kept = [texts[name] for name in earliest if name in texts]
        named = [named_keys(text.title, text.body).get(key.value) for text in kept]
    return {
        "tier": key.tier.label,
        "scope": key.scope,
        "key": f"{key.value:016x}",
        "articles": carriers,
        "text": next(filter(None, named), None),
        "first_seen": decode(min(earliest.values())).sortable(),
        "examples": list(earliest),
    }


def _has_tail(cells: Cells) -> bool:
    return any(qualifier[:1] == keys.BOUNDARY for qualifier in cells)


def _earliest(store: Store, entries: Sequence[bytes]) -> dict[str, Position]:
    """Give the first carriers; an entry counts if its article still begins there."""
    found: dict[str, Position] = {}
    for begin in range(0, len(entries), _PAGE):
        page = [split_entry(entry) for entry in entries[begin : begin + _PAGE]]
        rows = articles.read(store, [name.decode() for _, name in page])
        valid = [(name.decode(), first) for first, name in page]
        found |= {name: first for name, first in valid if rows[name].first == first}
        if len(found) >= EXAMPLES:
            break
    return dict(list(found.items())[:EXAMPLES])
