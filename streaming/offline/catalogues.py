"""Catalogues of titles: one JSON object per line, or the reason why a line is none."""

import gzip
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from streaming.errors import SettingsError, SourceError
from streaming.jsonbytes import read_json
from streaming.reasons import Rejected

MAX_LINE_BYTES = 1024 * 1024
"""A longer line is refused; a title of a catalogue takes some hundred bytes."""

_ID_FIELDS = ("article_id", "id")
_GZIP = b"\x1f\x8b"
GZIP_SUFFIX = ".gz"
_HIDING = (".", "_")
_UNREADABLE = ":"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class LineFault(StrEnum):
    """Why a line is refused that is JSON; those of `streaming.reasons` say why one is not."""

    TOO_LONG = "too_long"
    """More than `MAX_LINE_BYTES`."""
    NOT_OBJECT = "not_object"
    NO_ID = "no_id"
    """Neither ``article_id`` nor ``id``, or none that is text or a whole number."""
    NO_TITLE = "no_title"
    """No text in ``title``."""
    NO_WORDS = "no_words"
    """A title without a letter or digit."""
    BAD_CATEGORY = "bad_category"
    """The field that titles are compared within is neither text nor a whole number."""
    DUPLICATE_ID = "duplicate_id"
    """An earlier line has this id."""


@dataclass(frozen=True, slots=True)
class TitleLine:
    """A title as its line has it, not normalised. ``category`` is "" where it is missing."""

    name: str
    category: str
    title: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that holds no title: why, in a word and in a sentence without the line's text."""

    reason: str
    detail: str


def read_line(line: bytes, by: str) -> TitleLine | Refused | None:
    """Read a line; None if it is blank. ``by`` names the field of the category.

    Ids and categories that are whole numbers are taken as their decimal text. A byte order
    mark at the front is passed over. Never raises because of what the line holds.
    """
    line = line.removeprefix(_BYTE_ORDER_MARK)
    if not line.strip():
        return None
    if len(line) > MAX_LINE_BYTES:
        detail = f"{len(line)} bytes, a line has at most {MAX_LINE_BYTES}"
        return Refused(LineFault.TOO_LONG, detail)
    document = read_json(line, "line")
    if isinstance(document, Rejected):
        return Refused(document.reason, document.detail)
    if not isinstance(document, dict):
        return Refused(LineFault.NOT_OBJECT, "the line holds JSON that is not an object")
    return _title_line(document, by)


def _title_line(document: dict[str, Any], by: str) -> TitleLine | Refused:
    name = _text(next((document[field] for field in _ID_FIELDS if field in document), None))
    if not name:
        return Refused(LineFault.NO_ID, "article_id or id must be text or a whole number")
    title = document.get("title")
    if not isinstance(title, str) or not title.strip():
        return Refused(LineFault.NO_TITLE, "title must be text that is not blank")
    category = document.get(by)
    known = "" if category is None else _text(category)
    if known is None:
        return Refused(LineFault.BAD_CATEGORY, f"{by} must be text or a whole number")
    return TitleLine(name, known, title)


def _text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return str(value)


def check_catalogue(path: Path) -> None:
    """Make sure that a catalogue can be read, as far as its first bytes tell.

    SettingsError if there is no such file, or one whose name Spark cannot read, passes over
    without a word, or takes to mean that it is compressed or is not; SourceError if it
    cannot be read.
    """
    if not path.is_file():
        raise SettingsError(f"{path}: there is no such file; give a JSON Lines file, gzip or not")
    if path.name.startswith(_HIDING) or _UNREADABLE in path.name:
        raise SettingsError(
            f"{path}: Spark reads no file whose name begins with a dot or an underscore, or has a"
            " colon: rename it"
        )
    try:
        with path.open("rb") as file:
            compressed = file.read(len(_GZIP)) == _GZIP
        if compressed and path.suffix == GZIP_SUFFIX:
            with gzip.open(path) as plain:
                plain.read(1)
    except (OSError, EOFError) as error:
        cause = getattr(error, "strerror", None) or error
        raise SourceError(f"{path}: cannot be read ({cause})") from error
    if compressed != (path.suffix == GZIP_SUFFIX) and path.stat().st_size:
        said, cure = ("is", "must") if compressed else ("is not", "must not")
        raise SettingsError(
            f"{path}: {said} compressed by gzip, so its name {cure} end in {GZIP_SUFFIX}: rename it"
        )
