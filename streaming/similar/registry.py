"""The versions of the models under one path or URL, and which of them is active.

::

    models/
    ├── active.json      {"active": "v0003", "history": ["v0001", "v0003"]}
    ├── v0001/
    │   ├── manifest.json
    │   ├── stop_words.txt
    │   ├── report.html
    │   ├── fallback/    words.npy, vectors.npy, ...
    │   └── channel-01/
    └── v0003/

A version never changes. On a local file system it appears by a rename, complete; anywhere
else its number is claimed first and its manifest written last, and a directory without a
manifest is no version. Two publishers get two numbers.
"""

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import orjson

from streaming.errors import ModelsError
from streaming.similar import manifest
from streaming.similar.manifest import VERSION, Manifest, StoredFile
from streaming.similar.models import Handle, check_file, filesystem, is_local
from streaming.stack.processes import exclusive

_ACTIVE = "active.json"
_LOCK = ".lock"
_CLAIM = "claim"
_ASIDE = ".publishing-"
_KEPT = 100


@dataclass(frozen=True, slots=True)
class Active:
    """The active version, None if none ever was; ``history`` ends with it."""

    active: str | None = None
    history: tuple[str, ...] = ()

    def activated(self, version: str) -> Self:
        """Give what is active after a version was activated; nothing changes if it was."""
        if version == self.active:
            return self
        return type(self)(version, (*self.history, version)[-_KEPT:])


class Registry:
    """Lists, verifies, publishes and activates versions; ModelsError says what is wrong.

    Changes of what is active wait for each other on one host; between hosts the last one
    wins, and none is lost half-way.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/") or url
        self._system, self._root = filesystem(url)
        self._local = is_local(self._system)

    def versions(self) -> list[str]:
        """Give the names of all versions, the oldest first; none if there is nothing yet."""
        names = self._names()
        return sorted(
            (name for name in names if self._system.exists(self._path(name, manifest.NAME))),
            key=_number,
        )

    def read(self, version: str | None = None) -> Manifest:
        """Read the manifest of a version, by default of the active one."""
        name = version or self.chosen()
        where = f"{self.url}/{name}/{manifest.NAME}"
        if not VERSION.fullmatch(name):
            raise ModelsError(f"{name!r} is no version; versions are named like v0001")
        try:
            content = self._system.cat_file(self._path(name, manifest.NAME))
        except FileNotFoundError:
            raise ModelsError(
                f"{where}: there is no such version; there {_listed(self.versions())}"
            ) from None
        except OSError as error:
            raise self._unreachable(error) from error
        found = Manifest.decode(content, where)
        if found.version != name:
            raise ModelsError(f"{where}: is the manifest of {found.version}; restore the right one")
        return found

    def verify(self, version: str | None = None) -> Manifest:
        """Read a version and compare every file with its checksum."""
        found = self.read(version)
        for name, file in found.files().items():
            where = f"{self.url}/{found.version}/{name}"
            with self._here(self._path(found.version, name), where) as path:
                check_file(path, file, where)
        return found

    def handle(self, version: str | None = None) -> Handle:
        """Give what opens a version anywhere; by default the active one."""
        found = self.read(version)
        if self._local:
            location = str(Path(self._path(found.version)).absolute())
        else:
            location = f"{self.url}/{found.version}"
        return Handle(found.version, found.checksum, location)

    def chosen(self) -> str:
        """Give the active version; ModelsError if there is none."""
        found = self.active().active
        if found is None:
            versions = self.versions()
            cure = (
                f"leitong models activate {versions[-1]} --models {self.url}"
                if versions
                else f"leitong train --from articles.jsonl --models {self.url} --activate makes one"
            )
            raise ModelsError(f"{self.url}: no version is active; {cure}")
        return found

    def active(self) -> Active:
        """Read which version is active, and which ones were."""
        where = f"{self.url}/{_ACTIVE}"
        try:
            document = orjson.loads(self._system.cat_file(self._path(_ACTIVE)))
            found = Active(document["active"], tuple(document["history"]))
        except FileNotFoundError:
            return Active()
        except OSError as error:
            raise self._unreachable(error) from error
        except (ValueError, KeyError, TypeError):
            found = Active("", ())
        names = all(isinstance(n, str) and VERSION.fullmatch(n) for n in found.history)
        if not names or found.history[-1:] != (found.active,):
            raise ModelsError(
                f'{where}: does not say which version is active; write {{"active": "v0001",'
                ' "history": ["v0001"]} there, with a version that leitong models list shows'
            )
        return found

    def activate(self, version: str) -> Manifest:
        """Make a version the active one, once all its files were verified."""
        found = self.verify(version)
        with self._alone():
            self._put_active(self.active().activated(version))
        return found

    def rollback(self) -> str:
        """Make the version active that was before this one, and give its name."""
        with self._alone():
            before = self.active().history[:-1]
            if not before:
                raise ModelsError(
                    f"{self.url}: there was no other version before the active one; name one:"
                    " leitong models activate VERSION"
                )
            self.verify(before[-1])
            self._put_active(Active(before[-1], before))
        return before[-1]

    def publish(self, directory: Path, finish: Callable[[str], Manifest]) -> Manifest:
        """Publish the files of a local directory as the next version.

        ``finish`` gives the manifest for the name of the version, and may be called more
        than once. The directory keeps its files, and gets the manifest; files that the
        manifest does not name are published, too, but nothing is promised of them.
        """
        for name, file in finish("v0001").files().items():
            check_file(directory / name, file, str(directory / name))
        try:
            if self._local:
                return self._publish_local(directory, finish)
            return self._publish_elsewhere(directory, finish)
        except OSError as error:
            raise ModelsError(
                f"{self.url}: cannot be written ({error.strerror or error}); make room or give"
                " the right to write there, or name another place"
            ) from error

    def _publish_local(self, directory: Path, finish: Callable[[str], Manifest]) -> Manifest:
        root = Path(self._root)
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=_ASIDE, dir=root) as scratch:
            aside = Path(scratch) / "version"
            _copy(directory, aside)
            while True:
                told = finish(self._next())
                _write_durably(aside / manifest.NAME, told.encode())
                with contextlib.suppress(FileExistsError, NotADirectoryError):
                    _rename_new(aside, root / told.version)
                    break
        _sync_directory(root)
        return told

    def _publish_elsewhere(self, directory: Path, finish: Callable[[str], Manifest]) -> Manifest:
        self._system.makedirs(self._root, exist_ok=True)
        while True:
            version = self._next()
            claim = self._path(version, _CLAIM)
            with contextlib.suppress(FileExistsError):
                self._system.makedirs(self._path(version), exist_ok=True)
                self._system.pipe_file(claim, secrets.token_bytes(16), mode="create")
                break
        told = finish(version)
        for file in sorted(directory.rglob("*")):
            if file.is_file() and file.name != manifest.NAME:
                target = self._path(version, file.relative_to(directory).as_posix())
                self._system.makedirs(target.rpartition("/")[0], exist_ok=True)
                self._system.put_file(str(file), target)
        self._system.pipe_file(self._path(version, manifest.NAME), told.encode())
        return told

    def _next(self) -> str:
        """Give the first free number; one that was claimed and never published stays unused."""
        return f"v{max(map(_number, self._names()), default=0) + 1:04d}"

    def _names(self) -> list[str]:
        self._system.invalidate_cache()
        try:
            found = self._system.ls(self._root, detail=False)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._unreachable(error) from error
        names = (str(path).rstrip("/").rpartition("/")[2] for path in found)
        return [name for name in names if VERSION.fullmatch(name)]

    def _put_active(self, active: Active) -> None:
        content = orjson.dumps(
            {"active": active.active, "history": active.history},
            option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
        )
        try:
            if self._local:
                path = Path(self._path(_ACTIVE))
                aside = path.with_name(f"{_ASIDE}{secrets.token_hex(8)}")
                _write_durably(aside, content)
                aside.replace(path)
                _sync_directory(path.parent)
            else:
                self._system.pipe_file(self._path(_ACTIVE), content)
        except OSError as error:
            raise ModelsError(
                f"{self.url}/{_ACTIVE}: cannot be written ({error.strerror or error}); give the"
                " right to write there"
            ) from error

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._local:
            yield
            return
        with exclusive(Path(self._path(_LOCK))):
            yield

    @contextlib.contextmanager
    def _here(self, path: str, where: str) -> Iterator[Path]:
        """Give a file of the registry as one of this host."""
        if self._local:
            yield Path(path)
            return
        with tempfile.TemporaryDirectory(prefix="leitong-models-") as scratch:
            copy = Path(scratch) / "file"
            try:
                self._system.get_file(path, str(copy))
            except OSError as error:
                raise ModelsError(
                    f"{where}: cannot be read ({error}); publish the version again, or activate"
                    " another"
                ) from error
            yield copy

    def _path(self, *parts: str) -> str:
        return "/".join((self._root.rstrip("/"), *parts))

    def _unreachable(self, error: OSError) -> ModelsError:
        return ModelsError(
            f"{self.url}: cannot be read ({error.strerror or error}); is it there, and may you"
            " read it?"
        )


def stored_files(directory: Path) -> dict[str, StoredFile]:
    """Give the files of a model's directory as its part of the manifest names them."""
    return {path.name: StoredFile.of(path) for path in sorted(directory.iterdir())}


def _number(version: str) -> int:
    return int(version[1:])


def _listed(versions: list[str]) -> str:
    return f"are {', '.join(versions)}" if versions else "is none yet: leitong train makes one"


def _rename_new(source: Path, target: Path) -> None:
    """Rename a directory; FileExistsError if the target is there, in whatever form."""
    # Only a directory with something in it stops a rename, and versions always have.
    try:
        source.rename(target)
    except OSError as error:
        if target.exists():
            raise FileExistsError(str(target)) from error
        raise


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _copy(source: Path, target: Path) -> None:
    """Copy a directory durably; who may read it is for this process's mask to say."""
    target.mkdir()
    for path in sorted(source.rglob("*")):
        copy = target / path.relative_to(source)
        if path.is_dir():
            copy.mkdir()
            continue
        shutil.copyfile(path, copy)
        with copy.open("rb") as file:
            os.fsync(file.fileno())


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
