"""The normalised texts of articles, as they are kept beside their evidence."""

from collections.abc import Mapping
from typing import NamedTuple

from streaming.engine.put import TEXTS
from streaming.enrichment import decode_text
from streaming.store import keys
from streaming.store.articles import ArticleRow
from streaming.store.contract import Store


class Text(NamedTuple):
    """A title and a body; either may be empty."""

    title: str
    body: str


def current_texts(store: Store, rows: Mapping[str, ArticleRow]) -> dict[str, Text]:
    """Give the texts of the current contents of these rows, as far as they are kept."""
    found = store.rows(TEXTS, [keys.article(name) for name in rows])
    texts = {}
    for name, row in rows.items():
        cell = found.get(keys.article(name), {}).get(row.current_position or b"")
        if cell:
            texts[name] = Text(*decode_text(cell))
    return texts
