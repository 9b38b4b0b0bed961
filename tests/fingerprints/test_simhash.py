import hashlib
import random

import pytest
import simhash
from hypothesis import given
from hypothesis import strategies as st

from streaming.fingerprints.simhash import fingerprints

TOKENS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
FEATURES = st.dictionaries(TOKENS, st.integers(1, 255), min_size=1, max_size=40)


def published(features: dict[str, int]) -> int:
    return int(simhash.Simhash(features).value)


@given(st.lists(FEATURES, max_size=6))
def test_the_value_is_that_of_the_published_algorithm(batch: list[dict[str, int]]) -> None:
    assert fingerprints(batch) == [published(features) for features in batch]


@pytest.mark.parametrize("size", [1, 2, 199, 200, 201, 450, 5_000])
@pytest.mark.parametrize("heaviest", [1, 50, 51, 255])
def test_the_value_holds_for_any_number_of_features_and_either_kind_of_weight(
    size: int, heaviest: int
) -> None:
    draw = random.Random(f"{size} {heaviest}")
    features = {f"词{n}": draw.randint(1, heaviest) for n in range(size)}
    assert fingerprints([features]) == [published(features)]


def test_published_vectors_of_lists_without_weights() -> None:
    assert fingerprints([dict.fromkeys(["aaa", "bbb"], 1)]) == [57087923692560392]
    assert fingerprints([{str(n): 1 for n in range(500)}]) == [7984652473404407437]


def test_published_vectors_of_texts_in_shingles_of_four() -> None:
    def shingles(text: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for at in range(len(text) - 3):
            found[text[at : at + 4]] = found.get(text[at : at + 4], 0) + 1
        return found

    call = "你妈妈喊你回家吃饭哦回家罗回家罗"
    shout = "你妈妈叫你回家吃饭啦回家罗回家罗"
    assert fingerprints([shingles(call), shingles(shout)]) == [
        17064177782201971515,
        17348625996599677979,
    ]


def test_a_sum_too_large_for_single_precision_is_exact() -> None:
    def top_bit(token: str) -> bool:
        return hashlib.md5(token.encode(), usedforsecurity=False).digest()[8] >= 0x80

    tokens = [f"词{n}" for n in range(150_000)]
    having = [token for token in tokens if top_bit(token)]
    lacking = [token for token in tokens if not top_bit(token)]
    tied = dict.fromkeys(having[1:70_001] + lacking[:70_000], 255)
    assert fingerprints([tied])[0] >> 63 == 0  # type: ignore[operator]
    assert fingerprints([tied | {having[0]: 1}])[0] >> 63 == 1  # type: ignore[operator]


def test_no_features_have_no_fingerprint() -> None:
    assert fingerprints([{}, {"一": 1}, {}]) == [None, published({"一": 1}), None]


def test_the_order_of_features_does_not_matter() -> None:
    features = {"央行": 7, "降准": 5, "利率": 3}
    assert fingerprints([features]) == fingerprints([dict(reversed(features.items()))])


@pytest.mark.parametrize("weight", [0, -1, 256, 1000])
def test_a_weight_outside_its_range_is_refused(weight: int) -> None:
    with pytest.raises(ValueError, match=r"integer in 1\.\.255"):
        fingerprints([{"央行": 1, "降准": weight}])
