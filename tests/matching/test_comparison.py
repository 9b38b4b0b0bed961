"""Candidates with one text are verified together; what comes of it is what each alone gives."""

from collections.abc import Sequence
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from streaming.matching import evidence, verdict
from streaming.matching.content import DAY_MS, Content
from streaming.matching.evidence import overlaps_of
from streaming.matching.overrides import NO_EDITOR, Editorial, Standing
from streaming.matching.rules import Rules
from streaming.matching.verdict import REPEATS, Candidate, Comparison, Match, Verdict, decide
from streaming.matching.verification import Relation
from streaming.position import encode
from tests.simulation.histories import TEXTS

NAMES = [f"a{number}" for number in range(9)]
MOMENTS = st.none() | st.sampled_from([0, 1, 2 * DAY_MS, 3 * DAY_MS, 4 * DAY_MS, 9 * DAY_MS])
CONTENTS = st.builds(
    Content,
    st.just("x"),
    st.just(""),
    st.sampled_from([None, 0]),
    MOMENTS,
    st.just(b""),
    # Some of them repeat each other only if they were published soon after.
    st.sampled_from([TEXTS[1], TEXTS[1], *TEXTS[3:]]),
)
CROWDS = st.lists(CONTENTS, max_size=len(NAMES)).map(
    lambda contents: [
        Candidate(name, encode(moment, "t", 0, 0), content)
        for moment, (name, content) in enumerate(zip(NAMES, contents, strict=False))
    ]
)
STANDINGS = st.builds(
    Standing, st.none() | st.sampled_from(NAMES), st.frozensets(st.sampled_from(NAMES))
)
EDITORIALS = st.just(NO_EDITOR) | st.builds(
    Editorial, STANDINGS, st.booleans(), st.frozensets(st.sampled_from(NAMES), max_size=1)
)
RULES = st.builds(
    Rules, k=st.just(1), verify_simhash=st.booleans(), max_matches=st.sampled_from([1, 2, 20])
)


def one_by_one(
    content: Content, crowd: list[Candidate], rules: Rules, editorial: Editorial
) -> Verdict:
    """Lay each candidate beside the article with nobody else there, and put that in order."""
    named = editorial.own.original if editorial.original_lives else None
    matches: list[Match] = []
    reasons: list[dict[str, Any]] = []
    for candidate in crowd:
        alone = decide(content, [candidate], rules)
        said = editorial.refusal(candidate.article)
        if candidate.article == named:
            continue
        if alone.best and not (said and alone.relation in REPEATS):
            matches.append(alone.best)
        elif alone.best:
            score = alone.best.finding.similarity
            reasons.append({"article_id": candidate.article, "why": said, "score": score})
        elif alone.reason:
            reasons.append(alone.reason)
    matches.sort(key=lambda match: (list(Relation).index(match.finding.relation), match.article))
    if named is not None:
        beside = [c for c in crowd if c.article == named]
        matches.insert(0, *decide(content, beside, rules, editorial).matches[:1])
    duplicates = [match.article for match in matches if match.finding.relation in REPEATS]
    templates = [m.article for m in matches if m.finding.relation is Relation.TEMPLATE]
    return Verdict(
        duplicate_of=duplicates[0] if duplicates else None,
        template_of=templates[0] if templates else None,
        best=matches[0] if matches else None,
        matches=tuple(matches[: rules.max_matches]),
        reason=min(reasons, key=lambda r: (-r["score"], r["article_id"])) if reasons else None,
        overrides=editorial.rulings(),
    )


@settings(max_examples=400)
@given(st.lists(CONTENTS, min_size=1, max_size=3), CROWDS, RULES, EDITORIALS)
def test_all_together_are_what_each_is_alone(
    contents: list[Content], crowd: list[Candidate], rules: Rules, editorial: Editorial
) -> None:
    comparison = Comparison(rules)
    for content in contents:
        found = decide(content, crowd, rules, editorial, comparison)
        expected = one_by_one(content, crowd, rules, editorial)
        # With what was measured of the best one.
        assert found.encode() == expected.encode()
        assert found == expected


def test_who_was_published_soon_after_is_found_among_earlier_and_later_ones() -> None:
    text = Content("x", "", None, 4 * DAY_MS, evidence=TEXTS[1])
    moments = (0, 4 * DAY_MS, 9 * DAY_MS)
    crowd = [
        Candidate(f"a{day}", encode(day, "t", 0, 0), Content("x", "", None, moment, b"", TEXTS[5]))
        for day, moment in enumerate(moments)
    ]
    alone = [one_by_one(text, [each], Rules(), NO_EDITOR).relation for each in crowd]
    assert alone[0] is alone[2] is not alone[1]
    assert decide(text, crowd, Rules()) == one_by_one(text, crowd, Rules(), NO_EDITOR)


def test_texts_are_laid_beside_each_other_once(monkeypatch: pytest.MonkeyPatch) -> None:
    text = Content("x", "", None, evidence=TEXTS[1])
    copies = [Candidate(name, encode(0, "t", 0, n), text) for n, name in enumerate(NAMES)]
    laid = []

    def counted(cell: bytes, others: Sequence[bytes], least: float = 0.0) -> list[Any]:
        laid.append(len(others))
        return overlaps_of(cell, others, least)

    for module in (evidence, verdict):
        monkeypatch.setattr(module, "overlaps_of", counted)
    assert len(decide(text, copies, Rules()).matches) == len(NAMES)
    assert laid == [1]
