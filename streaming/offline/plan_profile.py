"""What a plan knows of a newsroom's articles: figures, and no texts.

The package has a profile; `leitong plan` measures another one from files or an index.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from streaming.errors import SourceError
from streaming.offline.crowding import PARTS, Crowding, Shares, measure
from streaming.offline.plan_sample import Sample

FEWEST = 500
"""Articles below which nothing can be told."""

_PROFILE = "profile.json"
_CAP = 64
_NEARBY = 4
"""The part of the sample within which another carrier of a key is one of the same story."""
_PERCENTILES = (50, 90, 99, 100)


@dataclass(frozen=True, slots=True)
class Carriers:
    """How many articles carried a shingle key before.

    Of all keys that articles carry the share ``shares[i]`` has ``near[i]`` earlier carriers
    within a quarter of the sample, which are ``nearby`` articles, on the average, and farther
    back one in every ``1 / rates[i]`` articles.
    """

    nearby: int
    shares: tuple[float, ...]
    near: tuple[float, ...]
    rates: tuple[float, ...]

    def visible(self, size: int, cap: int = _CAP) -> float:
        """Earlier carriers that are seen under a key when ``size`` articles came before."""
        shares, near, rates = (np.array(each) for each in (self.shares, self.near, self.rates))
        within = np.minimum(near, size)
        beyond = rates * max(0, size - self.nearby)
        return float(shares @ np.minimum(cap, within + beyond))


@dataclass(frozen=True, slots=True)
class Profile:
    """Figures of a sample of articles.

    ``fingerprinted`` is the share of articles with a fingerprint, and ``distinct`` that of
    fingerprints that no earlier article had. ``crowding`` is told for each scope. ``keys`` is
    the mean number of shingle keys of an article, and ``repeated`` says how often the same
    article is met: visible carriers under all keys, for each article among them. ``buckets``
    are percentiles of the number of carriers of a key.
    """

    origin: str
    articles: int
    fingerprinted: float
    distinct: float
    crowding: Mapping[str, Crowding]
    keys: float
    new_keys: float
    carriers: Carriers
    repeated: float
    buckets: Mapping[str, int]
    content_bytes: float

    def encode(self) -> bytes:
        """Write it as JSON."""
        document = {
            "origin": self.origin,
            "articles": self.articles,
            "fingerprinted": round(self.fingerprinted, 4),
            "distinct": round(self.distinct, 4),
            "bits": np.round(self.crowding["newsroom"].bits, 4).tolist(),
            "crowding": {
                scope: {
                    "edges": each.edges,
                    "pairs": each.pairs.tolist(),
                    "distances": each.distances.tolist(),
                }
                for scope, each in self.crowding.items()
            },
            "shingles": {
                "keys": round(self.keys, 3),
                "new": round(self.new_keys, 4),
                "repeated": round(self.repeated, 3),
                "buckets": self.buckets,
                "nearby": self.carriers.nearby,
                "shares": self.carriers.shares,
                "near": self.carriers.near,
                "rates": self.carriers.rates,
            },
            "content_bytes": round(self.content_bytes),
        }
        return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def decode(cls, text: bytes) -> "Profile":
        """Read `encode`'s JSON."""
        document: dict[str, Any] = orjson.loads(text)
        bits, shingles = np.array(document["bits"]), document["shingles"]
        return cls(
            origin=document["origin"],
            articles=document["articles"],
            fingerprinted=document["fingerprinted"],
            distinct=document["distinct"],
            crowding={
                scope: Crowding(
                    tuple(each["edges"]),
                    np.array(each["distances"], dtype=np.int64),
                    np.array(each["pairs"], dtype=np.int64),
                    bits,
                )
                for scope, each in document["crowding"].items()
            },
            keys=shingles["keys"],
            new_keys=shingles["new"],
            carriers=Carriers(
                shingles["nearby"],
                tuple(shingles["shares"]),
                tuple(shingles["near"]),
                tuple(shingles["rates"]),
            ),
            repeated=shingles["repeated"],
            buckets=shingles["buckets"],
            content_bytes=document["content_bytes"],
        )


def default_profile() -> Profile:
    """Give the profile that comes with the package."""
    return Profile.decode((resources.files("streaming.offline.data") / _PROFILE).read_bytes())


def read_profile(path: Path) -> Profile:
    """Read a file that `Profile.encode` made; SourceError if it is none."""
    try:
        return Profile.decode(path.read_bytes())
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise SourceError(f"{path}: not a profile of articles: {error!r}") from None


def profile_of(sample: Sample, origin: str) -> Profile:
    """Measure a sample; SourceError if it is too small to tell anything."""
    fingerprints, count = sample.fingerprints, len(sample.shingles)
    distinct = len(np.unique(fingerprints))
    if count < FEWEST or distinct < 2 * PARTS:
        raise SourceError(
            f"{origin}: {count:,} articles with {distinct:,} fingerprints are too few to plan by;"
            f" {FEWEST:,} tell something, some ten thousand are good"
        )
    crowding = {
        "newsroom": measure(fingerprints),
        "channel": measure(fingerprints, sample.channels),
    }
    carriers, repeated = _carriers(sample.shingles)
    sizes = _bucket_sizes(sample.shingles)
    return Profile(
        origin=origin,
        articles=count,
        fingerprinted=len(fingerprints) / count,
        distinct=distinct / len(fingerprints),
        crowding={scope: _spread(each, sample.every) for scope, each in crowding.items()},
        keys=sum(map(len, sample.shingles)) / count,
        new_keys=len(sizes) / max(1.0, float(sizes.sum())),
        carriers=replace(carriers, nearby=round(carriers.nearby * sample.every)),
        repeated=repeated,
        buckets={
            f"p{each}" if each < 100 else "most": round(float(np.percentile(sizes, each)))  # noqa: PLR2004 - percent
            for each in _PERCENTILES
            if len(sizes)
        },
        content_bytes=sample.content_bytes,
    )


def _spread(crowding: Crowding, every: float) -> Crowding:
    """Say lags in articles of the stream, where the sample has only some of them."""
    return replace(crowding, edges=tuple(round(edge * every) for edge in crowding.edges))


def _bucket_sizes(shingles: Sequence[tuple[int, ...]]) -> Shares:
    values = np.array([key for keys in shingles for key in keys], dtype=np.uint64)
    return np.unique(values, return_counts=True)[1].astype(float)


def _carriers(shingles: Sequence[tuple[int, ...]]) -> tuple[Carriers, float]:
    """Look back from the second half of the stream: near, and at least a quarter farther."""
    count = len(shingles)
    nearby = max(1, count // _NEARBY)
    places: dict[int, list[int]] = defaultdict(list)
    found: list[tuple[int, float]] = []
    met = named = 0
    for place, keys in enumerate(shingles):
        seen: set[int] = set()
        for key in keys:
            earlier = places[key]
            if 2 * place >= count:
                near = sum(place - each <= nearby for each in earlier)
                found.append((near, (len(earlier) - near) / (place - nearby)))
                visible = earlier[:_CAP]
                met += len(visible)
                seen.update(visible)
            earlier.append(place)
        named += len(seen)
    return _classes(np.array(found, dtype=float).reshape(-1, 2), nearby), max(1, met) / max(
        1, named
    )


def _classes(found: Shares, nearby: int) -> Carriers:
    """Keys of about the same rate together: none, and doublings of the smallest there can be."""
    near, rates = found[:, 0], found[:, 1]
    with np.errstate(divide="ignore"):
        classes = np.where(rates > 0, np.floor(np.log2(rates)), -np.inf)
    shares, nears, means = [], [], []
    for each in np.unique(classes):
        own = classes == each
        shares.append(round(float(own.mean()), 6))
        nears.append(round(float(np.minimum(near[own], _CAP).mean()), 4))
        means.append(float(f"{rates[own].mean():.4g}"))
    return Carriers(nearby, tuple(shares), tuple(nears), tuple(means))
