"""Thresholds learned from labelled pairs: one after the other, until none can be bettered.

What is sought is the largest F1. A threshold can only matter where it passes a value that a
pair reaches, so those are tried, in the middle between two of them; of those that do equally
well, the middle of the widest stretch is taken, the one with the most room on both sides.
The search begins at several places, none of which is what is in force: it may have been
found on the very pairs that a cross-validation leaves out.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from streaming.matching.verification import DEFAULT_THRESHOLDS, Thresholds
from streaming.offline.folds import folds
from streaming.offline.measures import Measured, learnable, reached, score
from streaming.offline.scoring import Tally, tally

STARTS = 2
_SAMPLES = 15
_FEWEST_MOVED = 3
"""Of either kind have to be answered otherwise somewhere, for a threshold to be learned."""
_COARSE = 24
_SWEEPS = 6
_DIGITS = 4

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """What thresholds that were learned on the other folds say of every pair.

    ``flagged`` are the answers, in the order of the pairs. ``learned`` are the thresholds of
    each fold: how far they lie apart says how much the pairs tell.
    """

    flagged: tuple[bool, ...]
    learned: tuple[Thresholds, ...]

    def tally(self, pairs: Sequence[Measured]) -> Tally:
        """Count the answers over all folds."""
        return tally(
            (pair.label.duplicate, flagged)
            for pair, flagged in zip(pairs, self.flagged, strict=True)
        )


def cross_validate(
    pairs: Sequence[Measured], count: int, seed: int, told: Told = lambda _text: None
) -> CrossValidation:
    """Judge every pair under thresholds that were learned without its articles."""
    flagged = [False] * len(pairs)
    learned = []
    for number, left_out in enumerate(folds(pairs, count, seed), 1):
        kept = set(range(len(pairs))) - set(left_out)
        told(f"fold {number} of {count}")
        thresholds = learn([pairs[place] for place in sorted(kept)], seed)
        learned.append(thresholds)
        for place in left_out:
            flagged[place] = pairs[place].flagged(thresholds)
    return CrossValidation(tuple(flagged), tuple(learned))


def learn(pairs: Sequence[Measured], seed: int) -> Thresholds:
    """Give thresholds that do well on these pairs; equal arguments, equal thresholds.

    Each is the median of what as many searches find, each of them on as many pairs drawn with
    replacement (Breiman, "Bagging predictors", 1996): the best on one choice of some hundred
    pairs is a matter of chance. A threshold of which the pairs say little is the default one.
    """
    rng = random.Random(seed)  # noqa: S311 - a search, not a secret
    found = [search(rng.choices(pairs, k=len(pairs)), rng) for _ in range(_SAMPLES)]
    return DEFAULT_THRESHOLDS.having(
        {name: _median([each.listed()[name] for each in found]) for name in learnable()}
    )


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def search(pairs: Sequence[Measured], rng: random.Random) -> Thresholds:
    """Give the thresholds with the best F1 on these pairs.

    The best of all is not promised: the search turns one screw at a time.
    """
    tried = {name: _values(pairs, name) for name in learnable()}
    best, best_merit = DEFAULT_THRESHOLDS, (-1.0, 0.0)
    for start in range(STARTS):
        begin = {
            name: values[len(values) // 2] if start == 0 else rng.choice(values)
            for name, values in tried.items()
        }
        found, merit = _climb(pairs, DEFAULT_THRESHOLDS.having(begin), tried)
        if merit > best_merit:
            best, best_merit = found, merit
    return best


def _climb(
    pairs: Sequence[Measured], thresholds: Thresholds, tried: dict[str, list[float]]
) -> tuple[Thresholds, tuple[float, float]]:
    """Better one threshold at a time; gives the last ones, their F1 and the room they have."""
    f1, room = 0.0, 0.0
    for _ in range(_SWEEPS):
        before, room = thresholds, 0.0
        for name, values in tried.items():
            thresholds, f1, share = _better(pairs, thresholds, name, values)
            room += share
        if thresholds == before:
            break
    return thresholds, (f1, room)


def _better(
    pairs: Sequence[Measured], thresholds: Thresholds, name: str, values: list[float]
) -> tuple[Thresholds, float, float]:
    """Give a threshold its best value, coarsely and then finely, its F1, and its room.

    A pair that is answered alike at both ends and in the middle is taken to be so between:
    most are, and need not be judged for each value.
    """
    default = DEFAULT_THRESHOLDS.listed()[name]
    probes = {values[0], values[len(values) // 2], values[-1], default}
    probed = [thresholds.having({name: value}) for value in probes]
    moving: list[Measured] = []
    settled: list[tuple[bool, bool]] = []
    for pair in pairs:
        answers = {pair.flagged(each) for each in probed}
        if len(answers) > 1:
            moving.append(pair)
        else:
            settled.append((pair.label.duplicate, answers.pop()))
    fixed = tally(settled)
    duplicates = sum(pair.label.duplicate for pair in moving)
    silent = min(duplicates, len(moving) - duplicates) < _FEWEST_MOVED

    def f1_of(value: float) -> float:
        return round((fixed + score(moving, thresholds.having({name: value}))).f1 or 0.0, 9)

    step = max(1, len(values) // _COARSE)
    known = {place: f1_of(values[place]) for place in range(0, len(values), step)}
    if silent or len(set(known.values())) == 1:
        return thresholds.having({name: default}), f1_of(default), 1.0
    begin, end = _widest(known, values)
    for place in range(max(0, begin - step), min(len(values), end + step + 1)):
        if place not in known:
            known[place] = f1_of(values[place])
    begin, end = _widest(known, values)
    middle = (values[begin] + values[end]) / 2
    chosen = min(
        (place for place in known if begin <= place <= end),
        key=lambda place: abs(values[place] - middle),
    )
    spread = values[-1] - values[0]
    share = (values[end] - values[begin]) / spread if spread else 1.0
    return thresholds.having({name: values[chosen]}), known[chosen], share


def _widest(known: dict[int, float], values: list[float]) -> tuple[int, int]:
    """Give the ends of the widest stretch of places that are all as good as the best."""
    best = max(known.values())
    stretches: list[tuple[int, int]] = []
    open_since: int | None = None
    last = 0
    for place in sorted(known):
        if known[place] == best:
            open_since = place if open_since is None else open_since
        elif open_since is not None:
            stretches.append((open_since, last))
            open_since = None
        last = place
    if open_since is not None:
        stretches.append((open_since, last))
    return max(stretches, key=lambda each: values[each[1]] - values[each[0]])


def _values(pairs: Sequence[Measured], name: str) -> list[float]:
    """Give the values worth trying for a threshold, in order."""
    known = reached(pairs, name)
    middles = [(low + high) / 2 for low, high in pairwise(known)] or known or [0.0]
    return sorted({round(each, _DIGITS) for each in middles})
