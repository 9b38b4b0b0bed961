"""What the final tables must be, computed from the whole log by brute force.

No index, no batches, no store: every article is compared with every other. It is the
definition that each backend, crash and replay is checked against, so it shares the pair
rules (`decide`) with the query and nothing else. Quadratic in the number of fingerprints;
memory is a few hundred bytes per event.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from streaming.matching.content import Content, Key, Tier
from streaming.matching.overrides import Editorial, Override, standing
from streaming.matching.rules import Rules
from streaming.matching.verdict import Candidate, Verdict, decide
from streaming.position import Position, timestamp_ms


@dataclass(frozen=True, slots=True)
class Expected:
    """The row that must stand for a live article: when it first appeared, and its verdict."""

    first: Position
    content: Content
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class _History:
    first: Position
    current: Content | None
    keys_ever: frozenset[Key]


Log = Iterable[tuple[Position, str, Content | Override | None]]
"""Position, article, and what it became there: None for a deletion."""


def reference(log: Log, rules: Rules) -> dict[str, Expected]:
    """Judge a whole log: gives the row of every live article.

    Events may come in any order and any number of times: only their positions count.
    """
    log = list(log)
    histories = _histories(log, rules)
    editorials = _editorials(log, histories)
    carriers: dict[Key, list[tuple[Position, str]]] = defaultdict(list)
    for name, history in histories.items():
        for key in history.keys_ever:
            carriers[key].append((history.first, name))
    for members in carriers.values():
        members.sort()
    neighbours = _neighbours(carriers, rules)
    return {
        name: Expected(
            history.first,
            history.current,
            decide(
                history.current,
                _candidates(history.first, history.current, histories, carriers, neighbours, rules),
                rules,
                editorials.get(name, Editorial()),
            ),
        )
        for name, history in histories.items()
        if history.current is not None
    }


def _histories(log: Log, rules: Rules) -> dict[str, _History]:
    events: dict[str, dict[Position, Content | None]] = defaultdict(dict)
    for position, name, became in log:
        if not isinstance(became, Override):
            events[name][position] = became
    histories = {}
    for name, contents in events.items():
        real = {p: c for p, c in contents.items() if c is not None}
        if real:
            ever = frozenset().union(*(c.keys(rules) for c in real.values()))
            histories[name] = _History(min(real), contents[max(contents)], ever)
    return histories


def _editorials(log: Log, histories: Mapping[str, _History]) -> dict[str, Editorial]:
    said: dict[str, dict[Position, Override]] = defaultdict(dict)
    for position, name, became in log:
        if isinstance(became, Override):
            said[name][position] = became
    stands = {name: standing(overrides) for name, overrides in said.items()}
    original_of: dict[str, set[str]] = defaultdict(set)
    for name, own in stands.items():
        if own.original is not None:
            original_of[own.original].add(name)
    live = {name for name, history in histories.items() if history.current is not None}
    return {
        name: Editorial(
            own := stands.get(name, standing({})),
            own.original in live,
            frozenset(original_of[name]),
        )
        for name in stands.keys() | original_of.keys()
    }


def _neighbours(carriers: Iterable[Key], rules: Rules) -> Mapping[Key, list[Key]]:
    """Give, for each key, the carried keys within k bits of it in its scope."""
    scopes: dict[str, list[Key]] = defaultdict(list)
    found = {}
    for key in carriers:
        found[key] = [key]
        if key.tier is Tier.SIMHASH:
            scopes[key.scope].append(key)
    for members in scopes.values():
        values = np.array([key.value for key in members], dtype=np.uint64)
        for key in members:
            near = np.flatnonzero(np.bitwise_count(values ^ np.uint64(key.value)) <= rules.k)
            found[key] = [members[i] for i in near]
    return found


def _candidates(
    first: Position,
    content: Content,
    histories: Mapping[str, _History],
    carriers: Mapping[Key, list[tuple[Position, str]]],
    neighbours: Mapping[Key, list[Key]],
    rules: Rules,
) -> list[Candidate]:
    """Give the live articles that still carry a key under which they are visible."""
    begin = timestamp_ms(first) - rules.window_ms
    candidates = {}
    for key in {other for own in content.keys(rules) for other in neighbours[own]}:
        seen = [(p, n) for p, n in carriers[key] if p < first and timestamp_ms(p) >= begin]
        for position, name in seen[: rules.visible]:
            current = histories[name].current
            if current is not None and key in current.keys(rules):
                candidates[name] = Candidate(name, position, current)
    return list(candidates.values())
