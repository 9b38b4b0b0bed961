"""What a version of the models is: its tables, its rules, and the checksum of both.

The checksum is the version's identity. It covers whatever decides how an article is
described and ranked: the rules, and the sha256 of every file. It does not cover when, from
where and by which number the version was published, nor how good it was found to be; so
training twice on the same articles gives the same checksum.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from streaming.errors import ModelsError
from streaming.similar.scoring import Ranking
from streaming.similar.words import Method

FORMAT = 1
"""Goes up whenever a program that reads the former form could take the new one wrongly."""

NAME = "manifest.json"
STOP_WORDS = "stop_words.txt"
FALLBACK = "fallback"
"""The model of channels that have none of their own, trained on all of them."""

VERSION = re.compile(r"v[0-9]{4,}")

_CURE = "train or import the version again, or activate another one"
_ASIDE = frozenset({"version", "created", "checksum", "source", "metrics"})

_Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class StoredFile(_Part):
    """A file of a version: its size in bytes, and its checksum."""

    bytes: Annotated[int, Field(ge=0)]
    sha256: _Sha256

    @classmethod
    def of(cls, path: Path) -> Self:
        """Read a file's checksum and size."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
        return cls(bytes=path.stat().st_size, sha256=digest.hexdigest())


class Model(_Part):
    """One model of a version: whose it is, what it was learned from, and its files.

    ``channel`` is None for the fallback. ``name`` is its directory. ``idf_words`` counts the
    words whose inverse document frequency is known; ``unknown`` is that of any other.
    ``coverage`` is the share of counted words of the training articles that have a vector,
    ``recall`` the share of the ten nearest vectors that lie in the probed cells; None where
    nobody measured it.
    """

    name: _FileName
    channel: str | None
    articles: Annotated[int, Field(ge=0)]
    tokens: Annotated[int, Field(ge=0)]
    words: Annotated[int, Field(ge=1)]
    dimensions: Annotated[int, Field(ge=1, le=0xFFFF)]
    idf_words: Annotated[int, Field(ge=1)]
    unknown: Annotated[float, Field(gt=0)]
    cells: Annotated[int, Field(ge=1, le=0xFFFF)]
    probes: Annotated[int, Field(ge=1)]
    coverage: float | None
    recall: float | None
    files: dict[_FileName, StoredFile]


class Manifest(_Part):
    """A version of the models; see the module's first lines for ``checksum``.

    ``text`` is what segmentation depended on, ``settings`` what training was told, ``source``
    what it read. ``models`` has the fallback and one model per channel that has its own.
    """

    format: Literal[1]
    version: Annotated[str, StringConstraints(pattern=rf"^{VERSION.pattern}$")]
    created: str
    checksum: _Sha256
    source: dict[str, Any]
    metrics: dict[str, Any]
    text: dict[str, Any]
    settings: dict[str, Any]
    keywords: Method
    ranking: Ranking
    stop_words: StoredFile
    models: Annotated[tuple[Model, ...], Field(min_length=1)]

    def model_of(self, channel: str) -> Model:
        """Give the model that describes the articles of a channel."""
        own = (model for model in self.models if model.channel == channel)
        if self.ranking.scope == "newsroom":
            return self.fallback
        return next(own, self.fallback)

    @property
    def fallback(self) -> Model:
        """The model of channels without one."""
        return next(model for model in self.models if model.channel is None)

    def files(self) -> dict[str, StoredFile]:
        """Give all files of the version but the manifest, by their path in it."""
        found = {STOP_WORDS: self.stop_words}
        for model in self.models:
            found |= {f"{model.name}/{name}": file for name, file in model.files.items()}
        return found

    def encode(self) -> bytes:
        """Write as JSON, for people to read as well."""
        return orjson.dumps(
            self.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        )

    @classmethod
    def decode(cls, content: bytes, where: str) -> Self:
        """Read `encode`'s bytes; ModelsError, naming ``where``, if they are not as written."""
        try:
            document = orjson.loads(content)
        except ValueError as error:
            raise ModelsError(f"{where}: is no JSON ({error}); {_CURE}") from None
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            found = document.get("format") if isinstance(document, dict) else None
            raise ModelsError(
                f"{where}: has format {found!r}, this program reads {FORMAT}; {_CURE}"
            )
        try:
            manifest = cls.model_validate(document)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise ModelsError(f"{where}: {place}: {first['msg']}; {_CURE}") from None
        if manifest.checksum != checksum_of(document):
            raise ModelsError(f"{where}: was changed after it was published; {_CURE}")
        if sum(model.channel is None for model in manifest.models) != 1:
            raise ModelsError(f"{where}: must have one model for all other channels; {_CURE}")
        return manifest


def checksum_of(document: Mapping[str, Any]) -> str:
    """Give the checksum of what a manifest, as JSON has it, says of descriptions and lists."""
    kept = {name: value for name, value in document.items() if name not in _ASIDE}
    return hashlib.sha256(orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)).hexdigest()


def seal(**fields: Any) -> Manifest:
    """Make a manifest of everything but its format and checksum."""
    draft = Manifest(format=FORMAT, checksum="0" * 64, **fields)
    checksum = checksum_of(draft.model_dump(mode="json"))
    return draft.model_copy(update={"checksum": checksum})


def read_local(directory: Path) -> Manifest:
    """Read the manifest of a version that lies in a local directory."""
    path = directory / NAME
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelsError(
            f"{path}: cannot be read ({error.strerror}); leitong models list says which"
            " versions there are"
        ) from None
    return Manifest.decode(content, str(path))
