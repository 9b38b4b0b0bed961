"""Where articles to publish come from: JSON Lines, text files, a file log, the newsroom.

Every source is an iterator of `Item`, read lazily, in a fixed order.
"""

import gzip
import io
import itertools
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from producers.records import Record
from producers.texts import Ids, read_texts
from streaming.errors import SettingsError, SourceError
from streaming.events import MAX_EVENT_BYTES
from streaming.filelog import MAX_VALUE_BYTES, describe_log, read_records
from streaming.reasons import Reason, Rejected
from streaming.times import CHINA

NEWSROOM = "newsroom"
_NEWSROOM_START = datetime(2024, 1, 1, tzinfo=CHINA)
_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to publish, and where it was found.

    `as_is` asks that it is sent whatever validation would say: its source means it so.
    `problem` says why there is no `record`. `truth` is what a simulator knows about it.
    """

    where: str
    record: Record | None
    as_is: bool = False
    problem: Rejected | None = None
    truth: Mapping[str, str | None] | None = None


def open_items(
    source: str,
    ids: Ids = "stem",
    *,
    channels: Iterable[str] = ("新闻",),
    max_bytes: int = MAX_EVENT_BYTES,
) -> Iterator[Item]:
    """Open a source by what its name says.

    ``newsroom:SEED`` is the simulator, which does not end; ``-`` is JSON Lines on standard
    input; a directory is a file log, or JSON Lines files, or a text per article; anything
    else is a JSON Lines file, compressed by gzip or not. `ids` is for texts; `channels`, by
    name, and `max_bytes` of a valid event are for the newsroom.

    Raises SettingsError if there is no such source; reading raises SourceError, with file
    and line, where it breaks.
    """
    scheme, colon, rest = source.partition(":")
    if colon and scheme == NEWSROOM:
        return read_newsroom(rest, channels, max_bytes)
    if source == "-":
        return read_json_lines(sys.stdin.buffer, "standard input")
    path = Path(rest if colon and scheme == "file" else source)
    if path.is_dir():
        return _read_directory(path, ids)
    if not path.exists():
        raise SettingsError(
            f"{source}: there is no such file; --from takes a JSON Lines file, a directory, "
            "'-' for standard input, or newsroom:SEED"
        )
    return read_json_file(path)


def read_json_file(path: Path) -> Iterator[Item]:
    """Yield the lines of a file, decompressed if it is compressed by gzip."""
    try:
        with path.open("rb") as file:
            compressed = file.peek(len(_GZIP))[: len(_GZIP)] == _GZIP
            if compressed:
                with gzip.open(file) as plain:
                    yield from read_json_lines(io.BufferedReader(plain), str(path))
            else:
                yield from read_json_lines(file, str(path))
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror or error})") from error


def read_json_lines(stream: BinaryIO, name: str) -> Iterator[Item]:
    """Yield one item per line that is not blank, its bytes unchanged.

    A line longer than a message may be is passed over in pieces, never held whole.
    """
    for number in itertools.count(1):
        where = f"{name}:{number}"
        try:
            line = stream.readline(MAX_VALUE_BYTES + 2)
            if not line:
                return
            value = line.rstrip(b"\r\n")
            if len(value) > MAX_VALUE_BYTES:
                size = len(line)
                while not line.endswith(b"\n") and (line := stream.readline(MAX_VALUE_BYTES)):
                    size += len(line)
                detail = f"value: {size} bytes, a message has at most {MAX_VALUE_BYTES}"
                yield Item(where, None, problem=Rejected(Reason.TOO_LARGE, detail))
                continue
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise SourceError(
                f"{where}: the compressed file is damaged or cut off from here on"
            ) from error
        if number == 1:
            value = value.removeprefix(_BYTE_ORDER_MARK)
        if value.strip():
            yield Item(where, Record(None, value, None))


def read_file_log(directory: Path) -> Iterator[Item]:
    """Yield the records of a file log as they are, partition after partition."""
    for each in read_records(directory):
        headers = tuple((name, value or b"") for name, value in each.headers)
        yield Item(
            f"{directory}:{each.partition}/{each.offset}",
            Record(each.key, each.value, each.timestamp_ms, headers),
            as_is=True,
        )


def read_newsroom(seed: str, channels: Iterable[str], max_bytes: int) -> Iterator[Item]:
    """Yield the events of a simulated newsroom without end, the same for the same arguments.

    Its time begins with the year 2024 in China.
    """
    # The simulator brings its word lists along, which nobody else needs.
    from producers.newsroom import Newsroom, truth_line  # noqa: PLC0415

    try:
        number = int(seed)
    except ValueError:
        raise SettingsError(
            f"{NEWSROOM}:{seed}: the seed is a whole number, such as {NEWSROOM}:1"
        ) from None
    newsroom = Newsroom(
        number,
        channels=dict(enumerate(dict.fromkeys(channels), 1)),
        start=_NEWSROOM_START,
        max_bytes=max_bytes,
    )
    return (
        Item(
            f"{NEWSROOM}:{seed}:{count}",
            event.record,
            as_is=True,
            truth=None if event.truth is None else truth_line(event.truth),
        )
        for count, event in enumerate(newsroom, 1)
    )


def _read_directory(directory: Path, ids: Ids) -> Iterator[Item]:
    if describe_log(directory) is not None:
        return read_file_log(directory)
    files = sorted(path for path in directory.rglob("*.jsonl*") if _is_json_lines(path))
    if files:
        return itertools.chain.from_iterable(map(read_json_file, files))
    return (
        Item(str(path), None, problem=document)
        if isinstance(document, Rejected)
        else Item(str(path), Record(None, document, None))
        for path, document in read_texts(directory, ids)
    )


def _is_json_lines(path: Path) -> bool:
    hidden = path.name.startswith((".", "_"))
    return path.is_file() and not hidden and path.name.endswith((".jsonl", ".jsonl.gz"))
