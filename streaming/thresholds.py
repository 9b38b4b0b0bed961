"""A file of thresholds: what calibration learned, and what it learned it from.

TOML, or JSON where the name ends in ``.json``. Beside the thresholds it says when and from
which inputs they were learned, as counts and checksums, and how well they did; never a text::

    format = 1

    [thresholds]
    overlap = 0.68

    [learned]
    at = "2026-01-31T06:02:11Z"
"""

import difflib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import orjson
from pydantic import BeforeValidator, PlainSerializer

from streaming.errors import SettingsError
from streaming.matching.verification import DEFAULT_THRESHOLDS, Thresholds

FORMAT = 1
"""Goes up whenever a program that reads the former form could take the new one wrongly."""

_AGAIN = "make it again with leitong calibrate"
_JSON = ".json"

Section = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ThresholdsFile:
    """Thresholds, and the file that they were read from; the file is not read again."""

    path: Path
    thresholds: Thresholds


def read_thresholds(path: Path) -> ThresholdsFile:
    """Read a file of thresholds; SettingsError with its name, the cause and the cure."""
    document = _document(path)
    if not isinstance(document, dict) or "format" not in document:
        raise SettingsError(f"{path}: holds no thresholds (there is no format in it); {_AGAIN}")
    if document["format"] != FORMAT:
        raise SettingsError(
            f"{path}: has format {document['format']!r}, this program reads {FORMAT}; {_AGAIN}"
        )
    given = document.get("thresholds")
    if not isinstance(given, dict):
        raise SettingsError(f"{path}: has no table of thresholds; {_AGAIN}")
    known = list(DEFAULT_THRESHOLDS.listed())
    for name in given:
        if name not in known:
            (near,) = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
            raise SettingsError(
                f"{path}: thresholds.{name}: no such threshold, the nearest is {near};"
                f" if another version learned it, {_AGAIN}"
            )
    if missing := [name for name in known if name not in given]:
        raise SettingsError(f"{path}: thresholds.{missing[0]} is missing; {_AGAIN}")
    values: dict[str, Any] = {name: _number(path, name, value) for name, value in given.items()}
    return ThresholdsFile(path, DEFAULT_THRESHOLDS.having(values))


def write_thresholds(path: Path, thresholds: Thresholds, sections: Mapping[str, Section]) -> None:
    """Write a file of thresholds, put in place when it is complete.

    ``sections`` are tables of plain values: what is known of the learning.
    """
    document = {"format": FORMAT, "thresholds": thresholds.listed(), **sections}
    if path.suffix == _JSON:
        encoded = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    else:
        encoded = _toml(document).encode()
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(encoded)
        partial.replace(path)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be written ({error.strerror})") from error


def _document(path: Path) -> Any:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"{path}: cannot be read ({error.strerror}); leitong calibrate --to makes such a file"
        ) from None
    try:
        return orjson.loads(content) if path.suffix == _JSON else tomllib.loads(content.decode())
    except ValueError as error:
        kind = "JSON" if path.suffix == _JSON else "TOML"
        raise SettingsError(f"{path}: is no {kind} ({error}); {_AGAIN}") from None


def _number(path: Path, name: str, value: Any) -> float:
    """Check one threshold; a count stays a count."""
    whole = isinstance(DEFAULT_THRESHOLDS.listed()[name], int)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < 0 or (whole and value != int(value)):
        wanted = "a whole number" if whole else "a number"
        raise SettingsError(f"{path}: thresholds.{name}: {value!r} is not {wanted} from 0 on")
    return int(value) if whole else float(value)


def _toml(document: Mapping[str, Any]) -> str:
    """Write plain values and tables of them; JSON's text, numbers and lists are TOML's too."""
    plain = {name: value for name, value in document.items() if not isinstance(value, Mapping)}
    lines = [f"{name} = {orjson.dumps(value).decode()}" for name, value in plain.items()]
    for title, table in document.items():
        if isinstance(table, Mapping):
            lines += ["", f"[{title}]"]
            lines += [f"{_key(name)} = {orjson.dumps(v).decode()}" for name, v in table.items()]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    bare = name.replace("_", "").replace("-", "")
    return name if bare.isascii() and bare.isalnum() else orjson.dumps(name).decode()


def _read(value: Any) -> Any:
    if not isinstance(value, str | Path):
        return value
    try:
        return read_thresholds(Path(value))
    except SettingsError as error:
        raise ValueError(str(error)) from None


ThresholdsField = Annotated[
    ThresholdsFile,
    BeforeValidator(_read),
    PlainSerializer(lambda file: str(file.path), return_type=str),
]
"""A settings field that is written as a path; the file is read when the settings are."""
