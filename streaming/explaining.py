"""Why one article is, or is not, named by the verdict of another.

The rules are asked, not told again: whether the earlier article is a candidate of the later
one, and what they say of the pair, comes from the code that judges a micro-batch. Nothing is
written.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import orjson

from streaming.engine import decision
from streaming.engine.snapshot import Snapshot
from streaming.errors import SettingsError
from streaming.matching.content import Content, Key, Tier, distance_between, pair_of
from streaming.matching.measures import Measure, measures
from streaming.matching.rules import Rules
from streaming.matching.verdict import Candidate, Finding, decide
from streaming.matching.verification import Answer, verify
from streaming.position import Position, at, decode, timestamp_ms
from streaming.store.articles import ArticleRow
from streaming.store.contract import Store
from streaming.texts import Text, current_texts
from streaming.times import write_time


class Obstacle(StrEnum):
    """Why the later article was not compared with the earlier one."""

    SCOPE = "scope"
    """They are in channels that are not compared with each other."""
    KEY = "key"
    """They share no shingle, and their fingerprints are not near."""
    WINDOW = "window"
    """The earlier one appeared too long before."""
    SLOTS = "slots"
    """Under every shared key, enough still earlier articles are seen."""
    INDEX = "index"
    """Its entries are not there: not written yet, or forgotten."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two articles; ``text`` is None if it is not kept."""

    article: str
    row: ArticleRow
    first: Position
    content: Content
    text: Text | None

    def fields(self) -> dict[str, Any]:
        """Give it as values for JSON, without its body."""
        fingerprint = self.content.fingerprint
        return {
            "article_id": self.article,
            "channel": self.content.channel,
            "source": self.content.source or None,
            "first_seen": decode(self.first).sortable(),
            "fingerprint": None if fingerprint is None else f"{fingerprint:016x}",
            "title": None if self.text is None else self.text.title,
        }

    def says_of(self, other: str) -> dict[str, Any] | None:
        """Give what its stored verdict says of another article; None if there is no verdict."""
        if not self.row.verdict:
            return None
        fields = orjson.loads(self.row.verdict)
        reason = fields["reason"]
        return {
            "duplicate_of": fields["duplicate_of"] == other,
            "template_of": fields["template_of"] == other,
            "match": next((each for each in fields["matches"] if each[0] == other), None),
            "reason": reason if reason and reason["article_id"] == other else None,
            "overrides": [each for each in fields["overrides"] if each[1] == other],
        }


@dataclass(frozen=True, slots=True)
class SharedKey:
    """A key under which two articles can meet.

    Of a fingerprint it is the earlier article's. ``slots`` are the articles that the later
    one sees under it, at most as many as are visible; ``seen`` says whether the earlier one
    is among them.
    """

    key: Key
    slots: int
    seen: bool

    def fields(self) -> dict[str, Any]:
        """Give it as values for JSON."""
        return {
            "tier": self.key.tier.label,
            "key": f"{self.key.value:016x}",
            "slots": self.slots,
            "seen": self.seen,
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything between two articles.

    ``distance`` is in bits, None if one of them has no fingerprint. ``answer`` is what
    verification says of the two texts, ``finding`` and ``refusal`` what all rules and the
    editors do; both None means that nothing would be said of the pair. ``obstacle`` is None
    if the later one was compared with the earlier. ``stale``: the stored verdict of the
    later one is not what the index gives now.
    """

    earlier: Side
    later: Side
    distance: int | None
    keys: tuple[SharedKey, ...]
    measures: tuple[Measure, ...]
    answer: Answer
    finding: Finding | None
    refusal: str | None
    obstacle: Obstacle | None
    stale: bool

    def fields(self) -> dict[str, Any]:
        """Give it as values for JSON, without the difference of the texts."""
        finding, answer = self.finding, self.answer
        return {
            "earlier": self.earlier.fields(),
            "later": self.later.fields(),
            "distance": self.distance,
            "keys": [each.fields() for each in self.keys],
            "measures": {each.name: each.value for each in self.measures},
            "thresholds": {
                n: limit for each in self.measures for n, limit in each.thresholds.items()
            },
            "verification": {
                "relation": answer.relation,
                "check": answer.failed,
                "score": answer.score,
            },
            "relation": finding and finding.relation,
            "tier": finding and finding.tier_label,
            "why": self.refusal,
            "visible": self.obstacle is None,
            "obstacle": self.obstacle,
            "verdict_of_later": self.later.says_of(self.earlier.article),
            "verdict_of_earlier": self.earlier.says_of(self.later.article),
            "stale": self.stale,
        }


def explain(store: Store, rules: Rules, a: str, b: str) -> Explanation:
    """Explain a pair; SettingsError if one of the two is unknown or deleted.

    ``a`` and ``b`` are two different articles, in any order.
    """
    snapshot = Snapshot(store, rules)
    snapshot.load((a, b))
    rows = {name: snapshot.article(name) for name in (a, b)}
    firsts = {name: _live(name, row) for name, row in rows.items()}
    texts = current_texts(store, rows)
    earlier, later = (
        Side(name, rows[name], first, content, texts.get(name))
        for name, (first, content) in sorted(firsts.items(), key=lambda each: each[1][0])
    )
    verdict = decision.verdicts(snapshot, rules, [later.article])[later.article]
    keys = tuple(_shared(snapshot, rules, earlier, later))
    finding, refusal = _said(snapshot, rules, earlier, later)
    pair = pair_of(later.content, earlier.content)
    return Explanation(
        earlier,
        later,
        distance_between(earlier.content, later.content),
        keys,
        tuple(measures(pair, rules.thresholds)),
        verify(pair, rules.thresholds),
        finding,
        refusal,
        _obstacle(snapshot, rules, earlier, later, keys),
        verdict is None or later.row.verdict != verdict.encode(),
    )


def _live(name: str, row: ArticleRow) -> tuple[Position, Content]:
    if row.first is None:
        raise SettingsError(f"there is no article {name!r} in the index")
    if row.current is None:
        deleted = write_time(timestamp_ms(row.current_position or b""))
        raise SettingsError(
            f"article {name!r} was deleted at {deleted}: it has no verdict, and none names it"
        )
    return row.first, row.current


def _shared(snapshot: Snapshot, rules: Rules, earlier: Side, later: Side) -> Iterator[SharedKey]:
    """Say how the later article sees each key that both carry, or of which both are near."""
    looked_up = snapshot.carried(later.article)
    distance = distance_between(earlier.content, later.content)
    near = distance is not None and distance <= rules.k
    same_scope = {key.scope for key in looked_up}
    for key in sorted(snapshot.carried(earlier.article)):
        meets = near and key.scope in same_scope if key.tier is Tier.SIMHASH else key in looked_up
        if not meets:
            continue
        indexed = any(key in snapshot.near(own) for own in looked_up)
        slots = snapshot.visible(key, later.first) if indexed else ()
        yield SharedKey(key, len(slots), (earlier.first, earlier.article) in slots)


def _said(
    snapshot: Snapshot, rules: Rules, earlier: Side, later: Side
) -> tuple[Finding | None, str | None]:
    """Give what rules and editors say of the two, whether or not they met."""
    candidate = Candidate(earlier.article, earlier.first, earlier.content)
    # An original that an editor names is listed before the earlier one.
    both = replace(rules, max_matches=2)
    verdict = decide(later.content, [candidate], both, decision.editorial(snapshot, later.article))
    match = next((each for each in verdict.matches if each.article == earlier.article), None)
    return match.finding if match else None, verdict.reason["why"] if verdict.reason else None


def _obstacle(
    snapshot: Snapshot, rules: Rules, earlier: Side, later: Side, keys: tuple[SharedKey, ...]
) -> Obstacle | None:
    candidates = decision.candidates(snapshot, [later.article])[later.article]
    if any(each.article == earlier.article for each in candidates):
        return None
    if rules.scope_of(earlier.content.channel) != rules.scope_of(later.content.channel):
        return Obstacle.SCOPE
    if not keys:
        return Obstacle.KEY
    if earlier.first < at(timestamp_ms(later.first) - rules.window_ms):
        return Obstacle.WINDOW
    if all(each.slots >= rules.visible for each in keys):
        return Obstacle.SLOTS
    return Obstacle.INDEX
