"""Which task matches what: skewed categories are split, the rest is packed by cost.

The work of a category is estimated from its sizes, which are counted, and from how many
pairs an index would propose, which is sampled: ten thousand titles of few words can cost
more than a million of many. A category that would take more than a share of what a task
should do is cut into a grid: its left and right titles into pieces by a hash of their ids,
every left piece against every right piece. Sides are cut so that the fewest titles have to be
sent twice (as 1-Bucket-Theta does, Okcan and Riedewald 2011). Pieces go, the most expensive
first, to the task that has the least to do; those with the same right piece share it there.
"""

import heapq
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

CANDIDATE = 1.0
"""Cost of a pair that the index proposes; other costs are in this unit."""
TITLE = 30.0
"""Cost of handing a title to a task, numbering its words and looking them up."""


@dataclass(frozen=True, slots=True)
class Cutting:
    """When categories are cut, and into what.

    A piece costs at most one of ``shares`` of what a task should do, unless that is less
    than ``least``: smaller pieces are evener, but send more titles twice, so the share is
    taken that leaves the busiest task the least to do. A piece has at most ``most_right``
    right titles, which take some 300 bytes each.
    """

    shares: tuple[float, ...] = (1.0, 0.7, 0.5, 0.35, 0.25)
    least: float = 300_000.0
    most_right: int = 500_000


@dataclass(frozen=True, slots=True)
class Category:
    """What is known of a category: its titles, and an estimate of its candidates."""

    name: str
    left: int
    right: int
    candidates: float

    @property
    def cost(self) -> float:
        """What it costs to match it in one piece."""
        return self.candidates * CANDIDATE + (self.left + self.right) * TITLE


@dataclass(frozen=True, slots=True)
class Split:
    """Where a category is matched: the task of each piece, by left piece and right piece."""

    tasks: tuple[tuple[int, ...], ...]

    @property
    def left_pieces(self) -> int:
        """Into how many pieces the left titles are cut."""
        return len(self.tasks)

    @property
    def right_pieces(self) -> int:
        """Into how many pieces the right titles are cut."""
        return len(self.tasks[0])

    @property
    def pieces(self) -> int:
        """How many pairs of pieces there are."""
        return self.left_pieces * self.right_pieces

    def tasks_of_right(self, piece: int) -> list[int]:
        """Give the tasks that need a piece of the right titles, each once."""
        return sorted({row[piece] for row in self.tasks})


def balance(
    categories: Sequence[Category], tasks: int, cutting: Cutting = Cutting()
) -> Mapping[str, Split]:
    """Give every category that has titles on both sides its place in ``tasks`` tasks.

    The same categories in any order get the same places.
    """
    worth = [each for each in categories if each.left and each.right]
    mean = sum(each.cost for each in worth) / tasks
    limits = {max(cutting.least, share * mean): None for share in cutting.shares}
    plans = [_pack(worth, tasks, limit, cutting.most_right) for limit in limits]
    return min(plans, key=lambda plan: plan[0])[1]


def _pack(
    categories: Sequence[Category], tasks: int, limit: float, most_right: int
) -> tuple[float, Mapping[str, Split]]:
    """Cut and place categories; give what the busiest task has to do, and the places."""
    loads = [0.0] * tasks
    splits: dict[str, Split] = {}
    whole = []
    for each in sorted(categories, key=lambda each: (-each.cost, each.name)):
        left_pieces, right_pieces = _cut(each, limit, most_right)
        if left_pieces * right_pieces == 1:
            whole.append(each)
        else:
            splits[each.name] = _place(each, left_pieces, right_pieces, loads)
    heap = [(load, task) for task, load in enumerate(loads)]
    heapq.heapify(heap)
    for each in whole:
        load, task = heap[0]
        splits[each.name] = Split(((task,),))
        heapq.heapreplace(heap, (load + each.cost, task))
    return max(load for load, _ in heap), splits


def _cut(category: Category, limit: float, most_right: int) -> tuple[int, int]:
    """Give the number of left and right pieces."""
    least_right = math.ceil(category.right / most_right)
    pieces = max(math.ceil(category.cost / limit), least_right)
    right = int(math.sqrt(pieces * category.right / category.left))
    right = min(max(right, least_right, 1), pieces, category.right)
    return min(math.ceil(pieces / right), category.left), right


def _place(category: Category, left_pieces: int, right_pieces: int, loads: list[float]) -> Split:
    """Place the pieces of a category, and add what they cost to the loads of their tasks."""
    pieces = left_pieces * right_pieces
    own = category.candidates * CANDIDATE / pieces + category.left * TITLE / left_pieces
    shared = category.right * TITLE / right_pieces
    tasks = [[0] * right_pieces for _ in range(left_pieces)]
    for right in range(right_pieces):
        holding: set[int] = set()
        for left in range(left_pieces):
            after = [
                (load + own + (0 if task in holding else shared), task)
                for task, load in enumerate(loads)
            ]
            load, task = min(after)
            loads[task] = load
            holding.add(task)
            tasks[left][right] = task
    return Split(tuple(map(tuple, tasks)))
