import random

import orjson
from hypothesis import given
from hypothesis import strategies as st

import schemas
from streaming.exporting import expected_verdicts
from streaming.matching.content import Content
from streaming.matching.reference import reference
from streaming.matching.rules import Rules
from streaming.matching.verdict import Candidate, Verdict, decide
from streaming.matching.verification import Relation
from streaming.position import encode

RULES = Rules(max_matches=3, verify_simhash=False)
FINGERPRINTS = st.integers(0, 31) | st.none()


def content(fingerprint: int | None) -> Content:
    return Content("go", "", fingerprint)


def candidate(number: int, fingerprint: int | None) -> Candidate:
    return Candidate(f"a{number}", encode(number, "t", 0, number), content(fingerprint))


@given(FINGERPRINTS, st.lists(FINGERPRINTS, max_size=8), st.randoms())
def test_a_verdict_does_not_depend_on_the_order_of_candidates(
    own: int | None, others: list[int | None], rng: random.Random
) -> None:
    candidates = [candidate(number, value) for number, value in enumerate(others)]
    verdict = decide(content(own), candidates, RULES)
    rng.shuffle(candidates)
    assert decide(content(own), candidates, RULES).encode() == verdict.encode()
    near = [
        f"a{number}"
        for number, value in enumerate(others)
        if own is not None and value is not None and (own ^ value).bit_count() <= RULES.k
    ]
    assert verdict.duplicate_of == (near[0] if near else None)
    assert [match.article for match in verdict.matches] == near[: RULES.max_matches]
    assert verdict.cited() >= frozenset(near[: RULES.max_matches])


def test_unverified_similarity_is_the_share_of_equal_bits() -> None:
    best = decide(content(0b111), [candidate(0, 0)], RULES).best
    assert best is not None
    assert (best.finding.relation, best.finding.distance) == (Relation.DUPLICATE, 3)
    assert best.finding.similarity == 1 - 3 / 64
    assert decide(content(0b1111), [candidate(0, 0)], RULES).best is None


def test_the_refused_candidate_is_cited_too() -> None:
    reason = {"article_id": "r", "why": "rule", "score": 0.5}
    assert Verdict(template_of="t", reason=reason).cited() == {"r", "t"}


def test_what_is_exported_is_what_the_schema_says() -> None:
    log = [(encode(n, "t", 0, n), f"a{n}", content(v)) for n, v in enumerate((0, 1, None, 0xFF))]
    for line in expected_verdicts(reference(log, RULES)).values():
        assert list(schemas.violations("verdict", orjson.loads(orjson.dumps(line)))) == []
        assert line.keys() == {field.name for field in schemas.fields("verdict") if field.required}
