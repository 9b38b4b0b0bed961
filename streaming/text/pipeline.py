"""The text stage: title and body in, normalised text, features and fingerprint out."""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streaming.errors import SettingsError
from streaming.fingerprints import shingles
from streaming.text import features, normalise, tables
from streaming.text.features import BODY_FEATURES, FeatureExtractor
from streaming.text.loading import load_contrasts, load_segmenter, load_stop_words
from streaming.text.segment import Segmenter
from streaming.text.settings import TextSettings
from streaming.text.traditional import Simplifier

if TYPE_CHECKING:
    from streaming.text.reader import Reader, Terms

_LIBRARIES = ("jieba", "opencc", "selectolax")


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the text stage finds in an article: normalised ``title`` and ``body``, and more.

    ``fingerprint`` is that of the features of the body or of both, None if there are none:
    texts without a letter or digit have nothing in common, no ``shingles`` (keys of 64 bits,
    packed) and no words in their ``evidence`` either, which is encoded. ``title_terms`` and
    ``body_terms`` are what models know the tokens of the simplified title and body by, in their
    order (`similar.words.term`).
    """

    title: str
    body: str
    fingerprint: int | None
    shingles: bytes
    evidence: bytes
    title_terms: "Terms" = field(compare=False)
    body_terms: "Terms" = field(compare=False)

    @property
    def text(self) -> str:
        """Title and body, a line each."""
        return "\n".join(filter(None, (self.title, self.body)))


class TextPipeline:
    """Normalise, segment, weigh and fingerprint articles under fixed settings.

    Construction is cheap; the first batch loads the dictionaries. Pickles without them.
    Not safe for use by several threads at once.
    """

    def __init__(self, settings: TextSettings) -> None:
        self._settings = settings

    def __getstate__(self) -> dict[str, Any]:
        return {"_settings": self._settings}

    def analyse(self, batch: Sequence[tuple[str, str, str]]) -> list[Analysis]:
        """Analyse ``(title, body, channel)`` of many articles; answers in their order.

        The result for an article does not depend on the others. Never raises because of a
        text; SettingsError if a table cannot be read.
        """
        cleaned = [
            (normalise.normalise(title), normalise.normalise(body)) for title, body, _ in batch
        ]
        simplify = self._simplifier.simplify
        simplified = [
            (simplify(title), simplify(body), channel)
            for (title, body), (_, _, channel) in zip(cleaned, batch, strict=True)
        ]
        return [
            Analysis(
                title, body, read.fingerprint, read.shingles, read.evidence, read.title, read.body
            )
            for (title, body), read in zip(cleaned, self._reader.read(simplified), strict=True)
        ]

    def features(self, title: str, body: str, channel: str = "") -> dict[str, int]:
        """Give what an article is fingerprinted by: tokens and their weights 1..255."""
        heading, text = self.words(title), self.words(body)
        features = self._extractor.features(text, channel)
        if heading and len(features) < BODY_FEATURES:
            features = self._extractor.features([*heading, *text], channel)
        return features

    def words(self, text: str, *, normalised: bool = False) -> list[str]:
        """Give all tokens of a title or body, those that `analyse` finds in it, and no more.

        Text that is ``normalised``, as that of an `Analysis`, is not normalised again.
        """
        clean = text if normalised else normalise.normalise(text)
        return self._segmenter.cut(self._simplifier.simplify(clean))

    def stamp(self) -> dict[str, Any]:
        """Give what the result depends on: versions, and checksums of every table in use."""
        settings = self._settings
        stamp = self.words_stamp() | {"features": features.VERSION, "shingles": shingles.VERSION}
        builtin = files("streaming.text.data").joinpath("stopwords.txt").read_bytes()
        stamp["stop_words"] = (
            _checksum(settings.stop_words)
            if settings.stop_words
            else hashlib.sha256(builtin).hexdigest()
        )
        stamp["extra_stop_words"] = _optional(settings.extra_stop_words)
        stamp["idf"] = _checksum(settings.idf or tables.jieba_idf_path())
        stamp["lexicon"] = _optional(settings.lexicon)
        stamp["channel_lexicons"] = {
            channel: _checksum(path) for channel, path in sorted(settings.channel_lexicons.items())
        }
        return stamp

    def words_stamp(self) -> dict[str, Any]:
        """Give what the words of a text depend on, likewise; a part of `stamp`."""
        stamp: dict[str, Any] = {"normaliser": normalise.VERSION}
        stamp["unicode"] = unicodedata.unidata_version
        for library in _LIBRARIES:
            stamp[library] = version(library)
        stamp["hmm"] = self._settings.hmm
        dictionaries = self._settings.user_dictionaries
        stamp["user_dictionaries"] = [_checksum(path) for path in dictionaries]
        return stamp

    @cached_property
    def _simplifier(self) -> Simplifier:
        return Simplifier()

    @cached_property
    def _segmenter(self) -> Segmenter:
        return load_segmenter(self._settings)

    @cached_property
    def _extractor(self) -> FeatureExtractor:
        settings = self._settings
        return FeatureExtractor(
            tables.read_idf(settings.idf) if settings.idf else tables.read_jieba_idf(),
            load_stop_words(settings),
            tables.read_lexicon(settings.lexicon) if settings.lexicon else {},
            {c: tables.read_lexicon(path) for c, path in settings.channel_lexicons.items()},
        )

    @cached_property
    def _reader(self) -> "Reader":
        # Not before it is needed: what is compiled takes a moment to load.
        from streaming.text.reader import Reader  # noqa: PLC0415

        return Reader(self._segmenter, self._extractor, load_contrasts(self._settings))


def _optional(path: Path | None) -> str | None:
    return _checksum(path) if path else None


def _checksum(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
