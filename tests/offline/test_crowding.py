"""What the model says of crowding is what counting says."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.fingerprints.bands import BandScheme
from streaming.offline import crowd
from streaming.offline.crowding import (
    MOST_COMPARED,
    PARTS,
    Crowding,
    Values,
    measure,
    pair_counts,
)
from streaming.offline.plan import SCHEMES
from streaming.offline.plan_profile import default_profile

LIMITS = np.array([0, 4, 9, 2**62])


def skewed(count: int, seed: int = 1, spread: float = 0.4) -> Values:
    """Fingerprints whose bits are set with another probability each."""
    draw = np.random.default_rng(seed)
    shares = draw.uniform(0.5 - spread, 0.5 + spread, 64)
    bits = draw.random((count, 64)) < shares
    return np.packbits(bits, axis=1).view(np.uint64).ravel()


def shared(values: Values, scheme: BandScheme) -> float:
    """Bands that two of these share on the average, counted."""
    pairs = 0
    for band in scheme.values(values):
        _, counts = np.unique(band, return_counts=True)
        pairs += int((counts * (counts - 1)).sum())
    return pairs / len(values) / (len(values) - 1)


@given(st.lists(st.integers(0, 2**64 - 1), max_size=20))
def test_pairs_are_counted_as_one_by_one(values: list[int]) -> None:
    size = len(values)
    parts = np.arange(size) * PARTS // max(1, size)
    found = pair_counts(np.array(values, np.uint64), np.arange(size), parts, LIMITS)
    expected = np.zeros_like(found)
    for one in range(size):
        for other in range(one + 1, size):
            lag = int(np.searchsorted(LIMITS, other - one, side="right")) - 1
            distance = (values[one] ^ values[other]).bit_count()
            expected[parts[one], parts[other], lag, distance] += 1
    assert np.array_equal(found, expected)


def test_a_part_that_is_left_out_takes_its_pairs_along() -> None:
    values = skewed(700)
    found = measure(values)
    for part in (0, 4, PARTS - 1):
        others = np.flatnonzero(np.arange(700) * PARTS // 700 != part)
        limits = np.array([*found.edges, 2**62])
        parts = np.zeros(len(others), np.int64)
        counted = pair_counts(values[others], others, parts, limits)[0, 0]
        assert np.array_equal(found.distances[1 + part], counted)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_bits_that_are_skewed_are_what_is_expected_of_bands(scheme: BandScheme) -> None:
    values = skewed(20_000)
    uniform = sum(2.0**-bits for bits in scheme.band_bits())
    counted = shared(values, scheme)
    estimate = measure(values[:4_000]).rate(scheme)
    assert counted > 5 * uniform
    assert estimate.mean == pytest.approx(counted, rel=0.2)
    assert estimate.low < counted < estimate.high


@pytest.mark.parametrize("scheme", SCHEMES)
def test_articles_on_one_matter_are_what_is_expected_of_bands(scheme: BandScheme) -> None:
    values = crowd.fit(default_profile().crowding["newsroom"]).draw(200_000)
    estimate = measure(values[:36_000]).rate(scheme)
    counted = shared(values, scheme)
    assert estimate.mean == pytest.approx(counted, rel=0.5)
    assert counted > 1.5 * sum(2.0**-bits for bits in scheme.band_bits())


def test_a_band_of_bits_that_never_change_gives_everything() -> None:
    values = np.random.default_rng(1).integers(0, 2**32, 3_000, dtype=np.uint64)
    half, whole = (measure(values).candidates(BandScheme(n, 1), 1_000).mean for n in (2, 1))
    assert half == pytest.approx(1_000, rel=0.1)
    assert whole == pytest.approx(0, abs=1e-6)


def copies(count: int, apart: int) -> Values:
    """A stream in which each article is copied once, so many articles later."""
    values = np.random.default_rng(1).integers(0, 2**64, count, dtype=np.uint64)
    values[apart:] = np.where(
        np.arange(count - apart) % 2 == 0, values[:-apart] ^ np.uint64(1), values[apart:]
    )
    return values


def test_copies_that_come_soon_do_not_grow_with_the_index() -> None:
    found = measure(copies(8_000, 7))
    assert found.near(3, 1_000).mean == pytest.approx(0.5, rel=0.1)
    assert found.near(3, 10**9).mean == pytest.approx(0.5, rel=0.1)
    assert found.near(3, 10**9).high > 0.5, "what was never seen was not allowed for"


def test_copies_that_never_end_grow_with_the_index() -> None:
    draw = random.Random(1)
    values = skewed(8_000)
    for place in range(0, 8_000, 20):
        values[place] = np.uint64(12345) ^ np.uint64(1 << draw.randrange(64))
    found = measure(values)
    assert found.near(3, 10**6).mean > 100 * found.near(3, 1_000).mean


def test_what_is_near_can_be_left_out() -> None:
    found = measure(copies(8_000, 7))
    scheme = BandScheme(6, 3)
    assert found.candidates(scheme, 4_000).mean == pytest.approx(5, rel=0.1)
    assert found.candidates(scheme, 4_000, beyond=3).mean < 0.01


def test_a_channel_has_only_its_own_pairs() -> None:
    values = skewed(2_000)
    names = ["one" if place % 4 == 0 else "other" for place in range(2_000)]
    whole, within = measure(values), measure(values, names)
    scheme = BandScheme()
    share = within.candidates(scheme, 10**6).mean / whole.candidates(scheme, 10**6).mean
    assert share == pytest.approx(10 / 16, rel=0.05)
    assert measure(values, ["one"] * 2_000).distances.tolist() == whole.distances.tolist()


def test_of_many_a_part_is_compared_where_it_stood() -> None:
    values = skewed(MOST_COMPARED + 20_000, spread=0.2)
    found = measure(values)
    assert found.edges[-1] <= len(values) // 2 < 2 * found.edges[-1]
    assert found.pairs[0].sum() == MOST_COMPARED * (MOST_COMPARED - 1) // 2
    scheme = BandScheme(5, 2)
    assert found.rate(scheme).mean == pytest.approx(shared(values, scheme), rel=0.2)


def test_equal_fingerprints_are_one() -> None:
    values = skewed(500)
    assert np.array_equal(measure(np.repeat(values, 3)).distances, measure(values).distances)


def test_too_few_tell_nothing() -> None:
    with pytest.raises(ValueError, match="7 distinct fingerprints are too few"):
        measure(np.repeat(skewed(7), 30))


def test_the_interval_is_wide_where_little_was_seen() -> None:
    def width(found: Crowding) -> float:
        estimate = found.rate(BandScheme(6, 3))
        return estimate.high / estimate.mean

    values = crowd.fit(default_profile().crowding["newsroom"]).draw(30_000)
    assert width(measure(values[:1_000])) > 1.5 * width(measure(values))
