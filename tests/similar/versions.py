"""Small versions of models, made without training."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from streaming.similar import building
from streaming.similar.building import Learned, Version
from streaming.similar.description import rounded
from streaming.similar.manifest import Manifest
from streaming.similar.registry import Registry
from streaming.similar.scoring import Ranking
from streaming.similar.words import Method

STOP_WORDS = ("我们", "因为")
DIMENSIONS = 12


def words(count: int, first: int = 0) -> list[str]:
    return [chr(0x4E00 + n // 50) + chr(0x6000 + n % 50) for n in range(first, first + count)]


def learned(
    channel: str | None, vocabulary: Iterable[str], seed: int = 1, cells: int = 1, probes: int = 1
) -> Learned:
    known = list(vocabulary)
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(len(known), DIMENSIONS)).astype(np.float32)
    found = building.vocabulary(known, list(range(1, len(known) + 1)), vectors)
    having = {word: 1 + number % 90 for number, word in enumerate(known)}
    mean = rng.normal(scale=0.01, size=DIMENSIONS).astype(np.float32)
    centres = rounded(rng.normal(size=(cells, DIMENSIONS))) if cells > 1 else None
    tables = building.tables(found, building.frequencies(having, 100), mean, centres, probes)
    return Learned(channel, tables, found, articles=100, tokens=5000)


def publish(
    url: str,
    scratch: Path,
    models: Iterable[Learned] | None = None,
    *,
    ranking: Ranking | None = None,
    keywords: Method = "tfidf",
) -> Manifest:
    """Publish a version; by default a fallback and a model of the channel 体育."""
    made = [learned(None, words(200)), learned("体育", words(150, 60), seed=2, cells=7, probes=3)]
    scratch.mkdir(parents=True)
    version = Version(ranking or Ranking(), keywords)
    finish = building.write_version(scratch, STOP_WORDS, list(models or made), version)
    return Registry(url).publish(scratch, finish)
