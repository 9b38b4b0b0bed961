"""In what two versions of the models differ."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from streaming.similar.building import read_words
from streaming.similar.manifest import Manifest, Model
from streaming.similar.models import Models
from streaming.similar.neighbours import nearest

_WORDS = 200
_NEAREST = 10
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that differs, by its name in the manifest; None where there is none."""

    name: str
    one: Any
    other: Any


@dataclass(frozen=True, slots=True)
class ModelComparison:
    """Two models of one channel, or the fallbacks.

    ``vocabulary`` is the share of the words of either that both have. ``nearest`` is the
    share of the ten nearest words, among those that both have, that are the same for up to
    200 of the words that are frequent in both; None if they share too few.
    """

    name: str
    words: tuple[int, int]
    shared: int
    vocabulary: float
    nearest: float | None
    same: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions; ``only`` names the channels that have a model of their own in one of them."""

    same: bool
    differences: tuple[Difference, ...]
    models: tuple[ModelComparison, ...]
    only: tuple[tuple[str, ...], tuple[str, ...]]


def compare(one: Models, other: Models) -> Comparison:
    """Compare two versions; ModelsError if a file of either cannot be read."""
    ours, theirs = _by_name(one.manifest), _by_name(other.manifest)
    return Comparison(
        same=one.checksum == other.checksum,
        differences=tuple(_differences(one.manifest, other.manifest)),
        models=tuple(
            _compare(name, one, ours[name], other, theirs[name]) for name in ours if name in theirs
        ),
        only=(
            tuple(name for name in ours if name not in theirs),
            tuple(name for name in theirs if name not in ours),
        ),
    )


def _by_name(manifest: Manifest) -> dict[str, Model]:
    return {name_of(model): model for model in manifest.models}


def name_of(model: Model) -> str:
    """Name a model for people: its channel, in brackets what is no channel."""
    return "(fallback)" if model.channel is None else model.channel


def _differences(one: Manifest, other: Manifest) -> Iterator[Difference]:
    ours, theirs = (dict(_leaves(_told(manifest))) for manifest in (one, other))
    for name in dict.fromkeys([*ours, *theirs]):
        if ours.get(name) != theirs.get(name):
            yield Difference(name, ours.get(name), theirs.get(name))


def _told(manifest: Manifest) -> dict[str, Any]:
    told = manifest.model_dump(
        mode="json", include={"keywords", "ranking", "settings", "source", "text", "metrics"}
    )
    told["models"] = {
        name_of(model): model.model_dump(
            include={"articles", "words", "dimensions", "cells", "probes", "coverage", "recall"}
        )
        for model in manifest.models
    }
    return told


def _leaves(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, each in value.items():
        if isinstance(each, Mapping):
            yield from _leaves(each, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", each


def _compare(name: str, one: Models, ours: Model, other: Models, theirs: Model) -> ModelComparison:
    mine = dict(read_words(one.directory / ours.name))
    known = dict(read_words(other.directory / theirs.name))
    shared = sorted(
        mine.keys() & known.keys(), key=lambda word: (-min(mine[word], known[word]), word)
    )
    return ModelComparison(
        name=name,
        words=(len(mine), len(known)),
        shared=len(shared),
        vocabulary=round(len(shared) / len(mine.keys() | known.keys()), _DIGITS),
        nearest=_nearest(shared, [(one, ours, list(mine)), (other, theirs, list(known))]),
        same=ours.files == theirs.files,
    )


def _nearest(shared: list[str], sides: list[tuple[Models, Model, list[str]]]) -> float | None:
    count = min(_NEAREST, len(shared) - 1)
    if count < 1:
        return None
    rows = np.arange(min(_WORDS, len(shared)))
    found = []
    for models, model, words in sides:
        places = {word: place for place, word in enumerate(words)}
        vectors = models.mapped(model).vectors[[places[word] for word in shared]]
        found.append(nearest(vectors, rows, count))
    common = [len(np.intersect1d(*pair)) for pair in zip(*found, strict=True)]
    return round(sum(common) / (count * len(rows)), _DIGITS)
