"""The loops that lay the evidence of two texts side by side, on its bytes as they are stored.

What they count is put into words by `evidence.Pair`; a test counts the same with sets.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import types

from streaming.compiled import array, compiled
from streaming.matching.evidence import HEAD, MOST_FORMS, MOST_NAMES

# What was compiled is kept until this file changes; so whoever changes one of these has to
# change it here as well.
if (HEAD.size, HEAD.format, MOST_FORMS, MOST_NAMES) != (20, "<IBx7H", 512, 512):
    raise RuntimeError("compiled loops are for another encoding: put the new one here, too")

_FIRST = 5
"""Where the lists begin, in numbers of 32 bits."""
_LENGTH, _LEVEL, _COUNTS = 0, 1, 3
"""Where the head has its parts, the length in numbers of 32 bits and the others of 16."""
_GRAMS, _FIGURES, _PHRASES, _NAMES, _SUBJECTS, _UNITS, _WORDS = range(7)
_WIDTHS = (1, 2, 2, 1, 1, 1, 2)
"""Numbers that an element of each list has."""


class Overlap(NamedTuple):
    """What most pairs fail by, in the order in which `overlaps` gives it.

    ``grams`` and ``figures`` are how many of both the shorter text has, as many as were sampled;
    ``common`` how many of its bigrams the longer one has.
    """

    first_is_shorter: int
    length: int
    longer_length: int
    grams: int
    longer_grams: int
    common: int
    figures: int


class Details(NamedTuple):
    """What is counted only of pairs that do not, in the order in which `details` gives it.

    ``refigured`` and ``rephrased`` are how many bigrams and phrases of the shorter text the longer
    one has with other figures only. Of the ``subjects`` of each so many are ``mentioned`` by the
    other. ``heavier`` is the weight of the weightier text.
    """

    refigured: int
    phrases: int
    rephrased: int
    numbered: int
    subjects: int
    mentioned: int
    longer_subjects: int
    longer_mentioned: int
    units: int
    longer_units: int
    common_units: int
    common_weight: int
    heavier: int


_ROUNDED = 1e-6
"""So much two shares may differ that are equal where verdicts tell them."""
_ALL = np.uint32(0)
"""A mask that leaves no value out."""

_I8 = types.int64
_BYTES = types.Bytes(types.uint8, 1, "C", readonly=True)
_CELL = types.Array(types.uint32, 1, "C", readonly=True)
_FORMS = array(np.uint32, written=True)
_TOLD: Any = types.UniTuple(_I8, len(Details._fields))  # type: ignore[no-untyped-call]
_PLACE: Any = types.Tuple((_I8, _I8))  # type: ignore[no-untyped-call]
_SIDES: Any = types.Tuple((types.uint32, _I8, _I8, types.boolean))  # type: ignore[no-untyped-call]
_OVERLAP = len(Overlap._fields)


@compiled(_PLACE, _CELL, _I8)
def _place(cell: Any, which: int) -> Any:
    """Give where a list begins in a cell, and how many elements it has."""
    if not len(cell):
        return 0, 0
    at, count = np.int64(_FIRST), np.int64(0)
    for each in range(which + 1):
        at += count * (_WIDTHS[each - 1] if each else 0)
        half = _COUNTS + each
        count = np.int64(cell[half >> 1] >> np.uint32(16 * (half & 1)) & np.uint32(0xFFFF))
    return at, count


@compiled(_I8, _CELL, _I8, _I8, _I8, types.uint32)
def _sampled(cell: Any, at: int, count: int, width: int, mask: Any) -> Any:
    """Count the elements of a list whose bits under a mask are zero."""
    if not mask:
        return count
    found = np.int64(0)
    for place in range(count):
        found += not cell[at + width * place] & mask
    return found


@compiled(_PLACE, _CELL, _I8, _I8, _I8, _CELL, _I8, _I8, _I8)
def _common(
    one: Any,
    at: int,
    count: int,
    width: int,
    other: Any,
    other_at: int,
    other_count: int,
    other_width: int,
) -> Any:
    """Count those values of one sorted list that another one has, and add up what is with them."""
    found, weight = np.int64(0), np.int64(0)
    here, there = np.int64(0), np.int64(0)
    while here < count and there < other_count:
        mine, theirs = one[at + width * here], other[other_at + other_width * there]
        if mine == theirs:
            found += 1
            if width > 1:
                weight += one[at + width * here + 1]
        here += mine <= theirs
        there += theirs < mine
    return found, weight


@compiled(_I8, _CELL, _I8, _I8, _CELL, _I8, _I8, types.uint32, _FORMS)
def _alone(
    one: Any,
    at: int,
    count: int,
    other: Any,
    other_at: int,
    other_count: int,
    mask: int,
    forms: Any,
) -> Any:
    """Write the forms of those pairs of a list whose values the other one lacks, in order."""
    found, there = np.int64(0), np.int64(0)
    for here in range(count):
        mine = one[at + 2 * here]
        if mine & mask:
            continue
        while there < other_count and other[other_at + 2 * there] < mine:
            there += 1
        if there == other_count or other[other_at + 2 * there] != mine:
            forms[found] = one[at + 2 * here + 1]
            found += 1
    forms[:found].sort()
    return found


@compiled(_I8, _CELL, _CELL, _I8, types.uint32)
def _refigured(one: Any, other: Any, which: int, mask: int) -> Any:
    """Count the pairs of a list that the other one has with other figures only.

    What both have is left out, and each is the counterpart of one other at most: a text with
    many figures in the same words differs from its copy in none of them.
    """
    at, count = _place(one, which)
    other_at, other_count = _place(other, which)
    if not count or not other_count:
        return 0
    mine, theirs = np.empty(MOST_FORMS, np.uint32), np.empty(MOST_FORMS, np.uint32)
    left = _alone(one, at, count, other, other_at, other_count, mask, mine)
    right = _alone(other, other_at, other_count, one, at, count, mask, theirs)
    found, here, there = np.int64(0), np.int64(0), np.int64(0)
    while here < left and there < right:
        form, their_form = mine[here], theirs[there]
        found += form == their_form
        here += form <= their_form
        there += their_form <= form
    return found


@compiled(_PLACE, _CELL, _CELL)
def _mentioned(one: Any, other: Any) -> Any:
    """Count the subjects of a text, and those of them that another mentions.

    If the list of the other's names was cut, what comes after its end may have been on it.
    """
    at, count = _place(one, _SUBJECTS)
    names, known = _place(other, _NAMES)
    if known == MOST_NAMES:
        last = other[names + known - 1]
        while count and one[at + count - 1] > last:
            count -= 1
    mentioned, _ = _common(one, at, count, 1, other, names, known, 1)
    return count, mentioned


@compiled(_I8, _CELL, _CELL, types.uint32)
def _numbered(one: Any, other: Any, mask: int) -> Any:
    """Say whether another text is one with figures to it, given that it has all its bigrams."""
    at, count = _place(one, _GRAMS)
    other_at, other_count = _place(other, _GRAMS)
    figures, held = _place(other, _FIGURES)
    here, there, more = np.int64(0), np.int64(0), np.int64(0)
    for place in range(other_count):
        value = other[other_at + place]
        if value & mask:
            continue
        while here < count and one[at + here] < value:
            here += 1
        if here < count and one[at + here] == value:
            continue
        more += 1
        while there < held and other[figures + 2 * there] < value:
            there += 1
        if there == held or other[figures + 2 * there] != value:
            return 0
    return np.int64(more > 0)


@compiled(_I8, _CELL)
def _weight(cell: Any) -> Any:
    at, count = _place(cell, _WORDS)
    total = np.int64(0)
    for place in range(count):
        total += cell[at + 2 * place + 1]
    return total


@compiled(_I8, _CELL)
def _length(cell: Any) -> Any:
    return np.int64(cell[_LENGTH]) if len(cell) else np.int64(0)


@compiled(types.uint32, _CELL, _CELL)
def _mask(one: Any, other: Any) -> Any:
    """Give the bits that are zero in what was sampled of both."""
    level = max(
        one[_LEVEL] & np.uint32(0xFF) if len(one) else np.uint32(0),
        other[_LEVEL] & np.uint32(0xFF) if len(other) else np.uint32(0),
    )
    return np.uint32((np.int64(1) << np.int64(level)) - 1)


@compiled(_SIDES, _CELL, _CELL)
def _sides(first: Any, second: Any) -> Any:
    """Give the mask of what both sampled, how many bigrams each has, and which is shorter."""
    mask = _mask(first, second)
    mine, many = _place(first, _GRAMS)
    theirs, more = _place(second, _GRAMS)
    many_kept = _sampled(first, mine, many, 1, mask)
    more_kept = _sampled(second, theirs, more, 1, mask)
    # By what they say, not by how often: the pages of a gallery repeat the report's lead.
    is_shorter = many_kept < more_kept or (
        many_kept == more_kept and _length(first) <= _length(second)
    )
    return mask, many_kept, more_kept, is_shorter


@compiled(array(np.int64, 2, written=True), _BYTES, _BYTES, array(np.int64))
def overlaps(one_cell: Any, other_cells: Any, ends: Any) -> Any:
    """Measure one cell of evidence beside each of others, as far as `Overlap` goes.

    The others follow each other, each up to the place of its end in bytes. Gives their overlaps
    in order, of shape ``(n, 7)``.
    """
    first, together = np.frombuffer(one_cell, np.uint32), np.frombuffer(other_cells, np.uint32)
    found = np.empty((len(ends), _OVERLAP), np.int64)
    mine, many = _place(first, _GRAMS)
    # Most bigrams are not in another text: a bit for the upper half of those that are in this
    # one tells, without going through it again.
    seen = np.zeros(1 << 10, np.uint64)
    for place in range(mine, mine + many):
        upper = np.int64(first[place]) >> 16
        seen[upper >> 6] |= np.uint64(1) << np.uint64(upper & 63)
    begin = np.int64(0)
    for row in range(len(ends)):
        end = np.int64(ends[row]) >> 2
        second = together[begin:end]
        begin = end
        mask, many_kept, more_kept, is_shorter = _sides(first, second)
        theirs, more = _place(second, _GRAMS)
        common, here, stop = np.int64(0), mine, mine + many
        for place in range(theirs, theirs + more):
            value = second[place]
            upper = np.int64(value) >> 16
            if seen[upper >> 6] >> np.uint64(upper & 63) & np.uint64(1) and not value & mask:
                while here < stop and first[here] < value:
                    here += 1
                common += here < stop and first[here] == value
        shorter = first if is_shorter else second
        figures_at, figures = _place(shorter, _FIGURES)
        length, other_length = _length(first), _length(second)
        told = found[row]
        told[0] = np.int64(is_shorter)
        told[1] = length if is_shorter else other_length
        told[2] = other_length if is_shorter else length
        told[3] = min(many_kept, more_kept)
        told[4] = max(many_kept, more_kept)
        told[5] = common
        told[6] = _sampled(shorter, figures_at, figures, 2, mask)
    return found


@compiled(array(np.int64, written=True), array(np.int64, 2), _I8, types.float64)
def promising(measured: Any, brief: int, least: float) -> Any:
    """Give the rows of those `overlaps` that may be enough, and of the largest of the others.

    Nothing comes of two texts of ``brief`` ideographs or more of which the longer one has too few
    of the shorter one's bigrams: with those that hold figures less than the share ``least``.
    The largest share among these is told as the reason; rounding makes some that differ equal.
    """
    count = len(measured)
    shares = np.empty(count)
    largest = -1.0
    for row in range(count):
        told = measured[row]
        grams = max(np.int64(1), told[3])
        shares[row] = told[5] / grams
        if max(told[1], told[2]) < brief or (told[5] + told[6]) / grams >= least - _ROUNDED:
            shares[row] = 2.0
        elif shares[row] > largest:
            largest = shares[row]
    kept = np.empty(count, np.int64)
    found = np.int64(0)
    for row in range(count):
        if shares[row] >= largest - _ROUNDED:
            kept[found] = row
            found += 1
    return kept[:found].copy()


@compiled(_TOLD, _BYTES, _BYTES, types.boolean)
def details(shorter: Any, longer: Any, is_whole: Any) -> Any:
    """Measure two cells of evidence, the shorter text's first, beyond `Overlap`; gives `Details`.

    ``is_whole`` says whether the longer one has all of the other's bigrams, and there are any.
    """
    one, other = np.frombuffer(shorter, np.uint32), np.frombuffer(longer, np.uint32)
    mask = _mask(one, other)
    subjects, mentioned = _mentioned(one, other)
    longer_subjects, longer_mentioned = _mentioned(other, one)
    units_at, units = _place(one, _UNITS)
    other_units_at, other_units = _place(other, _UNITS)
    words_at, words = _place(one, _WORDS)
    other_words_at, other_words = _place(other, _WORDS)
    common_units, _ = _common(one, units_at, units, 1, other, other_units_at, other_units, 1)
    _, weight = _common(one, words_at, words, 2, other, other_words_at, other_words, 2)
    return (
        _refigured(one, other, _FIGURES, mask),
        _place(one, _PHRASES)[1],
        _refigured(one, other, _PHRASES, _ALL),
        _numbered(one, other, mask) if is_whole else np.int64(0),
        subjects,
        mentioned,
        longer_subjects,
        longer_mentioned,
        units,
        other_units,
        common_units,
        weight,
        max(_weight(one), _weight(other)),
    )
