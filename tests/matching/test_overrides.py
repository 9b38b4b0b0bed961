import hypothesis.strategies as st
from hypothesis import given

from streaming.matching.content import Content
from streaming.matching.overrides import Editorial, Override, Ruling, Standing, in_force, standing
from streaming.matching.rules import Rules
from streaming.matching.verdict import Candidate, decide
from streaming.matching.verification import Relation
from streaming.position import encode

RULES = Rules(verify_simhash=False)
OVERRIDES = st.builds(
    Override, st.sampled_from(Ruling), st.sampled_from(["a", "b", "c"]), by=st.none()
) | st.just(Override(Ruling.RELEASED, None))


def said(*overrides: Override) -> Standing:
    return standing({encode(n, "t", 0, n): each for n, each in enumerate(overrides)})


ORIGINAL_A, ORIGINAL_B = Override(Ruling.ORIGINAL, "a"), Override(Ruling.ORIGINAL, "b")
NOT_A = Override(Ruling.NOT_DUPLICATE, "a")


def test_the_latest_word_about_a_pair_stands() -> None:
    assert said(NOT_A, ORIGINAL_A) == Standing("a")
    assert said(ORIGINAL_A, NOT_A) == Standing(None, frozenset("a"))
    assert said(ORIGINAL_A, ORIGINAL_B) == Standing("b"), "a story has one original"
    assert said(NOT_A, ORIGINAL_B) == Standing("b", frozenset("a"))


def test_what_is_released_is_taken_back() -> None:
    assert said(NOT_A, ORIGINAL_B, Override(Ruling.RELEASED, "a")) == Standing("b")
    assert said(NOT_A, ORIGINAL_B, Override(Ruling.RELEASED, None)) == Standing()
    assert said(Override(Ruling.RELEASED, None), NOT_A) == Standing(None, frozenset("a"))


@given(st.lists(OVERRIDES, max_size=8), st.randoms())
def test_only_positions_count_not_the_order_of_reading(log: list[Override], rng: object) -> None:
    cells = {encode(n, "t", 0, n): each for n, each in enumerate(log)}
    shuffled = list(cells.items())
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    assert standing(dict(shuffled)) == standing(cells)
    assert list(in_force(dict(shuffled))) == list(in_force(cells))
    assert all(Override.decode(each.encode()) == each for each in log)


def candidate(name: str, moment: int, fingerprint: int = 0) -> Candidate:
    return Candidate(name, encode(moment, "t", 0, 0), Content("x", "", fingerprint))


OWN = Content("x", "", 0)
THREE = [candidate("a", 1), candidate("b", 2, 1), candidate("c", 3, 3)]


def test_a_named_original_comes_before_every_match() -> None:
    verdict = decide(OWN, THREE, RULES, Editorial(Standing("c"), original_lives=True))
    assert (verdict.duplicate_of, verdict.relation) == ("c", Relation.DUPLICATE)
    assert [match.article for match in verdict.matches] == ["c", "a", "b"]
    assert verdict.best
    assert verdict.best.finding.distance == 2, "what is known of the pair is told"
    assert verdict.overrides == (("original", "c"),)


def test_a_named_original_need_not_resemble_and_must_live() -> None:
    verdict = decide(OWN, THREE, RULES, Editorial(Standing("z"), original_lives=True))
    assert verdict.duplicate_of == "z"
    assert verdict.fields()["matches"][0] == ["z", "duplicate", None]
    assert verdict.fields()["tier"] is None
    dead = decide(OWN, THREE, RULES, Editorial(Standing("z")))
    assert dead.duplicate_of == "a"
    assert dead.overrides == (("original", "z"),), "what was said is shown all the same"


def test_a_refused_pair_leaves_the_next_match_and_a_reason() -> None:
    verdict = decide(OWN, THREE, RULES, Editorial(Standing(None, frozenset("a"))))
    assert verdict.duplicate_of == "b"
    assert verdict.reason == {"article_id": "a", "why": "not_duplicate", "score": 1.0}
    assert verdict.cited() == {"a", "b", "c"}


def test_the_original_of_a_story_repeats_nobody() -> None:
    verdict = decide(OWN, THREE, RULES, Editorial(original_of=frozenset({"y"})))
    assert (verdict.duplicate_of, verdict.matches) == (None, ())
    assert verdict.overrides == (("original_of", "y"),)
