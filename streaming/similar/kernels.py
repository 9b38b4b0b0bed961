"""The loops of `search`: postings are added up, and the best of those found are kept.

They work on the columns of a fold. Products are whole numbers, and a score is made of them
by the same operations in the same order as in `scoring.mix`, so it is the same number.

A *reach* is the most that the decay can be in a block of descriptions, 0 if nobody in it is
in the window; a bound made with it is never too low: every step from products to a score is
monotone, also when floats are rounded.
"""

from typing import Any

import numpy as np
from numba import types

from streaming.compiled import array, compiled, inlined
from streaming.similar.fold import ARTICLE, BLOCK, DESCRIBED, NEVER
from streaming.similar.postings import LARGEST_WEIGHT, WEIGHT_BITS
from streaming.similar.scoring import HOUR_MS, ONE

# What was compiled is kept until this file changes; so whoever changes one of these has to
# change it here as well.
if (BLOCK, NEVER, WEIGHT_BITS, LARGEST_WEIGHT, HOUR_MS, ONE) != (
    512,
    -(2**63),
    12,
    4_095,
    3_600_000,
    1_000_000,
):
    raise RuntimeError("compiled loops are for other constants: put the new ones here, too")

RULES = np.dtype(
    [
        ("window", "<i8"),
        ("share", "<f8"),
        ("unit", "<f8"),
        ("longest", "<f8"),
        ("size", "<i8"),
        ("per_story", "<i8"),
    ],
    align=True,
)
"""``unit`` is the score that a product of 1 is worth, ``longest`` the largest product."""

SUBJECT = np.dtype(
    [
        ("time", "<i8"),
        ("topic", "<i8"),
        ("partition", "<i8"),
        ("offset", "<u8"),
        ("published", "<i8"),
        ("own", "<i8"),
        ("until", "<i8"),
        ("seeing", "<i8"),
    ],
    align=True,
)
"""``topic`` is where it stands among the topics' names; ``seeing`` is 0 without a vector."""

MEMBER = np.dtype([("number", "<i8"), ("score", "<i8"), ("story", "<i8")], align=True)

_I8, _I4, _F8 = array(np.int64), array(np.int32), array(np.float64)
_SUMS = _NUMBERS = array(np.int32, written=True)
_COLUMNS = (
    array(ARTICLE),
    array(DESCRIBED),
    _I8,  # when each description's article appeared
    _I8,  # when it was published
    array(np.int16, 2),  # vectors
    _I8,  # the order of topics by number
    _F8,  # what is left of a score after so many hours
    array(RULES),
)


@compiled(
    types.void,
    *(_I8, _I8, _I8, _I8, _F8, types.int64, types.int64, types.int64),
    array(np.float64, written=True),
)
def reaches(
    first_least: Any,
    first_most: Any,
    published_least: Any,
    published_most: Any,
    decay: Any,
    since: int,
    until: int,
    published: int,
    reach: Any,
) -> None:
    """Write the reach of every block for somebody published then, between two moments."""
    reach[:] = 0.0
    # Behind those with bounds nobody lives.
    for block in range(min(len(reach), len(first_least))):
        if first_most[block] >= since and first_least[block] <= until:
            apart = max(published_least[block] - published, published - published_most[block], 0)
            reach[block] = decay[min(apart // HOUR_MS, len(decay) - 1)]


@compiled(
    types.void,
    *(array(np.uint64), _I8, array(np.uint32), types.int64, types.int64),
    *(array(np.uint64), array(np.int16), types.int64, types.int64),
    _SUMS,
)
def add_up(
    keywords: Any,
    starts: Any,
    entries: Any,
    first: int,
    last: int,
    own: Any,
    weights: Any,
    low: int,
    high: int,
    sums: Any,
) -> None:
    """Add the products of keywords with those of a segment that are from ``low`` to ``high``.

    The segment goes from ``first`` to ``last``. Ends are exclusive, here and elsewhere.
    """
    for number in range(len(own)):
        place = np.searchsorted(keywords, own[number])
        if place == len(keywords) or keywords[place] != own[number]:
            continue
        weight = np.int64(weights[number])
        at, end = starts[place], starts[place + 1]
        if high < last:
            end = at + np.searchsorted(entries[at:end], np.uint32((high - first) << WEIGHT_BITS))
        if low > first:
            at += np.searchsorted(entries[at:end], np.uint32((low - first) << WEIGHT_BITS))
        for entry in entries[at:end]:
            description = first + np.int64(entry >> WEIGHT_BITS)
            sums[description] += np.int32(weight * np.int64(entry & LARGEST_WEIGHT))


@inlined
def _largest(values: Any, first: int, end: int) -> Any:
    largest = values[first]
    for place in range(first, end):
        largest = values[place] if values[place] > largest else largest
    return largest


@inlined
def _enough(least: int, longest: float, reach: float, rules: Any) -> Any:
    """Give the least sum of keywords that may make a score of ``least``, whatever the vectors."""
    if not reach or _unit_score(2**31, longest, rules) * reach < least - 1:
        return 2**31
    if rules.share == 1:
        return 1
    needed = ((least - 1) / (reach * rules.unit) - rules.share * longest) / (1.0 - rules.share)
    return max(np.int64(needed), 1)


@inlined
def _is_before(articles: Any, article: int, topics: Any, subject: Any) -> Any:
    """Tell, of an article that appeared in the subject's millisecond, whether it was earlier."""
    first = articles[article].first
    topic, partition = topics[first.topic], np.int64(first.partition)
    if topic != subject.topic:
        return bool(topic < subject.topic)
    if partition != subject.partition:
        return bool(partition < subject.partition)
    return bool(first.offset < subject.offset)


@inlined
def _is_same(articles: Any, article: int, topics: Any, subject: Any) -> bool:
    first = articles[article].first
    return bool(
        first.offset == subject.offset
        and np.int64(first.partition) == subject.partition
        and topics[first.topic] == subject.topic
    )


@inlined
def _is_earlier(
    number: int, articles: Any, described: Any, appeared: Any, topics: Any, rules: Any, subject: Any
) -> Any:
    """Tell whether a description is of somebody who appeared before, within the window."""
    time = appeared[number]
    if number == subject.own or time == NEVER:
        return False
    if time == subject.time:
        return _is_before(articles, described[number].article, topics, subject)
    return bool(subject.time - rules.window <= time < subject.time)


@inlined
def _is_later(
    number: int, articles: Any, described: Any, appeared: Any, topics: Any, subject: Any
) -> Any:
    """Tell whether a description is of somebody who appeared afterwards, in the subject's time."""
    time = appeared[number]
    if number == subject.own or time == NEVER:
        return False
    if time == subject.time:
        article = described[number].article
        return not (
            _is_before(articles, article, topics, subject)
            or _is_same(articles, article, topics, subject)
        )
    return bool(subject.time < time <= subject.until)


@inlined
def _product(vectors: Any, number: int, vector: Any) -> Any:
    total, other = np.int32(0), vectors[number]
    for place in range(len(vector)):
        # Kept to 32 bits at each step, so that it is compiled to a few wide instructions.
        total = np.int32(total + np.int32(other[place]) * np.int32(vector[place]))
    return np.int64(total)


@inlined
def _unit_score(keywords: int, vectors: float, rules: Any) -> Any:
    """Give the score before it decays; by `scoring.mix`, step by step."""
    alike = (1.0 - rules.share) * np.float64(keywords)
    alike += rules.share * max(np.float64(vectors), 0.0)
    alike *= rules.unit
    return min(alike, np.float64(ONE))


@inlined
def _score(
    number: int,
    keywords: int,
    product: int,
    least: int,
    published: Any,
    decay: Any,
    rules: Any,
    subject: Any,
) -> Any:
    """Give a description's score with the subject, or 0 if that is less than ``least``."""
    hours = min(abs(published[number] - subject.published) // HOUR_MS, len(decay) - 1)
    score = np.int64(np.rint(_unit_score(keywords, np.float64(product), rules) * decay[hours]))
    return score if score >= least else 0


@inlined
def _is_listed(number: int, members: Any, count: int) -> bool:
    found = False
    for place in range(count):
        found |= members[place].number == number
    return found


@inlined
def _is_better(
    one: int,
    its_score: int,
    other: int,
    others_score: int,
    articles: Any,
    described: Any,
    appeared: Any,
    topics: Any,
) -> bool:
    """Tell whether one comes before another: the larger score, then the later to appear."""
    if its_score != others_score:
        return bool(its_score > others_score)
    if appeared[one] != appeared[other]:
        return bool(appeared[one] > appeared[other])
    mine, theirs = articles[described[one].article].first, articles[described[other].article].first
    if mine.topic != theirs.topic:
        return bool(topics[mine.topic] > topics[theirs.topic])
    if mine.partition != theirs.partition:
        return bool(mine.partition > theirs.partition)
    return bool(mine.offset > theirs.offset)


@inlined
def _enter(
    number: int,
    score: int,
    members: Any,
    count: int,
    articles: Any,
    described: Any,
    appeared: Any,
    topics: Any,
    rules: Any,
) -> int:
    """Let a description into a list, best first, if it belongs there; gives the list's length.

    Of a story with its full share of places the worst goes, else of a full list. Who was
    put out need not be looked at again, whoever comes later: the lists are the independent
    sets of a matroid.
    """
    story = np.int64(articles[described[number].article].story)
    told, out = 0, count
    for place in range(count):
        if members[place].story == story:
            told += 1
            if told == rules.per_story:
                out = place
    if out == count == rules.size:
        out = count - 1
    if out < count:
        worst = members[out]
        if not _is_better(
            number, score, worst.number, worst.score, articles, described, appeared, topics
        ):
            return count
    else:
        count += 1
    while out > 0:
        before = members[out - 1]
        if not _is_better(
            number, score, before.number, before.score, articles, described, appeared, topics
        ):
            break
        members[out] = before
        out -= 1
    members[out].number, members[out].score, members[out].story = number, score, story
    return count


@inlined
def _least(members: Any, count: int, rules: Any) -> Any:
    """Give the least score with which anybody may come into a list."""
    return members[count - 1].score if count == rules.size else 1


@inlined
def _keep(worth: float, number: int, worths: Any, numbers: Any, count: int) -> int:
    """Keep a description if it is among those worth most so far; a heap, the least on top."""
    if count < len(worths):
        place = count
        while place and worths[(place - 1) // 2] > worth:
            worths[place], numbers[place] = worths[(place - 1) // 2], numbers[(place - 1) // 2]
            place = (place - 1) // 2
        worths[place], numbers[place] = worth, number
        return count + 1
    place = 0
    while True:
        child = 2 * place + 1
        if child + 1 < count and worths[child + 1] < worths[child]:
            child += 1
        if child >= count or worths[child] >= worth:
            break
        worths[place], numbers[place] = worths[child], numbers[child]
        place = child
    worths[place], numbers[place] = worth, number
    return count


@compiled(
    types.int64,
    *(_SUMS, types.int64, types.int64),
    *_COLUMNS,
    *(_F8, array(SUBJECT), types.int64, array(np.int16, 2)),
    *(array(MEMBER, 2, written=True), array(np.int64, written=True)),
    *(_NUMBERS, array(np.float64, written=True), _NUMBERS, _NUMBERS, _NUMBERS),
)
def probe(
    sums: Any,
    low: int,
    high: int,
    articles: Any,
    described: Any,
    appeared: Any,
    published: Any,
    vectors: Any,
    topics: Any,
    decay: Any,
    the_rules: Any,
    reach: Any,
    subjects: Any,
    asking: int,
    queries: Any,
    members: Any,
    lengths: Any,
    tops: Any,
    worths: Any,
    numbers: Any,
    waiting: Any,
    keywords: Any,
) -> int:
    """Begin a subject's list with those that have most keywords in common with it.

    ``sums`` are as `add_up` left them, zeros but from ``low`` to ``high``; they are zeros
    afterwards. So many are scored as ``worths`` and ``numbers`` have room for. Those of the
    others that may yet come into the list are written to ``waiting`` in ascending order,
    with their products in ``keywords``; gives how many there are.
    """
    rules, subject, vector = the_rules[0], subjects[asking], queries[asking]
    longest = rules.longest if subject.seeing else 0.0
    kept, mine = 0, members[asking]
    # Blocks whose largest sum is not enough are passed over; the latest fade least.
    for block in range(high // BLOCK - 1, low // BLOCK - 1, -1):
        tops[block] = _largest(sums, block * BLOCK, (block + 1) * BLOCK)
        if tops[block] * reach[block] <= (worths[0] if kept == len(worths) else 0):
            continue
        for number in range(block * BLOCK, (block + 1) * BLOCK):
            worth = sums[number] * reach[block]
            if worth > (worths[0] if kept == len(worths) else 0) and _is_earlier(
                number, articles, described, appeared, topics, rules, subject
            ):
                kept = _keep(worth, number, worths, numbers, kept)
    length, least = 0, 1
    for place in range(kept):
        number = numbers[place]
        product = _product(vectors, number, vector) if longest else 0
        score = _score(number, sums[number], product, least, published, decay, rules, subject)
        sums[number] = 0
        if score:
            length = _enter(
                number, score, mine, length, articles, described, appeared, topics, rules
            )
            least = _least(mine, length, rules)
    lengths[asking] = length
    near = 0
    for block in range(low // BLOCK, high // BLOCK):
        least_sum = _enough(least, longest, reach[block], rules)
        if tops[block] < least_sum:
            continue
        for number in range(block * BLOCK, (block + 1) * BLOCK):
            # Without a condition to guess, which would often be wrong.
            waiting[near], keywords[near] = number, sums[number]
            near += sums[number] >= least_sum
    sums[low:high] = 0
    count = 0
    for place in range(near):
        number = waiting[place]
        waiting[count], keywords[count] = number, keywords[place]
        count += _is_earlier(number, articles, described, appeared, topics, rules, subject)
    return count


@compiled(
    types.void,
    *(types.int64, types.int64),
    *_COLUMNS,
    *(array(np.float64, 2), array(SUBJECT), array(np.int16, 2), array(np.uint8, 2)),
    *(_I4, array(np.int64, 2), _I4, _I4, array(np.bool_), array(np.float32, 2)),
    *(array(MEMBER, 2, written=True), array(np.int64, written=True)),
)
def settle(
    first: int,
    end: int,
    articles: Any,
    described: Any,
    appeared: Any,
    published: Any,
    vectors: Any,
    topics: Any,
    decay: Any,
    the_rules: Any,
    reach: Any,
    subjects: Any,
    queries: Any,
    looked_into: Any,
    rows: Any,
    bounds: Any,
    waiting: Any,
    keywords: Any,
    alone: Any,
    products: Any,
    members: Any,
    lengths: Any,
) -> None:
    """Go on with the lists of all subjects among the descriptions from ``first`` to ``end``.

    Those of ``waiting`` within the n-th of ``bounds`` may belong into subject n's;
    where it is ``alone`` so may others, that share no keyword but a cell that it looks into,
    as ``looked_into`` says. Row ``rows[n]`` of ``products`` has the products of vectors; with
    -1 there are none yet, and nobody else is looked at.
    """
    rules = the_rules[0]
    for asking in range(len(subjects)):
        subject, mine, length = subjects[asking], members[asking], lengths[asking]
        longest = rules.longest if subject.seeing else 0.0
        least = _least(mine, length, rules)
        row = rows[asking]
        for place in range(bounds[asking, 0], bounds[asking, 1]):
            number, shared = waiting[place], keywords[place]
            if _unit_score(shared, longest, rules) * reach[asking, number // BLOCK] < least - 1:
                continue
            product: Any = 0
            if row >= 0:
                product = np.int64(products[row, number - first])
            elif longest:
                product = _product(vectors, number, queries[asking])
            score = _score(number, shared, product, least, published, decay, rules, subject)
            if score:
                length = _enter(
                    number, score, mine, length, articles, described, appeared, topics, rules
                )
                least = _least(mine, length, rules)
        for block in range((end - 1) // BLOCK, first // BLOCK - 1, -1):
            worth = rules.share * rules.unit * reach[asking, block]
            if not alone[asking] or row < 0 or longest * worth < max(least - 1, 0.5):
                continue
            start, stop = block * BLOCK, min((block + 1) * BLOCK, end)
            enough = (least - 1) / worth
            if _largest(products[row], start - first, stop - first) < enough:
                continue
            for number in range(start, stop):
                if products[row, number - first] < enough:
                    continue
                cell = described[number].cell
                if cell < 0 or cell >= looked_into.shape[1] or not looked_into[asking, cell]:
                    continue
                if not _is_earlier(number, articles, described, appeared, topics, rules, subject):
                    continue
                product = np.int64(products[row, number - first])
                score = _score(number, 0, product, least, published, decay, rules, subject)
                if score and not _is_listed(number, mine, length):
                    length = _enter(
                        number, score, mine, length, articles, described, appeared, topics, rules
                    )
                    least = _least(mine, length, rules)
                    enough = (least - 1) / worth
        lengths[asking] = length


@compiled(
    types.int64,
    *(_SUMS, types.int64, types.int64),
    *_COLUMNS,
    *(_F8, array(SUBJECT), array(np.int16), types.int64),
    *(_I4, _I4, _I4, _NUMBERS),
)
def challenged(
    sums: Any,
    low: int,
    high: int,
    articles: Any,
    described: Any,
    appeared: Any,
    published: Any,
    vectors: Any,
    topics: Any,
    decay: Any,
    the_rules: Any,
    reach: Any,
    subjects: Any,
    vector: Any,
    cell: int,
    cells: Any,
    lasts: Any,
    open_to_all: Any,
    found: Any,
) -> int:
    """Write the descriptions of whose lists a subject may be missing from, and how many.

    ``sums`` are as for `probe`; ``cell`` is the subject's own, -1 for none. ``cells`` are
    those that descriptions look into. ``lasts`` says what it takes to come into the list of
    each description, 0 if it has none; ``open_to_all`` lists those for which vectors alone
    may be enough.
    """
    rules, subject = the_rules[0], subjects[0]
    longest = rules.longest if subject.seeing else 0.0
    hits = 0
    for place in range(len(open_to_all) if cell >= 0 and longest > 0 else 0):
        number = open_to_all[place]
        if sums[number] or reach[number // BLOCK] == 0:
            continue
        start = described[number].cells
        looking = False
        for other in range(start, start + described[number].cell_count):
            looking |= cells[other] == cell
        if not looking or not _is_later(number, articles, described, appeared, topics, subject):
            continue
        product = _product(vectors, number, vector)
        if _score(number, 0, product, lasts[number], published, decay, rules, subject):
            found[hits] = number
            hits += 1
    for number in range(low, high):
        shared, least = sums[number], lasts[number]
        bound = _unit_score(shared, longest, rules) * reach[number // BLOCK]
        if not shared or not least or bound < least - 1:
            continue
        if not _is_later(number, articles, described, appeared, topics, subject):
            continue
        product = _product(vectors, number, vector) if longest else 0
        if _score(number, shared, product, least, published, decay, rules, subject):
            found[hits] = number
            hits += 1
    sums[low:high] = 0
    return hits
