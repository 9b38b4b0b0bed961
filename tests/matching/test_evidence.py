import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streaming.matching.evidence import NO_TEXT, Evidence, Pair, evidence

NOTHING = np.empty(0, dtype=np.uint64)
HASHES = st.integers(0, 2**64 - 1)


def of(values: list[int], figures: list[tuple[int, int]] | None = None) -> Evidence:
    """Evidence whose 32-bit hashes are these values, one ideograph for each."""
    pairs = np.array(figures or [], dtype=np.uint64).reshape(-1, 2) << np.uint64(32)
    grams = np.array([*values, *(raw for raw, _ in figures or [])], dtype=np.uint64)
    return evidence(
        len(grams), grams << np.uint64(32), (pairs[:, 0], pairs[:, 1]), (NOTHING, NOTHING)
    )


@given(st.lists(HASHES, max_size=50), st.lists(st.tuples(HASHES, HASHES), max_size=8))
def test_evidence_survives_its_bytes(grams: list[int], pairs: list[tuple[int, int]]) -> None:
    forms = np.array(pairs, dtype=np.uint64).reshape(-1, 2)
    made = evidence(
        9, np.array(grams, dtype=np.uint64), (forms[:, 0], forms[:, 1]), (NOTHING, NOTHING)
    )
    read = Evidence.decode(made.encode())
    assert read.encode() == made.encode()
    assert (read.length, read.level, read.grams.tolist()) == (9, 0, made.grams.tolist())
    assert read.figures.tolist() == made.figures.tolist()


SETS = st.sets(st.integers(0, 40), max_size=30)


@given(SETS, SETS)
def test_overlap_is_that_of_sets_whichever_comes_first(one: set[int], other: set[int]) -> None:
    mine, theirs = of(sorted(one)), of(sorted(other))
    forth, back = Pair(mine, theirs), Pair(theirs, mine)
    assert (forth.shorter, forth.longer) == tuple(sorted((len(one), len(other))))
    assert (forth.shorter, forth.longer) == (back.shorter, back.longer)
    assert forth.overlap == back.overlap
    shorter, longer = sorted((one, other), key=len)
    if len(one) != len(other):
        assert forth.overlap == len(shorter & longer) / max(1, len(shorter))


def test_what_differs_in_figures_only_is_counted() -> None:
    notice = of([*range(8)], [(101, 900), (102, 901)])
    again = of([*range(8)], [(103, 900), (102, 901)])
    found = Pair(notice, again)
    assert found.overlap == 0.9
    assert found.refigured == 0.1
    assert found.figures == 0.5


def test_a_long_text_is_sampled_and_compared_with_a_short_one() -> None:
    rng = np.random.default_rng(1)
    words = rng.integers(0, 2**32, 20_000, dtype=np.uint64)
    long, short = of(words.tolist()), of(words[:1_000].tolist())
    assert len(long.grams) <= 4096
    assert long.level > 0
    assert Pair(long, short).overlap == 1
    other = of(rng.integers(0, 2**32, 1_000, dtype=np.uint64).tolist())
    assert Pair(long, other).overlap < 0.01


def test_no_text_is_like_nothing() -> None:
    assert Pair(NO_TEXT, NO_TEXT).overlap == 0
    assert Pair(NO_TEXT, of([1, 2])).overlap == 0
