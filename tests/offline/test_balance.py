from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.offline.balance import CANDIDATE, TITLE, Category, Cutting, Split, balance

SIZES = st.integers(0, 2_000)
CATEGORIES = st.lists(
    st.builds(Category, st.text(max_size=2), SIZES, SIZES, st.floats(0, 1e6)),
    max_size=20,
    unique_by=lambda each: each.name,
)
SHARES = st.lists(st.floats(0.05, 2), min_size=1, max_size=3).map(tuple)
CUTTINGS = st.builds(Cutting, SHARES, st.floats(0, 1e5), st.integers(1, 3_000))


def loads(categories: Sequence[Category], splits: Mapping[str, Split], tasks: int) -> list[float]:
    """What every task has to do, counting right titles that pieces share once."""
    found = [0.0] * tasks
    for each in categories:
        if not (split := splits.get(each.name)):
            continue
        left, right = each.left / split.left_pieces, each.right / split.right_pieces
        for row in split.tasks:
            for task in row:
                found[task] += each.candidates / split.pieces * CANDIDATE + left * TITLE
        for piece in range(split.right_pieces):
            for task in split.tasks_of_right(piece):
                found[task] += right * TITLE
    return found


@given(CATEGORIES, st.integers(1, 9), CUTTINGS)
def test_every_category_with_two_sides_has_a_place(
    categories: list[Category], tasks: int, cutting: Cutting
) -> None:
    splits = balance(categories, tasks, cutting)
    assert set(splits) == {each.name for each in categories if each.left and each.right}
    for each in categories:
        if each.name in splits:
            split = splits[each.name]
            assert {task for row in split.tasks for task in row} <= set(range(tasks))
            assert {len(row) for row in split.tasks} == {split.right_pieces}
            assert 1 <= split.left_pieces <= each.left
            assert each.right / split.right_pieces <= max(1, cutting.most_right)


@given(CATEGORIES, st.integers(1, 9), st.randoms())
def test_the_order_of_categories_does_not_matter(
    categories: list[Category], tasks: int, draw: object
) -> None:
    shuffled = list(categories)
    draw.shuffle(shuffled)  # type: ignore[attr-defined]
    assert balance(categories, tasks) == balance(shuffled, tasks)


@pytest.mark.parametrize(("tasks", "titles"), [(4, 200_000), (8, 200_000), (100, 4_000_000)])
@pytest.mark.parametrize("share", [0.4, 0.9])
def test_a_category_that_holds_most_of_the_work_is_spread_evenly(
    tasks: int, titles: int, share: float
) -> None:
    of_one = int(share * titles)
    others = [(titles - of_one) // 49] * 49
    categories = [
        Category(f"c{number}", size, size, size * size * 0.002)
        for number, size in enumerate([of_one, *others])
    ]
    splits = balance(categories, tasks)
    work = loads(categories, splits, tasks)
    assert splits["c0"].pieces > 1
    assert max(work) <= 1.15 * sum(work) / tasks


def test_the_share_is_taken_that_is_evenest() -> None:
    categories = [Category(f"c{n}", size, size, size * 50) for n, size in enumerate([9_000] * 5)]
    shares = (1.0, 0.5, 0.25)
    busiest = {
        each: max(loads(categories, balance(categories, 4, Cutting(each, 0.0)), 4))
        for each in (shares, *((share,) for share in shares))
    }
    assert busiest[shares] == min(busiest.values())
    assert busiest[shares] < busiest[1.0,]


def test_work_is_what_is_cut_not_titles() -> None:
    dense = Category("dense", 10_000, 10_000, 5e7)
    sparse = Category("sparse", 100_000, 100_000, 1e3)
    splits = balance([dense, sparse], 8)
    assert splits["dense"].pieces > splits["sparse"].pieces


def test_what_is_little_work_is_not_cut() -> None:
    assert balance([Category("a", 100, 100, 1e4)], 8)["a"].pieces == 1


def test_the_larger_side_is_cut_the_more() -> None:
    split = balance([Category("a", 100, 1_000_000, 1e6)], 16)["a"]
    assert split.right_pieces > split.left_pieces
    split = balance([Category("a", 1_000_000, 100, 1e6)], 16)["a"]
    assert split.right_pieces < split.left_pieces


def test_right_titles_that_pieces_share_count_once() -> None:
    categories = [
        Category("a", 100_000, 20_000, 1e6),
        *(Category(f"b{n}", 3_000, 3_000, 1e5) for n in range(9)),
    ]
    splits = balance(categories, 4, Cutting(shares=(0.25,), least=0.0))
    work = loads(categories, splits, 4)
    assert splits["a"].pieces > 4
    assert max(work) <= 1.1 * sum(work) / 4
