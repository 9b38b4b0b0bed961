"""The loops that read a text by its characters and words: clauses, figures, names, features.

What they give is defined by `clauses`, `shingling` and `features`, which do the same with
strings; a test compares the two.
"""

from typing import Any

import numpy as np
from numba import types

from streaming.compiled import array, compiled
from streaming.fingerprints.hashing import BYTES_PER_CHARACTER, ODD, SHIFT, blake, mix, spell
from streaming.fingerprints.simhash import BITS
from streaming.text.characters import COUNTED, IDEOGRAPH, LETTER, MARK, NUMERAL, WIDE
from streaming.text.features import FEW_FEATURES, MOST_COUNTED

# What was compiled is kept until this file changes; so whoever changes one of these, or the
# hash functions, has to change it here as well.
_CLASSED = (IDEOGRAPH, LETTER, MARK, NUMERAL, COUNTED, WIDE)
_TOLD = (BITS, FEW_FEATURES, MOST_COUNTED, int(ODD), int(SHIFT))
_HASHED = int(mix(blake(np.zeros(200, np.uint8), 0, 200)))
_MADE_FOR = (1, 2, 4, 8, 16, 32, 64, 8, 6, 0x9E3779B97F4A7C15, 29, 0xD34005926539B34D)
if (*_CLASSED, *_TOLD, _HASHED) != _MADE_FOR:
    raise RuntimeError("compiled loops are for other constants: put the new ones here, too")

WORD, RARE, KNOWN = 1, 2, 4
"""What a word is: it has a letter or digit, few texts have it, it is in the table of those."""
SUBJECT_COUNT = 3
SHORTEST_PHRASE = 4
DIGIT, PHRASE = 64, 128
"""What a character is besides `characters.classes`: a digit, and a part of a phrase.

A phrase ends at every mark and space, but not at the point within a figure.
"""

_COMMA, _POINT, _COLON, _SPACE, _PERCENT, _FIGURE = 44, 46, 58, 32, 37, 35
_ZERO, _NINE, _ORDINAL = 48, 57, 0x7B2C
_NO_WORD = np.uint64(0)

_CODES, _CLASSES, _FLAGS = array(np.uint32), array(np.uint8), array(np.uint8)
_KINDS, _READ_KINDS = array(np.uint8, written=True), array(np.uint8)
_NUMBERS, _HASHES, _PAIRS = array(np.int32), array(np.uint64), array(np.uint64, 2)
_INTO = array(np.uint64, written=True)
_INTO_PAIRS = array(np.uint64, 2, written=True)
_COUNTS = array(np.int32, written=True)
_I8 = types.int64
_TWO: Any = types.Tuple((_I8, _I8))  # type: ignore[no-untyped-call]
_THREE: Any = types.Tuple((_I8, _I8, _I8))  # type: ignore[no-untyped-call]
_READ: Any = types.Tuple((_I8, _INTO, _INTO_PAIRS, types.uint64))  # type: ignore[no-untyped-call]
_SPELLED = array(np.uint8, written=True)


@compiled(types.void, _CODES, _CLASSES, _KINDS)
def classify(codes: Any, classes: Any, kinds: Any) -> None:
    """Write what each character of a text in lower case is, where it stands."""
    length = len(codes)
    for at in range(length):
        code = codes[at]
        kind = classes[code] if code < len(classes) else np.uint8(0)
        if _ZERO <= code <= _NINE:
            kind |= DIGIT
        if kind & (IDEOGRAPH | LETTER) or code == _PERCENT:
            kind |= PHRASE
        elif code in (_COMMA, _POINT, _COLON):
            before = codes[at - 1] if at else np.uint32(0)
            after = codes[at + 1] if at + 1 < length else np.uint32(0)
            if not (_ZERO <= before <= _NINE and _ZERO <= after <= _NINE):
                kind |= MARK
            elif code == _POINT:
                kind |= PHRASE
        kinds[at] = kind


@compiled(_THREE, _CODES, _READ_KINDS, _I8, _SPELLED, _INTO)
def read_clauses(codes: Any, kinds: Any, least: int, spelled: Any, hashes: Any) -> Any:
    """Write the hashes of the clauses of a text that have so many ideographs at least.

    Gives how many those are, and the length of all clauses in ideographs, a word of letters
    or a figure being two. ``spelled`` gets the bytes of all of them, parted by spaces, up to
    where the last number says.
    """
    count, total, size, length = 0, 0, 0, len(codes)
    start, end, inside = np.int64(0), np.int64(0), False
    for at in range(length):
        kind, code = kinds[at], codes[at]
        ends = kind & MARK
        if code == _SPACE and at and kinds[at - 1] & WIDE:
            after = at + 1
            while after < length and codes[after] == _SPACE:
                after += 1
            ends = after < length and kinds[after] & WIDE
        if kind & (IDEOGRAPH | LETTER):
            if not (inside and kind & LETTER):
                if end:
                    end = spell(np.uint32(_SPACE), spelled, end)
                if not size:
                    start = end
                size += 1 if kind & IDEOGRAPH else 2
            end = spell(code, spelled, end)
        inside = bool(kind & LETTER)
        if size and (ends or at == length - 1):
            if size >= least:
                hashes[count] = blake(spelled, start, end)
                count += 1
            total, size = total + size, 0
    return count, total, end


@compiled(_I8, _CODES, _READ_KINDS, _I8, _I8)
def _figure(codes: Any, kinds: Any, at: int, end: int) -> Any:
    """Give where the figure at this place of a phrase ends; the place if there is none."""
    stop = at
    if kinds[at] & DIGIT:
        while stop < end and kinds[stop] & DIGIT:
            stop += 1
        if stop + 1 < end and codes[stop] == _POINT and kinds[stop + 1] & DIGIT:
            stop += 1
            while stop < end and kinds[stop] & DIGIT:
                stop += 1
        return stop
    ordinal = codes[at] == _ORDINAL
    stop = at + 1 if ordinal else at
    begin = stop
    while stop < end and kinds[stop] & NUMERAL:
        stop += 1
    if stop > begin and (ordinal or (stop < end and kinds[stop] & COUNTED)):
        return stop
    return at


@compiled(_I8, _CODES, _READ_KINDS, _SPELLED, _INTO_PAIRS)
def read_phrases(codes: Any, kinds: Any, spelled: Any, found: Any) -> Any:
    """Write the hashes of phrases that hold a figure, and of their forms; gives how many."""
    count, at, length = 0, 0, len(codes)
    while at < length:
        end, held = at, np.uint8(0)
        while end < length and kinds[end] & PHRASE:
            held |= kinds[end]
            end += 1
        if end - at >= SHORTEST_PHRASE and held & (DIGIT | NUMERAL):
            masked, place, size = False, at, 0
            while place < end:
                stop = _figure(codes, kinds, place, end)
                masked |= stop > place
                size = spell(np.uint32(_FIGURE) if stop > place else codes[place], spelled, size)
                place = max(stop, place + 1)
            if masked:
                found[count, 1] = blake(spelled, 0, size)
                size = 0
                for place in range(at, end):
                    size = spell(codes[place], spelled, size)
                found[count, 0] = blake(spelled, 0, size)
                count += 1
        at = end + 1
    return count


@compiled(_READ, _CODES, _CLASSES, _I8, _I8)
def read_passage(codes: Any, classes: Any, least: int, titled: int) -> Any:
    """Read a text in lower case by its characters.

    Gives its length in ideographs, the hashes of its clauses that have so many of them at
    least, those of its phrases that hold a figure and of their forms, and, if it is a title,
    that of all its clauses, parted by spaces; 0 if not.
    """
    size = len(codes)
    kinds = np.empty(size, np.uint8)
    # Between any two characters may come a space.
    spelled = np.empty((BYTES_PER_CHARACTER + 1) * size, np.uint8)
    clauses, phrases = np.empty(size, np.uint64), np.empty((size, 2), np.uint64)
    classify(codes, classes, kinds)
    count, length, end = read_clauses(codes, kinds, least, spelled, clauses)
    whole = blake(spelled, 0, end) if titled else np.uint64(0)
    held = read_phrases(codes, kinds, spelled, phrases)
    return length, clauses[:count].copy(), phrases[:held].copy(), whole


@compiled(_I8, _NUMBERS, array(np.uint8, written=True), _COUNTS)
def strangers(numbers: Any, known: Any, places: Any) -> Any:
    """Write the places of words that are met for the first time, which are known from now on."""
    count = 0
    for place in range(len(numbers)):
        if not known[numbers[place]]:
            known[numbers[place]] = 1
            places[count] = place
            count += 1
    return count


@compiled(_TWO, _NUMBERS, _PAIRS, _FLAGS, _INTO, _INTO_PAIRS)
def read_bigrams(numbers: Any, hashed: Any, flags: Any, grams: Any, figures: Any) -> Any:
    """Write the hashes of word bigrams, and, of those that hold a figure, that of the form too.

    ``hashed`` has the hashes of words and of their forms. Gives how many of both there are.
    """
    words, count, held = 0, 0, 0
    word, form = _NO_WORD, _NO_WORD
    for number in numbers:
        if not flags[number] & WORD:
            continue
        next_word, next_form = hashed[number, 0], hashed[number, 1]
        if words:
            grams[count] = mix(word * ODD + (next_word ^ (next_word >> SHIFT)))
            if word != form or next_word != next_form:
                figures[held, 0] = grams[count]
                figures[held, 1] = mix(form * ODD + (next_form ^ (next_form >> SHIFT)))
                held += 1
            count += 1
        word, form = next_word, next_form
        words += 1
    if words == 1:
        grams[0], count = mix(word), 1
        if word != form:
            figures[0, 0], figures[0, 1], held = grams[0], mix(form), 1
    return count, held


@compiled(_TWO, _NUMBERS, _PAIRS, _FLAGS, _I8, _COUNTS, _INTO, _INTO)
def read_names(
    numbers: Any, hashed: Any, flags: Any, brief: int, counts: Any, names: Any, subjects: Any
) -> Any:
    """Write the hashes of rare words, and of those that the text is about; gives how many.

    In a brief text those are the words that no table has. ``counts`` is 0, and is left so.
    """
    found, about = 0, 0
    for number in numbers:
        if flags[number] & RARE:
            counts[number] += 1
    for number in numbers:
        count = counts[number]
        if count:
            counts[number] = 0
            names[found] = hashed[number, 0]
            found += 1
            if (not flags[number] & KNOWN) if brief else count >= SUBJECT_COUNT:
                subjects[about] = hashed[number, 0]
                about += 1
    return found, about


@compiled(_I8, _NUMBERS, array(np.uint8, 2), _HASHES, _COUNTS, _COUNTS, _INTO)
def read_features(
    numbers: Any, weights: Any, digests: Any, counts: Any, distinct: Any, fingerprint: Any
) -> Any:
    """Write the SimHash of a text's features, and give how many it has.

    ``weights`` has a row for each word: its weight in a text with few features, and when it
    occurs once, twice, and so on. ``counts`` is 0, and is left so.
    """
    words, features = 0, 0
    for number in numbers:
        if not counts[number]:
            distinct[words] = number
            words += 1
            features += weights[number, 1] > 0
        counts[number] += 1
    few = features < FEW_FEATURES
    total, used = np.int64(0), 0
    sums = np.zeros(BITS, np.int64)
    for place in range(words):
        number = distinct[place]
        count = min(np.int64(counts[number]), MOST_COUNTED)
        counts[number] = 0
        weight = np.int64(weights[number, 0 if few else count])
        if weight and (few or weights[number, 1]):
            used += 1
            total += weight
            digest = digests[number]
            for bit in range(BITS):
                sums[bit] += weight * np.int64((digest >> np.uint64(bit)) & np.uint64(1))
    value = np.uint64(0)
    for bit in range(BITS):
        value |= np.uint64(2 * sums[bit] > total) << np.uint64(bit)
    fingerprint[0] = value
    return used
