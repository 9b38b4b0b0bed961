"""An index of any size: what generated articles would have put, written in the order of the rows.

A generated article has the fingerprint of a `Crowd`, and as many shingle keys as a real one that
it is modelled on. Of those keys the ones that many articles carry (boilerplate) are kept, so
that they grow as hot as in a newsroom; all others are of its own. Its evidence is that of a brief
real article: ten million of full length would fill a disk without being read.

The rows are those that `streaming.engine.put` writes, which a test sees to.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.crowd import Crowd, Fingerprints
from streaming.matching.content import Content, Key, Tier
from streaming.matching.rules import Rules
from streaming.position import Position, encode
from streaming.store import articles, keys
from streaming.store.contract import Mutation, Store
from streaming.store.index import BANDS, HEADS, Index

START_MS = 1_700_000_000_000
SPAN_MS = 60 * 86_400_000
"""Generated articles lie this far apart at most, all of them within a window of 90 days."""

_BOILERPLATE = 10
"""So many of the real articles carry a key that is kept."""
_BRIEF_BYTES = 700
_AT_ONCE = 1 << 17
_POLYNOMIAL = np.uint32(0xEDB88320)


@dataclass(frozen=True)
class Generated:
    """Articles by number: fingerprints of shape ``(n,)``, and of all shingle keys, in the order
    of the articles, value and article, of shape ``(m,)``; those of article ``i`` begin at
    ``begins[i]`` and end before ``begins[i + 1]``."""

    fingerprints: Fingerprints
    values: NDArray[np.uint64]
    owners: NDArray[np.uint32]
    begins: NDArray[np.int64]
    hot: frozenset[int]
    evidence: Sequence[bytes]

    def name(self, number: int) -> str:
        return f"generated/{number:09d}"

    def first(self, number: int) -> Position:
        step = SPAN_MS / len(self.fingerprints)
        return encode(START_MS + int(number * step), "articles", 0, number)

    def content(self, number: int) -> Content:
        own = self.values[self.begins[number] : self.begins[number + 1]]
        return Content(
            "generated",
            "",
            int(self.fingerprints[number]),
            None,
            tuple(sorted(set(own.tolist()))),
            self.evidence[number % len(self.evidence)],
        )


def generate(real: Sequence[Content], count: int, seed: int) -> Generated:
    """Generate ``count`` articles like these; the same for the same seed."""
    random = np.random.default_rng(seed)
    known = np.array([c.fingerprint for c in real if c.fingerprint is not None], dtype=np.uint64)
    carried = Counter(value for content in real for value in content.shingles)
    hot = frozenset(value for value, often in carried.items() if often >= _BOILERPLATE)
    lengths = np.array([len(content.shingles) for content in real])
    flat = np.array([v for content in real for v in content.shingles], dtype=np.uint64)
    kept = np.array([v in hot for content in real for v in content.shingles])
    starts = np.concatenate(([0], np.cumsum(lengths)))
    models = random.integers(0, len(real), count)
    begins = np.concatenate(([0], np.cumsum(lengths[models])))
    owners = np.repeat(np.arange(count, dtype=np.uint32), lengths[models])
    places = np.arange(begins[-1]) + np.repeat(starts[models] - begins[:-1], lengths[models])
    own = random.integers(0, 1 << 64, len(places), dtype=np.uint64)
    values = np.where(kept[places], flat[places], own)
    brief = [c.evidence for c in real if len(c.evidence) <= _BRIEF_BYTES] or [b""]
    fingerprints = Crowd(np.unique(known)).draw(count, seed)
    return Generated(fingerprints, values, owners, begins, hot, brief)


def fill(store: Store, rules: Rules, generated: Generated) -> None:
    """Write the rows of generated articles, those of a table in about their order."""
    store.mutate(articles.TABLE, _article_rows(generated))
    store.mutate(BANDS, _band_rows(rules, generated.fingerprints))
    store.mutate(HEADS, _head_rows(Tier.SIMHASH, generated.fingerprints, None, generated))
    if rules.shingles:
        store.mutate(HEADS, _head_rows(Tier.SHINGLE, generated.values, generated.owners, generated))
        index = Index(store, rules)
        for value in generated.hot:
            # As every micro-batch does that meets a head which outgrew its size.
            heads = index.heads([Key("", Tier.SHINGLE, value)])
            index.move_surplus(
                {key: h for key, h in heads.items() if len(h.entries) > index.head_size}
            )


def _article_rows(generated: Generated) -> Iterator[Mutation]:
    count = len(generated.fingerprints)
    rows = np.array([keys.article(generated.name(number))[:1] for number in range(count)])
    for number in np.argsort(rows, kind="stable").tolist():
        contents = {generated.first(number): generated.content(number)}
        yield articles.events_of(generated.name(number), articles.ArticleRow(contents))


def _band_rows(rules: Rules, fingerprints: Fingerprints) -> Iterator[Mutation]:
    scheme = rules.bands
    bands = np.empty((len(fingerprints), scheme.bands, scheme.key_bytes), dtype=np.uint8)
    for begin in range(0, len(fingerprints), _AT_ONCE):
        some = scheme.keys_batch(fingerprints[begin : begin + _AT_ONCE])
        joined = b"".join(key for of_one in some for key in of_one)
        bands[begin : begin + len(some)] = np.frombuffer(joined, np.uint8).reshape(
            -1, *bands.shape[1:]
        )
    flat = bands.reshape(-1, scheme.key_bytes)
    order = _in_order(Tier.SIMHASH, flat)
    for begin in range(0, len(order), _AT_ONCE):
        places = order[begin : begin + _AT_ONCE]
        values = fingerprints[places // scheme.bands]
        for place, value in zip(places.tolist(), values.tolist(), strict=True):
            yield Mutation(keys.band("", flat[place].tobytes()), {value.to_bytes(8): b""})


def _head_rows(
    tier: Tier,
    values: NDArray[np.uint64],
    owners: NDArray[np.uint32] | None,
    generated: Generated,
) -> Iterator[Mutation]:
    octets = values.astype(">u8").view(np.uint8).reshape(-1, 8)
    order = _in_order(tier, octets)
    for begin in range(0, len(order), _AT_ONCE):
        places = order[begin : begin + _AT_ONCE]
        numbers = places if owners is None else owners[places]
        for value, number in zip(values[places].tolist(), numbers.tolist(), strict=True):
            entry = keys.entry(generated.first(number), generated.name(number))
            yield Mutation(keys.head(Key("", tier, value)), {keys.ENTRY + entry: b""})


def _in_order(tier: Tier, values: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Order keys without a scope, of shape ``(n, bytes)``, nearly as their rows lie."""
    salts = _checksums(np.array([0, tier], dtype=np.uint8), values)
    sorted_by = np.zeros((len(values), 8), dtype=np.uint8)
    sorted_by[:, 0] = salts
    # What the row has beyond these bytes, its neighbours have not.
    wide = min(7, values.shape[1])
    sorted_by[:, 1 : 1 + wide] = values[:, :wide]
    return np.argsort(sorted_by.view(">u8")[:, 0].astype(np.uint64))


def _checksums(prefix: NDArray[np.uint8], values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give the lowest byte of the CRC-32 of the prefix and each value, as `zlib.crc32` would."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ _POLYNOMIAL, table >> 1).astype(np.uint32)
    sums = np.full(len(values), 0xFFFFFFFF, dtype=np.uint32)
    for column in (*prefix, *values.T):
        sums = sums >> np.uint32(8) ^ table[(sums ^ column) & np.uint32(0xFF)]
    return (~sums & np.uint32(0xFF)).astype(np.uint8)
