import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.fingerprints.bands import BandScheme, hamming, hamming_many

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
