"""From the candidates of an article to its verdict: pure, without a store or a batch.

A verdict never depends on another verdict, so there is no cascade and no transitive
merging; chains are resolved by whoever reads them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from streaming.fingerprints.simhash import BITS
from streaming.matching import measures
from streaming.matching.content import Content, Tier, distance_between, pair_of
from streaming.matching.evidence import Pair
from streaming.matching.overrides import NO_EDITOR, Editorial
from streaming.matching.rules import Rules
from streaming.matching.verification import Relation, verify
from streaming.position import Position

_RANK = {relation: rank for rank, relation in enumerate(Relation)}
REPEATS = frozenset({Relation.DUPLICATE, Relation.CONTAINED_IN})
"""The relations that make an article a duplicate of the earlier one."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A visible, live, earlier article that still carries a shared key."""

    article: str
    first: Position
    content: Content


@dataclass(frozen=True, slots=True)
class Finding:
    """What verification found between two contents, or what an editor says of them.

    ``distance`` is the Hamming distance in bits, ``similarity`` runs from 0 to 1; both and
    ``tier`` are None where only an editor relates the two. ``pair`` is what was measured,
    None if nothing was.
    """

    relation: Relation
    tier: Tier | None
    distance: int | None
    similarity: float | None
    pair: Pair | None = field(default=None, compare=False, repr=False)

    @property
    def evidence(self) -> dict[str, float] | None:
        """What was measured; of all matches it is asked for of the best one only."""
        return None if self.pair is None else measures.in_brief(self.pair)

    @property
    def tier_label(self) -> str | None:
        """The name of the tier in exports; None where only an editor relates the two."""
        return None if self.tier is None else self.tier.label


@dataclass(frozen=True, slots=True)
class Match:
    """A verified earlier article."""

    article: str
    finding: Finding

    def as_list(self) -> list[Any]:
        """The form in which verdicts list it: id, relation, similarity."""
        return [self.article, self.finding.relation.value, self.finding.similarity]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an article was published before, as what, and what else it repeats.

    ``best`` is the first match, the one whose relation and figures stand for the verdict.
    ``overrides`` lists what editors say of the article: kind, other article.
    """

    duplicate_of: str | None = None
    template_of: str | None = None
    best: Match | None = None
    matches: tuple[Match, ...] = ()
    reason: dict[str, Any] | None = None
    overrides: tuple[tuple[str, str], ...] = ()

    @property
    def relation(self) -> Relation | None:
        """How the article relates to its best match."""
        return self.best.finding.relation if self.best else None

    def cited(self) -> frozenset[str]:
        """Every article that this verdict names; a change of one of them can change it."""
        names = {match.article for match in self.matches}
        names |= {name for name in (self.duplicate_of, self.template_of) if name}
        if self.reason:
            names.add(self.reason["article_id"])
        return frozenset(names)

    def fields(self) -> dict[str, Any]:
        """Give the verdict's own fields as they are stored, announced and exported."""
        finding = self.best.finding if self.best else None
        return {
            "duplicate_of": self.duplicate_of,
            "relation": finding and finding.relation,
            "template_of": self.template_of,
            "tier": finding and finding.tier_label,
            "distance": finding and finding.distance,
            "similarity": finding and finding.similarity,
            "evidence": finding and finding.evidence,
            "matches": [match.as_list() for match in self.matches],
            "reason": self.reason,
            "overrides": [list(each) for each in self.overrides],
        }

    def encode(self) -> bytes:
        """Encode as a cell value; equal verdicts give equal bytes."""
        return orjson.dumps(self.fields())


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A candidate that is not a match; ``why`` is the check that failed, or the ruling."""

    candidate: Candidate
    why: str
    score: float


def decide(
    content: Content,
    candidates: Iterable[Candidate],
    rules: Rules,
    editorial: Editorial = NO_EDITOR,
) -> Verdict:
    """Verify every candidate and order what holds by relation, then by ``first``.

    An original that an editor names comes before everything, as long as it is live; an
    article that is somebody's original by an editor's word repeats nobody. The answer
    depends on the set of candidates only, not on their order.
    """
    found: list[tuple[int, Position, Match]] = []
    refused: list[_Refusal] = []
    named = editorial.own.original if editorial.original_lives else None
    told = Finding(Relation.DUPLICATE, None, None, None)
    for candidate, finding in _findings(content, candidates, rules):
        said = editorial.refusal(candidate.article)
        if candidate.article == named:
            told = (
                told if isinstance(finding, _Refusal) else replace(finding, relation=told.relation)
            )
        elif isinstance(finding, _Refusal):
            refused.append(finding)
        elif said and finding.relation in REPEATS:
            refused.append(_Refusal(candidate, said, finding.similarity or 0))
        else:
            match = Match(candidate.article, finding)
            found.append((_RANK[finding.relation], candidate.first, match))
    found.sort(key=lambda row: row[:2])
    matches = tuple(match for _, _, match in found)
    if named is not None:
        matches = (Match(named, told), *matches)

    def earliest(relations: frozenset[Relation]) -> str | None:
        return next((m.article for m in matches if m.finding.relation in relations), None)

    return Verdict(
        duplicate_of=earliest(REPEATS),
        template_of=earliest(frozenset({Relation.TEMPLATE})),
        best=matches[0] if matches else None,
        matches=matches[: rules.max_matches],
        reason=_reason(refused) if refused else None,
        overrides=editorial.rulings(),
    )


def _findings(
    content: Content, candidates: Iterable[Candidate], rules: Rules
) -> Iterator[tuple[Candidate, Finding | _Refusal]]:
    """Say of each candidate what relates the article to it, or what refused it."""
    for candidate in candidates:
        distance = distance_between(content, candidate.content)
        near = distance is not None and distance <= rules.k
        if near and not rules.verify_simhash and distance is not None:
            alike = round(1 - distance / BITS, 6)
            yield candidate, Finding(Relation.DUPLICATE, Tier.SIMHASH, distance, alike)
            continue
        pair = pair_of(content, candidate.content)
        answer = verify(pair, rules.thresholds)
        if answer.relation is not None:
            tier, bits = (Tier.SIMHASH, distance) if near else (Tier.SHINGLE, None)
            yield candidate, Finding(answer.relation, tier, bits, answer.score, pair)
        elif answer.failed is not None:
            yield candidate, _Refusal(candidate, answer.failed.value, answer.score)


def _reason(refused: list[_Refusal]) -> dict[str, Any]:
    """Say why the best of the refused candidates was refused, with its score for what-if."""
    best = min(refused, key=lambda each: (-each.score, each.candidate.first))
    return {"article_id": best.candidate.article, "why": best.why, "score": best.score}
