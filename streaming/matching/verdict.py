"""From the candidates of an article to its verdict: pure, without a store or a batch.

A verdict never depends on another verdict, so there is no cascade and no transitive
merging; chains are resolved by whoever reads them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from streaming.fingerprints.simhash import BITS
from streaming.matching import measures
from streaming.matching.content import DAY_MS, Content, Tier, distance_between, pair_of
from streaming.matching.evidence import Pair, overlaps_of
from streaming.matching.overrides import NO_EDITOR, Editorial
from streaming.matching.rules import Rules
from streaming.matching.verification import Relation, verify
from streaming.position import Position

if TYPE_CHECKING:
    from streaming.matching.measuring import Overlap

_FIRST = attrgetter("first")
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


class Outcome(NamedTuple):
    """What verification says of two contents: their relation, or ``why`` there is none.

    ``tier``, ``distance`` and ``similarity`` are as in `Finding`; ``overlap`` is that of the texts,
    None where nothing was measured of them.
    """

    relation: Relation | None
    why: str
    tier: Tier
    distance: int | None
    similarity: float
    overlap: "Overlap | None"

    def finding(self, content: Content, other: Content, relation: Relation) -> Finding:
        """Tell it of these two, the later one first, with another relation perhaps."""
        pair = pair_of(content, other, self.overlap) if self.overlap else None
        return Finding(relation, self.tier, self.distance, self.similarity, pair)


class Alike(NamedTuple):
    """Candidates with one text, the earliest first, and when the first and last were published.

    ``published`` is None where no one knows when.
    """

    members: Sequence[Candidate]
    published: tuple[int, int] | None


def alike(candidates: Iterable[Candidate]) -> list[Alike]:
    """Part candidates by their texts."""
    parts: dict[object, list[Candidate]] = {}
    for candidate in candidates:
        content = candidate.content
        same = (content.fingerprint, content.evidence, content.published_ms is None)
        parts.setdefault(same, []).append(candidate)
    return [_alike(members) for members in parts.values()]


def _alike(members: list[Candidate]) -> Alike:
    if len(members) == 1:
        moment = members[0].content.published_ms
        return Alike(members, None if moment is None else (moment, moment))
    members.sort(key=_FIRST)
    known = [m.content.published_ms for m in members if m.content.published_ms is not None]
    return Alike(members, (min(known), max(known)) if known else None)


class _Parted(NamedTuple):
    """Candidates, and these parted by their texts."""

    candidates: Sequence[Candidate]
    parts: Sequence[Alike]


class Comparison:
    """Verifies contents under fixed rules, and remembers what came of it.

    A story that everybody copies is laid beside the same few texts again and again.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._late_ms = rules.thresholds.late_days * DAY_MS
        self._least_overlap = rules.thresholds.least_overlap
        self._parted: dict[int, _Parted] = {}
        self._overlaps: dict[tuple[bytes, int, float], list[tuple[int, Overlap]]] = {}
        self._known: dict[object, Outcome] = {}

    def outcomes(
        self, content: Content, candidates: Sequence[Candidate], *, every: bool = False
    ) -> Iterator[tuple[Sequence[Candidate], Outcome]]:
        """Say how a content relates to each of some earlier ones, those with one text together.

        Of those whose texts have too little in common only the nearest are told of, unless
        ``every`` one is asked for.
        """
        parted = self._parted.get(id(candidates))
        if parted is None:
            # It is kept with the list itself, so that no other comes to be where it is.
            parted = self._parted[id(candidates)] = _Parted(candidates, alike(candidates))
        # What a fingerprint alone decides does not depend on the texts.
        least = 0.0 if every or not self._rules.verify_simhash else self._least_overlap
        laid = content.evidence, id(candidates), least
        overlaps = self._overlaps.get(laid)
        if overlaps is None:
            others = [part.members[0].content.evidence for part in parted.parts]
            overlaps = self._overlaps[laid] = overlaps_of(content.evidence, others, least)
        for place, overlap in overlaps:
            yield from self._outcomes(content, parted.parts[place], overlap)

    def _outcomes(
        self, content: Content, part: Alike, overlap: "Overlap"
    ) -> Iterator[tuple[Sequence[Candidate], Outcome]]:
        members, published_ms = part.members, content.published_ms
        # Of the time between two contents nothing counts but whether it is long.
        late = False
        if published_ms is not None and part.published is not None:
            low, high = (abs(published_ms - then) >= self._late_ms for then in part.published)
            inside = part.published[0] < published_ms < part.published[1]
            if low != high or (low and inside):
                for member in members:
                    yield from self._outcomes(content, _alike([member]), overlap)
                return
            late = low
        other = members[0].content
        same = (content.fingerprint, content.evidence, other.fingerprint, other.evidence, late)
        found = self._known.get(same)
        if found is None:
            found = self._known[same] = self._verified(content, other, overlap)
        yield members, found

    def _verified(self, content: Content, other: Content, overlap: "Overlap") -> Outcome:
        rules, distance = self._rules, distance_between(content, other)
        near = distance is not None and distance <= rules.k
        if near and not rules.verify_simhash and distance is not None:
            equal = round(1 - distance / BITS, 6)
            return Outcome(Relation.DUPLICATE, "", Tier.SIMHASH, distance, equal, None)
        answer = verify(pair_of(content, other, overlap), rules.thresholds)
        tier, bits = (Tier.SIMHASH, distance) if near else (Tier.SHINGLE, None)
        why = "" if answer.failed is None else answer.failed.value
        return Outcome(answer.relation, why, tier, bits, answer.score, overlap)


def decide(
    content: Content,
    candidates: Sequence[Candidate],
    rules: Rules,
    editorial: Editorial = NO_EDITOR,
    comparison: Comparison | None = None,
) -> Verdict:
    """Verify every candidate and order what holds by relation, then by ``first``.

    An original that an editor names comes before everything, as long as it is live; an
    article that is somebody's original by an editor's word repeats nobody. The answer
    depends on the set of candidates only, not on their order. ``comparison`` is one under
    the same rules, to share among many.
    """
    comparison = comparison or Comparison(rules)
    found: list[tuple[int, Position, Candidate, Outcome]] = []
    refused: list[_Refusal] = []
    named = editorial.own.original if editorial.original_lives else None
    most = max(1, rules.max_matches)
    # The nearest of them may be one of whom an editor speaks.
    every = editorial is not NO_EDITOR
    for those, outcome in comparison.outcomes(content, candidates, every=every):
        members = those
        if editorial is not NO_EDITOR:
            members, overruled = _ruled(those, outcome, editorial, named)
            refused += overruled
        if outcome.relation is not None:
            rank = _RANK[outcome.relation]
            found += [(rank, each.first, each, outcome) for each in members[:most]]
        elif members:
            refused.append(_refusal(members[0], outcome, outcome.why))
    found.sort(key=itemgetter(0, 1))
    best = [] if named is None else [Match(named, _told(content, candidates, comparison, named))]
    for _, _, candidate, outcome in found[:most]:
        if outcome.relation is not None:
            finding = outcome.finding(content, candidate.content, outcome.relation)
            best.append(Match(candidate.article, finding))

    def first_of(relations: frozenset[Relation]) -> str | None:
        if named is not None and Relation.DUPLICATE in relations:
            return named
        return next((c.article for _, _, c, o in found if o.relation in relations), None)

    return Verdict(
        duplicate_of=first_of(REPEATS),
        template_of=first_of(frozenset({Relation.TEMPLATE})),
        best=best[0] if best else None,
        matches=tuple(best[: rules.max_matches]),
        reason=_reason(refused) if refused else None,
        overrides=editorial.rulings(),
    )


_Refusal = tuple[float, Position, str, str]
"""A candidate that is not a match: its score, negative, then when, which and why."""


def _refusal(candidate: Candidate, outcome: Outcome, why: str) -> _Refusal:
    return -outcome.similarity, candidate.first, candidate.article, why


def _ruled(
    members: Sequence[Candidate], outcome: Outcome, editorial: Editorial, named: str | None
) -> tuple[list[Candidate], list[_Refusal]]:
    """Part those of whom editors say nothing from those whom they refuse; leaves out ``named``."""
    free, refused = [], []
    for member in members:
        said = editorial.refusal(member.article)
        if member.article == named:
            continue
        if said and outcome.relation in REPEATS:
            refused.append(_refusal(member, outcome, said))
        else:
            free.append(member)
    return free, refused


def _told(
    content: Content, candidates: Sequence[Candidate], comparison: Comparison, named: str
) -> Finding:
    """Tell what is known of the original that an editor names, beside that it is the original."""
    original = [each for each in candidates if each.article == named]
    for members, outcome in comparison.outcomes(content, original):
        if outcome.relation is not None:
            return outcome.finding(content, members[0].content, Relation.DUPLICATE)
    return Finding(Relation.DUPLICATE, None, None, None)


def _reason(refused: list[_Refusal]) -> dict[str, Any]:
    """Say why the best of the refused candidates was refused, with its score for what-if."""
    score, _, article, why = min(refused)
    return {"article_id": article, "why": why, "score": -score}
