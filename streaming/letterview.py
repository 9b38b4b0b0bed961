"""Dead letters as text for a person: a line, or a page with the bytes.

What a stranger sent must not move the cursor, hide or recolour text: characters that a
terminal acts on, or that change the direction of text, are written as escapes.
"""

import unicodedata
from collections.abc import Iterator
from typing import Any

from streaming.deadletters import Entry, Replayed
from streaming.times import write_time

_PREVIEW_BYTES = 512
_HEX_COLUMNS = 16
# Control and format characters, line and paragraph separators, lone surrogates, private use.
_ACTIVE = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs", "Co"})


def summary(entry: Entry) -> str:
    """Say in one line where it stands, when, why, by whom, how large, and if it was replayed."""
    letter = entry.letter
    parts = [
        letter.place,
        write_time(letter.coordinates.timestamp_ms),
        letter.reason,
        letter.stage,
        visible(letter.detail),
        _size(letter.value),
        _replayed(entry.replayed),
    ]
    return "  ".join(parts)


def fields(entry: Entry) -> dict[str, Any]:
    """Give the same as values for JSON; without a value `size` is null."""
    letter, replayed = entry
    place = letter.coordinates
    return {
        "place": letter.place,
        "topic": place.topic,
        "partition": place.partition,
        "offset": place.offset,
        "timestamp": place.timestamp_ms,
        "reason": letter.reason,
        "stage": letter.stage,
        "detail": letter.detail,
        "size": None if letter.value is None else len(letter.value),
        "replayed": replayed and {"to": replayed.to, "at": replayed.at_ms},
    }


def page(entry: Entry) -> Iterator[str]:
    """Yield the lines that tell everything: the fields, the headers, then the value."""
    letter = entry.letter
    yield f"place      {letter.place}"
    yield f"time       {write_time(letter.coordinates.timestamp_ms)}"
    yield f"stage      {letter.stage}"
    yield f"reason     {letter.reason}"
    yield f"detail     {visible(letter.detail)}"
    yield f"replayed   {_replayed(entry.replayed)}"
    yield f"key        {_short(letter.key)}"
    for name, value in letter.headers:
        yield f"header     {visible(name)}: {_short(value)}"
    yield f"value      {_size(letter.value)}"
    if letter.value:
        yield ""
        yield from value_lines(letter.value)


def visible(text: str, keep: str = "") -> str:
    """Write characters that a terminal acts on as escapes, but for those to `keep`."""
    return "".join(
        character
        if character in keep or unicodedata.category(character) not in _ACTIVE
        else _escape(character)
        for character in text
    )


def value_lines(value: bytes) -> Iterator[str]:
    """Yield the lines that show bytes: their text, or their beginning in hexadecimal."""
    try:
        yield visible(value.decode("utf-8"), keep="\n\t")
    except UnicodeDecodeError:
        yield from _hexadecimal(value)


def _hexadecimal(content: bytes) -> Iterator[str]:
    shown = content[:_PREVIEW_BYTES]
    for begin in range(0, len(shown), _HEX_COLUMNS):
        row = shown[begin : begin + _HEX_COLUMNS]
        text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)  # noqa: PLR2004 - printable ASCII
        yield f"{begin:08x}  {row.hex(' '):<{3 * _HEX_COLUMNS}} {text}"
    if len(content) > len(shown):
        yield f"... and {len(content) - len(shown):,} bytes more; --raw writes them all"


def _short(content: bytes | None) -> str:
    if content is None:
        return "null"
    try:
        return visible(content.decode("utf-8"))
    except UnicodeDecodeError:
        return f"hex {content[:_PREVIEW_BYTES].hex(' ')}"


def _size(value: bytes | None) -> str:
    return "null" if value is None else f"{len(value):,} bytes"


def _replayed(replayed: Replayed | None) -> str:
    if replayed is None:
        return "not replayed"
    return f"replayed {write_time(replayed.at_ms)} to {visible(replayed.to)}"


def _escape(character: str) -> str:
    number = ord(character)
    if number < 0x100:  # noqa: PLR2004 - two digits are enough
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"  # noqa: PLR2004 - four are
