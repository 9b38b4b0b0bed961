"""Take over Word2Vec models that Spark saved, such as ``channel_18_python.word2vec``.

Such a directory has the model's parameters in ``metadata`` and its words and vectors in
Parquet files in ``data``; it is read without Spark.
"""

import math
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from streaming.errors import SettingsError
from streaming.settings import Settings
from streaming.similar import building
from streaming.similar.building import Frequencies, Learned, Version, Vocabulary
from streaming.similar.manifest import Manifest
from streaming.similar.registry import Registry
from streaming.similar.scoring import Ranking
from streaming.similar.words import Method, counted
from streaming.text import tables
from streaming.text.loading import load_stop_words
from streaming.text.pipeline import TextPipeline

_MODEL = "Word2VecModel"
_NAMED = re.compile(r"channel_(?P<number>\d+)_.*")
_LEAST_IDF = 1e-3


@dataclass(frozen=True, slots=True)
class Saved:
    """A directory to import, and the channel whose model it is; None: of all others."""

    directory: Path
    channel: str | None


def parse(text: str, settings: Settings) -> Saved:
    """Read ``[CHANNEL=]DIRECTORY``.

    Without a channel it is the one of the number in a name like channel_18_python.word2vec.
    SettingsError if there is none.
    """
    channel, equals, directory = text.partition("=")
    if equals and not Path(text).exists():
        if not channel or not directory:
            raise SettingsError(f"{text}: write CHANNEL=DIRECTORY")
        return Saved(Path(directory), settings.channels.get(channel, channel))
    path = Path(text)
    named = _NAMED.fullmatch(path.name)
    known = settings.channels.get(named["number"]) if named else None
    if known is None:
        raise SettingsError(
            f"{path}: its name does not say of which channel it is; write CHANNEL={path}"
        )
    return Saved(path, known)


def read_saved(directory: Path, settings: Settings) -> Vocabulary:
    """Read a model; SettingsError, saying what is wrong, if the directory holds none.

    Words that could not be looked up are left out: stop words, single characters. Words are
    in lower case; of two that become the same, the one that was is kept.
    """
    dimensions = _dimensions(directory)
    table = _table(directory)
    words = table.column("word").to_pylist()
    column = table.column("vector").combine_chunks()
    flat = column.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
    if not len(flat) or len(flat) != len(column) * dimensions or not np.isfinite(flat).all():
        raise _not_a_model(directory, f"its vectors are not numbers, {dimensions} each")
    stop_words = load_stop_words(settings.text)
    rows: dict[str, int] = {}
    for row in sorted(range(len(words)), key=lambda row: (words[row] != words[row].lower(), row)):
        word = counted(words[row], stop_words)
        if word is not None:
            rows.setdefault(word, row)
    if not rows:
        raise _not_a_model(directory, "no word in it would ever be looked up")
    vectors = flat.reshape(-1, dimensions)[list(rows.values())]
    return building.vocabulary(list(rows), [0] * len(rows), vectors)


def with_fallback(
    found: Mapping[str | None, Vocabulary], fallback: str | None
) -> dict[str | None, Vocabulary]:
    """Add the model of channels that have none: one of these, by default the largest.

    SettingsError if the vectors are of several lengths, or there is no such channel.
    """
    if fallback is not None and fallback not in found:
        known = ", ".join(str(channel) for channel in found)
        raise SettingsError(f"--fallback {fallback}: is none of those imported ({known})")
    sizes = {vocabulary.vectors.shape[1] for vocabulary in found.values()}
    if len(sizes) > 1:
        raise SettingsError(
            f"the models have vectors of {' and '.join(map(str, sorted(sizes)))} dimensions;"
            " those of one version must all have the same: import them apart"
        )
    chosen = fallback or max(found, key=lambda channel: len(found[channel].words))
    return {None: found[chosen], **found}


def models_of(vocabularies: Mapping[str | None, Vocabulary], settings: Settings) -> list[Learned]:
    """Make models of vocabularies alone: words are as rare as jieba's table says."""
    known = jieba_frequencies(settings)
    return [
        Learned(channel, building.tables(vocabulary, known), vocabulary)
        for channel, vocabulary in vocabularies.items()
    ]


def jieba_frequencies(settings: Settings) -> Frequencies:
    """Give the configured table of document frequencies, or jieba's, as one of ours.

    Both are natural logarithms of N / df. The highest value is that of words of one document,
    so a word of none has ln 2 more.
    """
    path = settings.text.idf
    table = tables.read_idf(path) if path else tables.read_jieba_idf()
    stop_words = load_stop_words(settings.text)
    idf: dict[str, float] = {}
    for word, value in table.items():
        counts = counted(word, stop_words)
        if counts is not None:
            idf[counts] = max(_LEAST_IDF, idf.get(counts, 0.0), value)
    return building.scaled_frequencies(idf, max(idf.values()) + math.log(2))


def told(saved: Sequence[Saved]) -> dict[str, Any]:
    """Say for the manifest what was imported."""
    return {"imported": {each.channel or "": each.directory.name for each in saved}}


def publish(
    registry: Registry,
    vocabularies: Mapping[str | None, Vocabulary],
    settings: Settings,
    saved: Sequence[Saved],
    ranking: Ranking,
    keywords: Method,
) -> Manifest:
    """Publish vocabularies alone as a version."""
    version = Version(
        ranking=ranking,
        keywords=keywords,
        source={"kind": "import"} | told(saved),
        text=TextPipeline(settings.text).words_stamp(),
    )
    with tempfile.TemporaryDirectory(prefix="leitong-import-") as scratch:
        finish = building.write_version(
            Path(scratch),
            load_stop_words(settings.text),
            models_of(vocabularies, settings),
            version,
        )
        return registry.publish(Path(scratch), finish)


def _dimensions(directory: Path) -> int:
    parts = sorted((directory / "metadata").glob("part-*"))
    try:
        document = orjson.loads(b"".join(part.read_bytes() for part in parts))
        size = {**document.get("defaultParamMap", {}), **document["paramMap"]}["vectorSize"]
        kind = document["class"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _not_a_model(directory, "there is no metadata that says so") from error
    if not str(kind).endswith(f".{_MODEL}"):
        raise _not_a_model(directory, f"it holds a {kind}")
    if not isinstance(size, int) or size < 1:
        raise _not_a_model(directory, f"vectorSize is {size!r}")
    return size


def _table(directory: Path) -> Any:
    files = sorted((directory / "data").glob("*.parquet"))
    if not files:
        raise _not_a_model(directory, "there is no Parquet file in its data")
    try:
        parts = [pq.read_table(file, columns=["word", "vector"]) for file in files]
        return pa.concat_tables(part for part in parts if part.num_rows)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise _not_a_model(directory, f"its data cannot be read ({error})") from error


def _not_a_model(directory: Path, cause: str) -> SettingsError:
    return SettingsError(
        f"{directory}: is no Word2VecModel as Spark saves it: {cause}; give a directory that"
        " Word2VecModel.save wrote"
    )
