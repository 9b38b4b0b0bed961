"""What is shown of articles: text that cannot act on whoever reads it."""

from collections.abc import Mapping
from typing import Any

import orjson

from streaming.letterview import visible
from streaming.position import timestamp_ms
from streaming.store.articles import ArticleRow
from streaming.texts import Text

MOST_TITLE = 300
MOST_BODY = 20_000


def title_of(text: Text | None) -> str | None:
    """Give the title as it is shown: the beginning of the body if it has none."""
    if text is None:
        return None
    return visible((text.title or text.body[:80]).replace("\n", " ")[:MOST_TITLE])


def body_of(text: Text) -> tuple[str, bool]:
    """Give the body as it is shown, and whether that is all of it."""
    return visible(text.body[:MOST_BODY], keep="\n\t"), len(text.body) <= MOST_BODY


def verdict_of(row: ArticleRow) -> dict[str, Any]:
    """Give the fields of the stored verdict; none if there is no verdict."""
    fields: dict[str, Any] = orjson.loads(row.verdict) if row.verdict else {}
    return fields


def brief(name: str, row: ArticleRow, texts: Mapping[str, Text]) -> dict[str, Any]:
    """Give what a list says of an article."""
    content, verdict = row.current, verdict_of(row)
    return {
        "article_id": name,
        "title": title_of(texts.get(name)),
        "channel": content and content.channel,
        "source": (content and content.source) or None,
        "first_ms": None if row.first is None else timestamp_ms(row.first),
        "live": content is not None,
        "relation": verdict.get("relation"),
        "tier": verdict.get("tier"),
        "distance": verdict.get("distance"),
        "similarity": verdict.get("similarity"),
        "duplicate_of": verdict.get("duplicate_of"),
    }
