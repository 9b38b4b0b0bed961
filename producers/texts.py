"""A directory of texts, one article per file: what archives and exports often are.

``CHANNEL/ID.txt`` and ``CHANNEL/ID.html``, at any depth: the file's name without its
suffix is the article's id, the directory it is in the channel.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import orjson
from selectolax.lexbor import LexborHTMLParser

from streaming.errors import SourceError
from streaming.filelog import MAX_VALUE_BYTES
from streaming.reasons import Reason, Rejected

Ids = Literal["stem", "path"]
"""What an article is called: its file's name, or with the directories before it."""

_SUFFIXES = {".txt", ".html", ".htm"}
_TITLE_LIMIT = 80
# GB 18030 contains GBK and GB 2312, and nearly any bytes: it must be tried last.
_ENCODINGS = ("utf-8-sig", "gb18030")


def read_texts(directory: Path, ids: Ids = "stem") -> Iterator[tuple[Path, bytes | Rejected]]:
    """Yield each text with its article event as JSON, or why there is none, in order of path.

    UTF-8, else GB 18030. The first line of a text file is its title if it has at most 80
    characters and something follows it; that of an HTML file is its ``<title>``.

    Raises SourceError if there are no texts, or if two would have the same id: one would
    count as an edit of the other.
    """
    paths = sorted(
        path
        for path in directory.rglob("*")
        if path.suffix.lower() in _SUFFIXES and path.is_file() and not path.name.startswith(".")
    )
    if not paths:
        raise SourceError(
            f"{directory}: holds neither .jsonl nor .txt nor .html files; --from takes a JSON "
            "Lines file, or a directory of CHANNEL/ID.txt"
        )
    seen: dict[str, Path] = {}
    for path in paths:
        relative = path.relative_to(directory).with_suffix("")
        article_id = relative.name if ids == "stem" else relative.as_posix()
        other = seen.setdefault(article_id, path)
        if other != path:
            raise SourceError(
                f"{path}: has the same id {article_id!r} as {other}; rename one, or take the "
                "path as id with --ids path"
            )
        yield path, _document(path, article_id)


def split_title(text: str) -> tuple[str | None, str]:
    """Return title and body of a plain text, by its first line."""
    first, _, rest = text.lstrip().partition("\n")
    title = first.strip()
    if len(title) <= _TITLE_LIMIT and rest.strip():
        return title, rest.strip("\r\n")
    return None, text


def _document(path: Path, article_id: str) -> bytes | Rejected:
    try:
        size = path.stat().st_size
        if size > MAX_VALUE_BYTES:
            detail = f"value: {size} bytes, a message has at most {MAX_VALUE_BYTES}"
            return Rejected(Reason.TOO_LARGE, detail)
        content = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror})") from error
    text = decode(content)
    if text is None:
        return Rejected(Reason.NOT_UTF8, "file: is neither UTF-8 nor GB 18030")
    if path.suffix.lower() == ".txt":
        title, body = split_title(text)
    else:
        heading = LexborHTMLParser(text).css_first("title")
        title, body = heading.text(strip=True) if heading else None, text
    return orjson.dumps(
        {"article_id": article_id, "channel": path.parent.name, "title": title, "body": body}
    )


def decode(content: bytes) -> str | None:
    """Return a text read as UTF-8, else as GB 18030, None if it is neither."""
    for encoding in _ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None
