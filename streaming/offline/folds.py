"""Cross-validation: pairs cut into folds so that no article is in two of them."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from streaming.offline.measures import Measured


@dataclass(slots=True)
class _Fold:
    """The places of a fold's pairs, and how many of them are duplicates."""

    places: list[int]
    duplicates: int = 0


def folds(pairs: Sequence[Measured], count: int, seed: int) -> list[list[int]]:
    """Cut pairs into folds of about one size and about one share of duplicates.

    Gives the places of the pairs of each fold. Pairs that an article ties together, over
    others even, stay together, so folds may differ and be empty; the same ``seed`` gives
    the same ones.
    """
    groups = _groups(pairs)
    random.Random(seed).shuffle(groups)  # noqa: S311 - a cut, not a secret
    # Large groups first: what comes last can still even out what they did.
    groups.sort(key=len, reverse=True)
    found = [_Fold([]) for _ in range(count)]
    for group in groups:
        duplicates = sum(pairs[place].label.duplicate for place in group)
        others = len(group) - duplicates

        def filled(fold: _Fold, duplicates: int = duplicates, others: int = others) -> int:
            """Count the pairs of the group's own kind that a fold has."""
            return fold.duplicates if duplicates >= others else len(fold.places) - fold.duplicates

        fold = min(found, key=lambda each: (filled(each), len(each.places)))
        fold.places += group
        fold.duplicates += duplicates
    return [sorted(fold.places) for fold in found]


def _groups(pairs: Sequence[Measured]) -> list[list[int]]:
    """Group the places of pairs that articles tie together."""
    parent: dict[str, str] = {}

    def end(name: str) -> str:
        while (above := parent.setdefault(name, name)) != name:
            parent[name] = parent[above]
            name = above
        return name

    for each in pairs:
        parent[end(each.label.one)] = end(each.label.other)
    groups: dict[str, list[int]] = defaultdict(list)
    for place, each in enumerate(pairs):
        groups[end(each.label.one)].append(place)
    return list(groups.values())
