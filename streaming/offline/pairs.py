"""Labelled pairs: which two articles are one text, as a reader or an edit says.

JSON Lines, gzipped or not: ``id1``, ``id2``, ``label``; perhaps ``kind`` and ``conf``.
``leitong export pairs`` writes them from what editors said.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from producers.sources import read_json_file
from streaming.errors import SourceError

DUPLICATE = "dup"
"""The label of a pair that is one text; any other one says that it is not."""
CLEAR = "clear"

_EXAMPLE = '{"id1": "a03", "id2": "b17", "label": "dup"}'


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """Two articles and what they are to each other.

    ``kind`` is the kind of copy or of edit, ``conf`` whether a second reader would say the
    same; "" where nobody said.
    """

    one: str
    other: str
    label: str
    kind: str = ""
    conf: str = ""

    @property
    def duplicate(self) -> bool:
        """Whether the two are one text."""
        return self.label == DUPLICATE

    @property
    def clear(self) -> bool:
        """Whether the label is one that nobody would dispute."""
        return self.conf == CLEAR


def read_pairs(path: Path) -> list[LabelledPair]:
    """Read a file of pairs, in its order; SourceError with the line if one is none."""
    found = [
        _pair(item.where, item.record.value if item.record else None)
        for item in read_json_file(path)
    ]
    if not found:
        raise SourceError(f"{path}: holds no pairs; a line is {_EXAMPLE}")
    return found


def articles_of(pairs: list[LabelledPair]) -> frozenset[str]:
    """Give every article that a pair names."""
    return frozenset(name for pair in pairs for name in (pair.one, pair.other))


def _pair(where: str, value: bytes | None) -> LabelledPair:
    try:
        row = orjson.loads(value or b"")
    except orjson.JSONDecodeError as error:
        raise SourceError(f"{where}: is no JSON ({error}); a line is {_EXAMPLE}") from None
    texts = list(_texts(row)) if isinstance(row, dict) else []
    if not all(texts[:3]) or len(texts) < len(_FIELDS):
        raise SourceError(f"{where}: has no id1, id2 or label; a line is {_EXAMPLE}")
    if texts[0] == texts[1]:
        raise SourceError(f"{where}: pairs an article with itself; correct or leave out the line")
    return LabelledPair(*texts)


_FIELDS = ("id1", "id2", "label", "kind", "conf")


def _texts(row: dict[str, Any]) -> Iterator[str]:
    for name in _FIELDS:
        value = row.get(name)
        if value is None:
            yield ""
        elif isinstance(value, str | int):
            yield str(value)
