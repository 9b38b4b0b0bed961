import random
from collections.abc import Callable
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.fingerprints.bands import BandScheme, hamming, hamming_many
from streaming.matching.content import Key, Tier
from streaming.matching.rules import Rules
from streaming.offline.crowd import fit
from streaming.offline.plan_profile import default_profile
from streaming.position import encode
from streaming.store.index import Index
from streaming.store.memory import MemoryStore
from streaming.store.tables import TABLES

SCHEMES = [BandScheme(4, 1), BandScheme(5, 2), BandScheme(6, 3)]
FINGERPRINTS = st.integers(0, 2**64 - 1)


def flipped(fingerprint: int, bits: set[int]) -> int:
    for bit in bits:
        fingerprint ^= 1 << bit
    return fingerprint


@pytest.mark.parametrize("scheme", [*SCHEMES, BandScheme(1, 1), BandScheme(64, 63)])
@given(fingerprint=FINGERPRINTS, data=st.data())
def test_no_pair_within_the_radius_is_missed(
    scheme: BandScheme, fingerprint: int, data: st.DataObject
) -> None:
    bits = data.draw(st.sets(st.integers(0, 63), max_size=scheme.radius))
    other = flipped(fingerprint, bits)
    assert set(scheme.keys(fingerprint)) & set(scheme.keys(other))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_bands_find_what_brute_force_finds(scheme: BandScheme) -> None:
    draw = random.Random(7)
    values = [draw.getrandbits(64) for _ in range(60)]
    values += [flipped(v, {draw.randrange(64) for _ in range(draw.randint(1, 6))}) for v in values]
    keys = [set(scheme.keys(value)) for value in values]
    for a, one in enumerate(values):
        for b, other in enumerate(values):
            if hamming(one, other) <= scheme.radius:
                assert keys[a] & keys[b]


def crowded() -> list[int]:
    """Fingerprints that crowd as real ones do."""
    drawn = fit(default_profile().crowding["newsroom"]).draw(400)
    return [int(each) for each in drawn]


def skewed() -> list[int]:
    """Fingerprints of which most bits hardly ever change, so that nearly all share bands."""
    draw = random.Random(3)
    shares = [draw.choice([0.02, 0.98, 0.5]) for _ in range(64)]
    return [sum((draw.random() < p) << n for n, p in enumerate(shares)) for _ in range(400)]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("values", [crowded, skewed])
def test_a_look_up_in_an_index_is_exact_however_bits_are_skewed(
    scheme: BandScheme, values: Callable[[], list[int]]
) -> None:
    draw = random.Random(5)
    known = values()
    known += [
        flipped(value, set(draw.sample(range(64), draw.randint(1, 5)))) for value in known[:200]
    ]
    store = MemoryStore(uuid4().hex)
    store.ensure_tables(TABLES)
    index = Index(store, Rules(k=3, bands=scheme))
    keys = [Key("", Tier.SIMHASH, value) for value in known]
    index.put((key, encode(n, "articles", 0, n), f"a{n}") for n, key in enumerate(keys))
    found = index.near(keys)
    several = 0
    for key in keys:
        near = {value for value in known if hamming(key.value, value) <= 3}
        assert {other.value for other in found[key]} == near
        several += len(near) > 1
    assert several > 100, "hardly anything is near"


@pytest.mark.parametrize("scheme", SCHEMES)
@given(
    shares=st.lists(st.floats(0, 1), min_size=64, max_size=64),
    seed=st.integers(0, 2**32),
    bits=st.sets(st.integers(0, 63), max_size=3),
)
def test_no_skew_of_bits_hides_a_pair(
    scheme: BandScheme, shares: list[float], seed: int, bits: set[int]
) -> None:
    draw = random.Random(seed)
    one = sum((draw.random() < share) << place for place, share in enumerate(shares))
    assert set(scheme.keys(one)) & set(scheme.keys(flipped(one, bits)))


@pytest.mark.parametrize("scheme", [*SCHEMES, BandScheme(1, 1), BandScheme(64, 63)])
@given(values=st.lists(FINGERPRINTS, max_size=5))
def test_the_bits_of_bands_are_those_of_their_keys(scheme: BandScheme, values: list[int]) -> None:
    packed = scheme.values(np.array(values, dtype=np.uint64))
    for number, (places, band) in enumerate(zip(scheme.band_places(), packed, strict=True)):
        assert len(places) == scheme.band_bits()[number]
        for value, bits in zip(values, band.tolist(), strict=True):
            assert scheme.keys(value)[number][1:] == bits.to_bytes(scheme.key_bytes - 1)
            assert sum(value >> place & 1 for place in places) == bits.bit_count()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_pair_just_outside_the_radius_can_be_missed(scheme: BandScheme) -> None:
    # One bit in every block but the ones a band needs: the bound is the best there is.
    edges = [63 - 64 * block // scheme.blocks for block in range(scheme.blocks)]
    other = flipped(0, set(edges[: scheme.radius + 1]))
    assert not set(scheme.keys(0)) & set(scheme.keys(other))


@pytest.mark.parametrize(
    ("scheme", "bands", "bits"),
    [
        (BandScheme(4, 1), 4, {16}),
        (BandScheme(5, 2), 10, {25, 26}),
        (BandScheme(6, 3), 20, {31, 32, 33}),
    ],
)
def test_bands_are_as_wide_as_the_scheme_says(
    scheme: BandScheme, bands: int, bits: set[int]
) -> None:
    assert scheme.bands == bands == len(scheme.keys(0))
    assert set(scheme.band_bits()) == bits


@pytest.mark.parametrize("scheme", SCHEMES)
@given(one=FINGERPRINTS, other=FINGERPRINTS)
def test_two_keys_are_equal_only_where_the_bits_are(
    scheme: BandScheme, one: int, other: int
) -> None:
    for number, (key, of_other) in enumerate(
        zip(scheme.keys(one), scheme.keys(other), strict=True)
    ):
        assert key[0] == of_other[0] == number
        assert len(key) == scheme.key_bytes
    pinned = scheme.keys(one)
    for bit in range(64):
        changed = scheme.keys(flipped(one, {bit}))
        differing = sum(a != b for a, b in zip(pinned, changed, strict=True))
        # A bit belongs to one block, and a block to the bands that chose it.
        assert differing == scheme.bands * scheme.chosen // scheme.blocks


@pytest.mark.parametrize("scheme", [*SCHEMES, BandScheme(1, 1), BandScheme(64, 63)])
@given(values=st.lists(FINGERPRINTS, max_size=5))
def test_keys_of_many_are_the_keys_of_each(scheme: BandScheme, values: list[int]) -> None:
    assert scheme.keys_batch(values) == [list(scheme.keys(value)) for value in values]


@pytest.mark.parametrize(("blocks", "chosen"), [(4, 0), (4, 5), (0, 0), (65, 1), (16, 8)])
def test_an_impossible_scheme_is_refused(blocks: int, chosen: int) -> None:
    with pytest.raises(ValueError, match=f"{blocks} choose {chosen}"):
        BandScheme(blocks, chosen)


def test_schemes_compare_by_value() -> None:
    assert BandScheme(4, 1) == BandScheme() != BandScheme(5, 2)
    assert hash(BandScheme(4, 1)) == hash(BandScheme())


@given(one=FINGERPRINTS, others=st.lists(FINGERPRINTS, max_size=9))
def test_distances_to_many_are_the_distances_to_each(one: int, others: list[int]) -> None:
    counted = hamming_many(one, np.array(others, dtype=np.uint64))
    assert counted.tolist() == [hamming(one, other) for other in others]


def test_distance_counts_bits() -> None:
    assert hamming(0, 2**64 - 1) == 64
    assert hamming(0b1011, 0b0010) == 2
