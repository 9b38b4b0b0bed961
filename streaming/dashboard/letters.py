"""Dead letters by reason, with bytes that cannot act on whoever looks at them."""

from codecs import getincrementaldecoder
from collections import Counter
from typing import Any

from streaming import deadletters
from streaming.letterview import fields, value_lines, visible
from streaming.position import at
from streaming.store.contract import Store

MOST_KEYS = 20_000
MOST_READ = 400
MOST_BYTES = 16 << 20
"""What is read of letters for one answer; each may be as large as a record."""
MOST_SHOWN = 50
_PREVIEW = 2_000
_utf8 = getincrementaldecoder("utf-8")


def dead_letters(store: Store, begin_ms: int, end_ms: int, reason: str | None) -> dict[str, Any]:
    """Tell the newest dead letters of a time; with ``reason`` those of it among them."""
    keys = store.scan(deadletters.TABLE, at(begin_ms), at(end_ms), limit=MOST_KEYS, keys_only=True)
    rows = [row for row, _ in keys]
    reasons: Counter[str] = Counter()
    shown: list[dict[str, Any]] = []
    size = looked = 0
    for entry in deadletters.read_entries(store, reversed(rows[-MOST_READ:])):
        letter = entry.letter
        looked += 1
        size += len(letter.value or b"")
        reasons[letter.reason] += 1
        if len(shown) < MOST_SHOWN and reason in (None, letter.reason):
            told = fields(entry)
            shown.append({**told, "detail": visible(letter.detail), **_preview(letter.value)})
        if size > MOST_BYTES:
            break
    return {
        "from_ms": begin_ms,
        "to_ms": end_ms,
        "count": len(rows),
        "more": len(rows) >= MOST_KEYS,
        "looked_at": looked,
        "reasons": reasons.most_common(),
        "letters": shown,
    }


def _preview(value: bytes | None) -> dict[str, Any]:
    """Show the beginning of a value; a character that is cut in two is left out."""
    if not value:
        return {"preview": "", "preview_complete": True}
    try:
        text = _utf8().decode(value[:_PREVIEW]).encode()
    except UnicodeDecodeError:
        text = value
    shown = "\n".join(value_lines(text))
    return {"preview": shown, "preview_complete": len(value) <= _PREVIEW}
