"""The models of one version, applied: articles in, descriptions out.

A worker gets a `Handle`, a few dozen bytes, and maps the files that it names; so there is
one copy of the models on a host, however many workers it has. Nothing is read before the
first article of a channel asks for that channel's tables.
"""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Self

import fsspec
import numpy as np

from streaming.errors import ModelsError
from streaming.keeping import cache_home
from streaming.similar import manifest
from streaming.similar.description import Description, Hashes64
from streaming.similar.manifest import Manifest, Model, StoredFile
from streaming.similar.scoring import Ranking
from streaming.similar.tables import Tables
from streaming.similar.words import WordHashes, word_hash
from streaming.stack.processes import exclusive

ChannelWords = tuple[str, Sequence[str], Sequence[str]]
"""An article's channel, and the words of its title and of its body as the segmenter gave them."""
ChannelTerms = tuple[str, Hashes64, Hashes64]
"""An article's channel, and the terms of its title and of its body; see `words.term`."""

_LOCAL = frozenset({"file", "local"})


@dataclass(frozen=True, slots=True)
class Handle:
    """What names a version of the models to a worker.

    ``location`` is the version's own directory: an absolute path, or a URL that fsspec
    understands. ``checksum`` is the manifest's; a location that holds another is refused.
    """

    version: str
    checksum: str
    location: str


class Models:
    """A version's models, mapped into memory.

    Opening reads the manifest only. Pickles as a `Handle`. Not safe for use by several
    threads at once.
    """

    def __init__(self, directory: Path, told: Manifest, handle: Handle) -> None:
        self._tables: dict[str, Tables] = {}
        self._hashes = WordHashes()
        self.directory = directory
        self.manifest = told
        self.handle = handle
        """What opens the same models in another process."""

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open the local directory of one version.

        ModelsError if there is none, or its manifest was changed. Contents of other files
        are not verified here: the registry does that when a version is published, activated
        or fetched.
        """
        directory = Path(path).absolute()
        told = manifest.read_local(directory)
        return cls(directory, told, Handle(told.version, told.checksum, str(directory)))

    def __reduce__(self) -> tuple[Any, ...]:
        return open_models, (self.handle,)

    @property
    def version(self) -> str:
        """The name of the version, such as v0003."""
        return self.handle.version

    @property
    def checksum(self) -> str:
        """The identity of the version, whatever its name."""
        return self.handle.checksum

    @property
    def ranking(self) -> Ranking:
        """What a list of similar articles is under this version."""
        return self.manifest.ranking

    def describe(self, articles: Sequence[ChannelWords]) -> list[Description]:
        """Describe articles; the answers are in their order and do not depend on each other.

        Words are those of the text stage, simplified; which of them count is decided here.
        A channel without a model has the fallback's. ModelsError if a file is missing or
        damaged.
        """
        terms = self._hashes.of
        return self.describe_terms([(c, terms(title), terms(body)) for c, title, body in articles])

    def describe_terms(self, articles: Sequence[ChannelTerms]) -> list[Description]:
        """Describe articles likewise, of whose words the text stage gives the terms."""
        counting, method = self._counting, self.manifest.keywords
        return [
            self.tables(channel).describe(counting(title), counting(body), method)
            for channel, title, body in articles
        ]

    def counted(self, tokens: Iterable[str]) -> Hashes64:
        """Give the hashes of those words of a text that count, in their order."""
        return self._counting(self._hashes.of(tokens))

    def tables(self, channel: str) -> Tables:
        """Give the tables that describe the articles of a channel."""
        return self.mapped(self.manifest.model_of(channel))

    def mapped(self, model: Model) -> Tables:
        """Give the tables of one of the manifest's models."""
        found = self._tables.get(model.name)
        if found is None:
            found = self._tables[model.name] = self._map(model)
        return found

    def _map(self, model: Model) -> Tables:
        directory = self.directory / model.name
        found = Tables.map(directory, model.unknown, model.probes)
        said = model.words, model.dimensions, model.idf_words, model.cells
        if said != (*found.vectors.shape, len(found.idf), len(found.cells)):
            raise ModelsError(
                f"{directory}: its arrays are not those of the manifest; publish the version"
                " again, or activate another"
            )
        return found

    @cached_property
    def _counting(self) -> Callable[[Hashes64], Hashes64]:
        # Not before it is needed: what is compiled takes a moment to load.
        from streaming.similar.tallying import without  # noqa: PLC0415

        path = self.directory / manifest.STOP_WORDS
        try:
            words = path.read_text(encoding="utf-8").split("\n")
            stop_words = np.unique(np.array([*map(word_hash, words)], np.uint64))
            return lambda terms: without(terms, stop_words)
        except OSError as error:
            raise ModelsError(
                f"{path}: cannot be read ({error.strerror}); publish the version again, or"
                " activate another"
            ) from error


@lru_cache(maxsize=4)
def open_models(handle: Handle) -> Models:
    """Open the models that a handle names; cheap after the first call in a process.

    A local directory is mapped where it is. Anything else is fetched once per host into
    ``$LEITONG_HOME/models`` (by default ``~/.cache/leitong/models``), every file verified.
    ModelsError if it is not there, is damaged, or is not the version that is meant.
    """
    local = local_path(handle.location)
    directory = _fetched(handle) if local is None else local
    told = manifest.read_local(directory)
    _check_meant(told, handle)
    return Models(directory, told, handle)


def local_path(location: str) -> Path | None:
    """Give the absolute path of a local location, None for any other."""
    system, path = filesystem(location)
    return Path(path).absolute() if is_local(system) else None


def is_local(system: Any) -> bool:
    """Tell whether a file system of fsspec is that of this host."""
    names = (system.protocol,) if isinstance(system.protocol, str) else system.protocol
    return not _LOCAL.isdisjoint(names)


def filesystem(location: str) -> tuple[Any, str]:
    """Give the file system of a path or URL, and the path in it; ModelsError if there is none."""
    try:
        system, path = fsspec.core.url_to_fs(location)
    except (ImportError, ValueError) as error:
        raise ModelsError(
            f"{location}: cannot be opened ({error}); install what fsspec needs for it, or name a"
            " directory"
        ) from error
    return system, path


def check_file(path: Path, wanted: StoredFile, where: str) -> None:
    """Raise ModelsError unless a file is the one that the manifest names."""
    try:
        same = StoredFile.of(path) == wanted
    except OSError as error:
        raise ModelsError(
            f"{where}: cannot be read ({error.strerror}); publish the version again, or activate"
            " another"
        ) from error
    if not same:
        raise ModelsError(
            f"{where}: is not the file that was published (its checksum is another); publish the"
            " version again, or activate another"
        )


def _fetched(handle: Handle) -> Path:
    """Give the local copy of a version, made now if there is none; a complete one is not asked."""
    target = cache_home() / "models" / handle.checksum
    if target.is_dir():
        return target
    with exclusive(target.parent / f".{handle.checksum}.lock"):
        if not target.is_dir():
            with tempfile.TemporaryDirectory(prefix=".fetching-", dir=target.parent) as scratch:
                _fetch(handle, Path(scratch) / "version")
                (Path(scratch) / "version").rename(target)
    return target


def _check_meant(told: Manifest, handle: Handle) -> None:
    if told.checksum != handle.checksum:
        raise ModelsError(
            f"{handle.location}: is another version than the one that was chosen (checksum"
            f" {told.checksum[:12]}, not {handle.checksum[:12]}); start again"
        )


def _fetch(handle: Handle, target: Path) -> None:
    system, path = filesystem(handle.location)
    try:
        told = Manifest.decode(
            system.cat_file(f"{path}/{manifest.NAME}"), f"{handle.location}/{manifest.NAME}"
        )
        _check_meant(told, handle)
        for name, file in told.files().items():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            system.get_file(f"{path}/{name}", str(target / name))
            check_file(target / name, file, f"{handle.location}/{name}")
    except OSError as error:
        raise ModelsError(
            f"{handle.location}: cannot be fetched ({error}); is it still there, and can this"
            " host read it?"
        ) from error
    (target / manifest.NAME).write_bytes(told.encode())
