"""Dedup rates over time, by channel or by source, and what another threshold would make of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from streaming.dashboard.periods import Range
from streaming.engine import statistics, summaries
from streaming.engine.statistics import SCORES
from streaming.engine.summaries import Group, Sums
from streaming.matching.verdict import REPEATS
from streaming.matching.verification import Check
from streaming.store.contract import Store

MOST_GROUPS = 30
EDITOR = "editor"
"""What stands for the tier where only an editor relates two articles."""


def rates(store: Store, chosen: Range, end_ms: int, by: Group) -> dict[str, Any]:
    """Give counts per step of a range that ends with a moment, as values for JSON.

    ``by`` is ``channel`` or ``source``; of the groups those with most articles are told.
    """
    begin, end = chosen.ending(end_ms)
    steps = _steps(store, chosen, begin, end)
    times = list(range(begin, end, chosen.step_ms))
    every = [steps[time] for time in times]
    whole = Sums()
    for step in every:
        whole.add(step)
    groups, more = _groups(every, whole, by)
    return {
        "from_ms": begin,
        "to_ms": end,
        "step_ms": chosen.step_ms,
        "times": times,
        "articles": [step.outcomes.total() for step in every],
        "repeats": [step.repeats for step in every],
        "tiers": _tiers(every),
        "relations": _relations(whole),
        "by": by,
        "groups": groups,
        "more_groups": more,
        "distances": sorted(whole.distances.items()),
        "scores": _scores(whole),
    }


def _steps(store: Store, chosen: Range, begin: int, end: int) -> dict[int, Sums]:
    steps: dict[int, Sums] = defaultdict(Sums)
    if chosen.grain is None:
        for count in statistics.read(store, begin, end):
            start = count.minute_ms - count.minute_ms % chosen.step_ms
            steps[start].count(count.outcome, count.articles)
    else:
        for start, sums in summaries.read(store, chosen.grain, begin, end):
            steps[start - start % chosen.step_ms].add(sums)
    return steps


def _groups(every: Iterable[Sums], whole: Sums, by: Group) -> tuple[list[dict[str, Any]], int]:
    articles, repeats = whole.by(by)
    names = [name for name, _ in sorted(articles.items(), key=lambda each: (-each[1], each[0]))]
    shown = names[:MOST_GROUPS]
    series: dict[str, tuple[list[int], list[int]]] = {name: ([], []) for name in shown}
    for step in every:
        for at, counts in enumerate(step.by(by)):
            for name in shown:
                series[name][at].append(counts[name])
    groups = [
        {
            "name": name,
            "articles": articles[name],
            "repeats": repeats[name],
            "steps": series[name],
        }
        for name in shown
    ]
    return groups, len(names) - len(shown)


def _tiers(every: Iterable[Sums]) -> dict[str, list[int]]:
    counts = []
    for step in every:
        found: Counter[str] = Counter()
        for (_, _, relation, tier), n in step.outcomes.items():
            if relation in REPEATS:
                found[tier or EDITOR] += n
        counts.append(found)
    names = sorted(set().union(*counts)) if counts else []
    return {name: [found[name] for found in counts] for name in names}


def _relations(whole: Sums) -> dict[str, int]:
    found: Counter[str] = Counter()
    for (_, _, relation, _), n in whole.outcomes.items():
        found[relation or "none"] += n
    return dict(found)


def _scores(whole: Sums) -> dict[str, Any]:
    """Give what a threshold decides: flagged and refused articles by score in hundredths.

    ``fixed`` counts the flagged that have no score: an editor's word does not depend on one.
    """
    flagged, refused = [0] * (SCORES + 1), [0] * (SCORES + 1)
    for (relation, check, score), n in whole.scores.items():
        if relation in REPEATS:
            flagged[min(score, SCORES)] += n
        elif check == Check.OVERLAP:
            refused[min(score, SCORES)] += n
    return {
        "flagged": flagged,
        "refused": refused,
        "fixed": whole.repeats - sum(flagged),
    }
