"""The text stage: title and body in, normalised text, features and fingerprint out."""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from streaming.errors import SettingsError
from streaming.fingerprints.simhash import fingerprints
from streaming.text import features, normalise, shingling, tables
from streaming.text.clauses import clauses, figured
from streaming.text.contrasts import Contrasts
from streaming.text.features import FeatureExtractor
from streaming.text.loading import load_contrasts, load_segmenter, load_stop_words
from streaming.text.segment import Segmenter
from streaming.text.settings import TextSettings
from streaming.text.shingling import Passage
from streaming.text.traditional import Simplifier

_BODY_FEATURES = 64
"""From this many features on, the body alone is fingerprinted.

Reprints have other titles more often than not, and a title that counted once would take
71 % of such copies of 140-500 characters out of the radius of 3 bits, and 30 % of longer
ones. Among 18 351 articles no two bodies of at least 64 features with different titles were
within it unless they shared most of their words; below, titles are needed to tell forms and
one-line notices apart.
"""
_LIBRARIES = ("jieba", "opencc", "rjieba", "selectolax")


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the text stage finds in an article.

    ``title`` and ``body`` are normalised, ``text`` is both of them. ``features``, of the
    body or of both, maps tokens to weights 1..255; ``fingerprint`` is theirs, None if there
    are none: texts without a letter or digit have nothing in common, no ``shingles`` (keys
    of 64 bits) and no words in their ``evidence`` either, which is encoded. ``title_words``
    and ``body_words`` are all tokens of the simplified title and body, in order.
    """

    text: str
    title: str
    body: str
    features: dict[str, int]
    fingerprint: int | None
    shingles: tuple[int, ...]
    evidence: bytes
    title_words: Sequence[str]
    body_words: Sequence[str]


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
        return [self._analyse(*article) for article in batch]

    def _analyse(self, title: str, body: str, channel: str) -> Analysis:
        title, body = normalise.normalise(title), normalise.normalise(body)
        heading, text = self._read(title), self._read(body)
        features = self._extractor.features(text.words, channel)
        if title and len(features) < _BODY_FEATURES:
            tokens = [*heading.words, "\n", *text.words]
            features = self._extractor.features(tokens, channel)
        (fingerprint,) = fingerprints([features])
        shingles, evidence = shingling.shingle(heading, text, self._extractor, self._contrasts)
        return Analysis(
            text="\n".join(filter(None, (title, body))),
            title=title,
            body=body,
            features=features,
            fingerprint=fingerprint,
            shingles=shingles,
            evidence=evidence.encode(),
            title_words=heading.words,
            body_words=text.words,
        )

    def words(self, text: str, *, normalised: bool = False) -> list[str]:
        """Give all tokens of a title or body, those that `analyse` finds in it, and no more.

        Text that is ``normalised``, as that of an `Analysis`, is not normalised again.
        """
        clean = text if normalised else normalise.normalise(text)
        return self._cut(self._simplifier.simplify(clean))

    def _cut(self, simplified: str) -> list[str]:
        return self._segmenter.cut(simplified)

    def _read(self, text: str) -> Passage:
        simplified = self._simplifier.simplify(text)
        return Passage(self._cut(simplified), clauses(simplified), figured(simplified))

    def stamp(self) -> dict[str, Any]:
        """Give what the result depends on: versions, and checksums of every table in use."""
        settings = self._settings
        stamp = self.words_stamp() | {"features": features.VERSION, "shingles": shingling.VERSION}
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
    def _contrasts(self) -> Contrasts:
        return load_contrasts(self._settings)


def _optional(path: Path | None) -> str | None:
    return _checksum(path) if path else None


def _checksum(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
