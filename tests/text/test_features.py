from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streaming.text.features import FeatureExtractor

IDF = {"央行": 9.0, "降准": 12.0, "利率": 8.0, "经济": 4.0, "ai": 10.0, "中国": 3.0, "此外": 6.0}
LONG = [f"词{stem}词" for stem in "甲乙丙丁戊己庚辛壬癸"]
TOKENS = st.lists(st.one_of(st.sampled_from([*IDF, *LONG, "的", "，", "2026", " "]), st.text()))


def extract(*tokens: str, channel: str = "", **tables: object) -> dict[str, int]:
    return FeatureExtractor(IDF, **tables).features(tokens, channel)  # type: ignore[arg-type]


@given(TOKENS)
def test_features_are_tokens_of_the_text_with_weights_of_a_byte(tokens: list[str]) -> None:
    features = extract(*tokens, lexicon={"央行": 5, "词甲词": 3})
    assert set(features) <= set(tokens)
    assert all(1 <= weight <= 255 for weight in features.values())


@given(TOKENS, st.randoms())
def test_the_order_of_tokens_does_not_matter(tokens: list[str], draw: object) -> None:
    shuffled = list(tokens)
    draw.shuffle(shuffled)  # type: ignore[attr-defined]
    assert extract(*tokens) == extract(*shuffled)


@given(TOKENS)
def test_only_a_text_without_letter_and_digit_has_no_features(tokens: list[str]) -> None:
    assert bool(extract(*tokens)) == any(c.isalnum() for token in tokens for c in token)


def test_rare_words_weigh_more_than_common_ones() -> None:
    features = extract(*LONG, *["中国", "央行", "降准"] * 3)
    assert features["中国"] < features["央行"] < features["降准"]


def test_frequent_words_weigh_more_than_in_proportion_up_to_six_times() -> None:
    weights = [extract(*LONG, *["降准"] * times)["降准"] for times in range(1, 9)]
    assert weights[1] > 2 * weights[0]
    assert all(less < more for less, more in pairwise(weights[:6]))
    assert weights[5] == weights[6] == weights[7]


def test_figures_weigh_more_than_words() -> None:
    features = extract(*LONG, "2026", "0.5")
    assert features["2026"] == features["0.5"] > features["词甲词"]


def test_stop_words_punctuation_and_single_characters_are_left_out_of_long_texts() -> None:
    features = extract(*LONG, "此外", "的", "，", " ", "！！", stop_words={"此外"})
    assert set(features) == set(LONG)


def test_a_short_text_is_all_its_words_once_each() -> None:
    features = extract("央行", "此外", "你", "好", "好", "，", stop_words={"此外"})
    assert set(features) == {"央行", "此外", "你", "好"}
    assert features == extract("央行", "此外", "你", "好", "央行", stop_words={"此外"})


def test_single_characters_alone_are_features() -> None:
    assert set(extract("你", "好", "啊")) == {"你", "好", "啊"}


def test_the_lexicon_multiplies_weights() -> None:
    plain = extract(*LONG, "降准", "利率")
    weighed = extract(*LONG, "降准", "利率", lexicon={"降准": 5})
    assert weighed["降准"] == 5 * plain["降准"]
    assert weighed["利率"] == plain["利率"]


def test_a_channels_lexicon_goes_before_the_general_one() -> None:
    extractor = FeatureExtractor(
        IDF, lexicon={"降准": 2, "利率": 3}, channel_lexicons={"财经": {"降准": 5}}
    )
    plain = extract(*LONG, "降准", "利率")
    for channel, factor in (("财经", 5), ("体育", 2)):
        features = extractor.features([*LONG, "降准", "利率"], channel)
        assert features["降准"] == factor * plain["降准"]
        assert features["利率"] == 3 * plain["利率"]


def test_a_word_of_the_lexicon_counts_even_if_short_or_a_stop_word() -> None:
    features = extract(*LONG, "此外", "险", stop_words={"此外"}, lexicon={"此外": 1, "险": 4})
    assert {"此外", "险"} <= set(features)


def test_tables_are_looked_up_in_lower_case_and_tokens_kept() -> None:
    features = extract(*LONG, "AI", "The", stop_words={"the"}, lexicon={"ai": 5})
    assert features["AI"] > 5
    assert "The" not in features


def test_the_scale_of_the_frequencies_does_not_matter() -> None:
    scaled = FeatureExtractor({word: value / 8 for word, value in IDF.items()})
    tokens = [*LONG, *IDF, "2026"]
    assert scaled.features(tokens) == extract(*tokens)


def test_the_heaviest_feature_fits_a_byte() -> None:
    extractor = FeatureExtractor(dict.fromkeys(LONG, 1e-6) | {"罕见": 1e6}, lexicon={"罕见": 5})
    assert extractor.features([*LONG, *["罕见"] * 9])["罕见"] == 255
