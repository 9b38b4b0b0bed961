"""Evidence and what two texts have in common, worked out with sets and without arrays."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from streaming.matching.evidence import HEAD, MOST_FORMS, MOST_GRAMS, MOST_NAMES

Pairs = Sequence[tuple[int, int]]


@dataclass
class Kept:
    """A cell of evidence, decoded."""

    length: int = 0
    level: int = 0
    grams: Sequence[int] = ()
    figures: Pairs = ()
    phrases: Pairs = ()
    names: Sequence[int] = ()
    subjects: Sequence[int] = ()
    units: Sequence[int] = ()
    words: Pairs = ()


def decoded(cell: bytes) -> Kept:
    if not cell:
        return Kept()
    length, level, *counts = HEAD.unpack_from(cell)
    values = (int.from_bytes(cell[at : at + 4], "little") for at in range(HEAD.size, len(cell), 4))
    lists: list[list[int] | list[tuple[int, int]]] = []
    for count, width in zip(counts, (1, 2, 2, 1, 1, 1, 2), strict=True):
        own = list(islice(values, count * width))
        lists.append(own if width == 1 else list(zip(own[::2], own[1::2], strict=True)))
    assert not list(values)
    return Kept(length, level, *lists)  # type: ignore[arg-type]


def kept(
    length: int,
    grams: Sequence[int],
    figures: Pairs,
    phrases: Pairs,
    names: Sequence[int],
    subjects: Sequence[int],
    units: Sequence[int],
    words: Pairs,
) -> Kept:
    """What is kept of 64-bit hashes; ``words`` are hashes with their weights."""
    level = 0
    chosen = {gram >> 32 for gram in grams}
    while len(chosen) > MOST_GRAMS:
        level += 1
        chosen = {gram for gram in chosen if gram % 2**level == 0}
    return Kept(
        length,
        level,
        sorted(chosen),
        forms(figures)[:MOST_FORMS],
        forms(phrases)[:MOST_FORMS],
        sorted({name >> 32 for name in names})[:MOST_NAMES],
        sorted({name >> 32 for name in subjects})[:MOST_NAMES],
        sorted({unit >> 32 for unit in units}),
        sorted({word >> 32: weight**2 for word, weight in reversed(words)}.items()),
    )


def forms(pairs: Pairs) -> list[tuple[int, int]]:
    smallest: dict[int, int] = {}
    for value, form in sorted((value >> 32, form >> 32) for value, form in pairs):
        smallest.setdefault(value, form)
    return sorted(smallest.items())


def measures(one_cell: bytes, other_cell: bytes) -> dict[str, float]:
    """Every measure of `Pair` but the days between the two."""
    one, other = decoded(one_cell), decoded(other_cell)
    level = max(one.level, other.level)

    def sample(values: Sequence[int]) -> set[int]:
        return {value for value in values if value % 2**level == 0}

    def figures_of(text: Kept) -> list[tuple[int, int]]:
        return [pair for pair in text.figures if pair[0] % 2**level == 0]

    first_is_shorter = (len(sample(one.grams)), one.length) <= (
        len(sample(other.grams)),
        other.length,
    )
    shorter, longer = (one, other) if first_is_shorter else (other, one)
    mine, theirs = sample(shorter.grams), sample(longer.grams)
    size = max(1, len(mine))
    overlap = len(mine & theirs) / size
    refigured = counterparts(figures_of(shorter), figures_of(longer))
    rephrased = counterparts(shorter.phrases, longer.phrases)
    more = theirs - mine
    missing = [unmentioned(shorter, longer), unmentioned(longer, shorter)]
    return {
        "first_is_shorter": first_is_shorter,
        "shorter": shorter.length,
        "longer": longer.length,
        "size_ratio": len(mine) / max(1, len(theirs)),
        "overlap": overlap,
        "figured": len(figures_of(shorter)) / size,
        "refigured": refigured / size,
        "figures": refigured / max(1, len(figures_of(shorter))),
        "numbered": overlap == 1 and bool(more) and more <= {gram for gram, _ in longer.figures},
        "phrases": rephrased,
        "phrase_share": rephrased / max(1, len(shorter.phrases)),
        "strange": min(missing),
        "half_strange": max(missing),
        "likeness": likeness(shorter, longer),
    }


def counterparts(mine: Pairs, theirs: Pairs) -> int:
    common = {value for value, _ in mine} & {value for value, _ in theirs}
    ours, others = (
        Counter(form for value, form in pairs if value not in common) for pairs in (mine, theirs)
    )
    return (ours & others).total()


def unmentioned(text: Kept, other: Kept) -> float:
    subjects = set(text.subjects)
    if len(other.names) == MOST_NAMES:
        subjects = {subject for subject in subjects if subject <= other.names[-1]}
    return 1 - len(subjects & set(other.names)) / len(subjects) if subjects else 0.0


def likeness(one: Kept, other: Kept) -> float:
    if not one.units or not other.units:
        return 0.0
    theirs = {word for word, _ in other.words}
    common = sum(weight for word, weight in one.words if word in theirs)
    heavier = max(sum(w for _, w in one.words), sum(w for _, w in other.words), 1)
    both = len(set(one.units) & set(other.units))
    return (common / heavier + 2 * both / (len(one.units) + len(other.units))) / 2
