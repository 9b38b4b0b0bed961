"""The files of the page, as they lie in the package: read once, served with their tag."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file of the page; ``tag`` is another one when its content is."""

    content: bytes
    kind: str
    tag: str


def read_static() -> dict[str, StaticFile]:
    """Read every file of the page, by its path in addresses."""
    found: dict[str, StaticFile] = {}
    _read(files("streaming.dashboard") / "static", "/", found)
    found["/"] = found["/index.html"]
    return found


def _read(directory: Traversable, path: str, found: dict[str, StaticFile]) -> None:
    for each in directory.iterdir():
        if each.is_dir():
            _read(each, f"{path}{each.name}/", found)
            continue
        kind = _TYPES.get("." + each.name.rpartition(".")[2])
        if kind:
            content = each.read_bytes()
            tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
            found[path + each.name] = StaticFile(content, kind, tag)
