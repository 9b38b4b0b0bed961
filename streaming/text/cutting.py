"""The loops of `segment`: jieba's route through a text, and its word model, as jieba sums.

Every token has a number. Words of the dictionary, and what they begin with, are paths of a
trie; where a path ends is the number. Its edges lie in one open hash table, eight bytes each,
since looking them up is most of what segmentation costs. Other tokens, the *strangers*, are
paths of another trie, that grows with every new one.

Sums of probabilities are formed in jieba's order: the last bit of a sum decides near ties.
"""

from typing import Any

import numpy as np
from numba import types

from streaming.compiled import array, compiled

MOST_NODES = 1 << 21
"""As many nodes can be told apart in an edge."""
NO_FREQUENCY = -np.inf
FIRST_HAN, LAST_HAN = 0x4E00, 0x9FD5
"""What jieba takes for Chinese."""
IMPOSSIBLE = -3.14e100

ALPHANUMERIC, SYMBOL, OTHER, HAN = range(4)
"""What a character is to jieba."""
_BEGIN, _MIDDLE, _END, _SINGLE = range(4)
_CODE_BITS = _NODE_BITS = np.uint64(21)
_NODE = np.uint64(MOST_NODES - 1)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_SLOTS_PER_WORD = 4
_WORD, _BIT, _ONE = np.uint64(32), np.uint64(58), np.uint64(1)
"""Where in the product that spreads edges the place of their mark is, and which bit of it."""
_RETURN, _NEWLINE, _POINT, _PERCENT, _ZERO, _NINE = 13, 10, 46, 37, 48, 57

_I8 = types.int64
_CODES = array(np.uint32)
_TRIE, _GROWING = array(np.uint64), array(np.uint64, written=True)
_STRANGERS = array(np.uint64, 2, written=True)
_ROOTS, _PLACES, _LOGS = array(np.int32), array(np.uint32), array(np.float64)
_CHAINS = array(np.float64, 2)
_KINDS = array(np.uint8)
_FLAGS = array(np.uint8)
_NUMBERS = array(np.int32, written=True)
_SUMS = array(np.float64, written=True)
_STATE = array(np.int64, written=True)
_STEPS = array(np.uint8, written=True)


@compiled(_I8, _TRIE, _I8, types.uint32)
def child(trie: Any, node: int, code: int) -> Any:
    """Give the node that a code point leads to; 0, which is the root, for none."""
    wanted = np.uint64(node) << _CODE_BITS | np.uint64(code)
    last = np.uint64(len(trie) - 1)
    slot = (wanted * _SPREAD >> np.uint64(32)) & last
    # One more, so that no edge looks like an empty slot.
    wanted += np.uint64(1)
    edge = trie[slot]
    while edge and edge >> _NODE_BITS != wanted:
        slot = (slot + np.uint64(1)) & last
        edge = trie[slot]
    return np.int64(edge & _NODE)


@compiled(_I8, _GROWING, _CODES, _I8, _I8, _I8)
def add(trie: Any, codes: Any, start: int, end: int, nodes: int) -> Any:
    """Make a string a path of a trie with so many nodes; gives the node where it ends.

    There is room for it. Nodes are numbered as they come: those that are new follow.
    """
    node, last = np.int64(0), np.uint64(len(trie) - 1)
    for at in range(start, end):
        found = child(trie, node, codes[at])
        if found == 0:
            wanted = np.uint64(node) << _CODE_BITS | np.uint64(codes[at])
            slot = (wanted * _SPREAD >> np.uint64(32)) & last
            while trie[slot]:
                slot = (slot + np.uint64(1)) & last
            trie[slot] = (wanted + np.uint64(1)) << _NODE_BITS | np.uint64(nodes)
            found, nodes = nodes, nodes + 1
        node = found
    return node


@compiled(_I8, _GROWING, _CODES, array(np.int64), _NUMBERS)
def add_all(trie: Any, codes: Any, ends: Any, nodes: Any) -> Any:
    """Make strings that lie one after another paths of a new trie; gives how many nodes it has."""
    count, start = np.int64(1), np.int64(0)
    for number in range(len(ends)):
        nodes[number] = add(trie, codes, start, ends[number], count)
        count = max(count, np.int64(nodes[number]) + 1)
        start = ends[number]
    return count


@compiled(_NUMBERS, _TRIE)
def first_nodes(trie: Any) -> Any:
    """Give the node of every single character of the basic plane; 0 for none."""
    nodes = np.empty(1 << 16, np.int32)
    for code in range(len(nodes)):
        nodes[code] = child(trie, 0, np.uint32(code))
    return nodes


@compiled(_GROWING, _TRIE, _I8)
def laid_out(trie: Any, slots: int) -> Any:
    """Lay the edges of a trie out in a table of so many slots, a power of two."""
    table, last = np.zeros(slots, np.uint64), np.uint64(slots - 1)
    for edge in trie:
        if edge:
            wanted = (edge >> _NODE_BITS) - np.uint64(1)
            slot = (wanted * _SPREAD >> np.uint64(32)) & last
            while table[slot]:
                slot = (slot + np.uint64(1)) & last
            table[slot] = edge
    return table


@compiled(_GROWING, _TRIE)
def marks(trie: Any) -> Any:
    """Give a bit for every edge, four for each slot of the trie.

    Most of what is looked for is not there. That tells so without a look at the edges, which
    are too many to be at hand.
    """
    bits = np.zeros(len(trie) >> _SLOTS_PER_WORD, np.uint64)
    last = np.uint64(len(bits) - 1)
    for edge in trie:
        if edge:
            spread = ((edge >> _NODE_BITS) - np.uint64(1)) * _SPREAD
            bits[spread >> _WORD & last] |= _ONE << (spread >> _BIT)
    return bits


@compiled(_I8, _TRIE, _TRIE, _I8, types.uint32)
def marked_child(trie: Any, bits: Any, node: int, code: int) -> Any:
    """Give what `child` gives, by the marks of the trie."""
    spread = (np.uint64(node) << _CODE_BITS | np.uint64(code)) * _SPREAD
    word = bits[spread >> _WORD & np.uint64(len(bits) - 1)]
    if not word >> (spread >> _BIT) & _ONE:
        return 0
    return child(trie, node, code)


@compiled(_I8, _TRIE, _ROOTS, _CODES, _I8, _I8)
def find(trie: Any, roots: Any, codes: Any, start: int, end: int) -> Any:
    """Give the node of a string; 0 if it is no path."""
    code = codes[start]
    node = np.int64(roots[code]) if code < len(roots) else child(trie, 0, code)
    for at in range(start + 1, end):
        if node == 0:
            return 0
        node = child(trie, node, codes[at])
    return node


@compiled(_I8, _TRIE, _ROOTS, _STRANGERS, _CODES, _I8, _I8, _STATE)
def number_of(
    trie: Any, roots: Any, strangers: Any, codes: Any, start: int, end: int, state: Any
) -> Any:
    """Give the number of a token; ``state`` is the next one for a stranger."""
    known = find(trie, roots, codes, start, end)
    if known:
        return known
    node, last = np.int64(0), np.uint64(len(strangers) - 1)
    for at in range(start, end):
        wanted = (np.uint64(node) << _CODE_BITS | np.uint64(codes[at])) + np.uint64(1)
        slot = (wanted * _SPREAD >> np.uint64(32)) & last
        while strangers[slot, 0] and strangers[slot, 0] != wanted:
            slot = (slot + np.uint64(1)) & last
        if strangers[slot, 0] == 0:
            strangers[slot, 0], strangers[slot, 1] = wanted, state[0]
            state[0] += 1
        node = np.int64(strangers[slot, 1])
    return node


@compiled(
    types.void,
    *(_CODES, _I8, _I8, _TRIE, _TRIE, _ROOTS, _PLACES, _LOGS, types.float64),
    *(_SUMS, _NUMBERS, _NUMBERS),
)
def _route(
    codes: Any,
    start: int,
    end: int,
    trie: Any,
    bits: Any,
    roots: Any,
    places: Any,
    logs: Any,
    log_total: float,
    sums: Any,
    ends: Any,
    nodes: Any,
) -> None:
    """Find the most probable way through a block: for each place, where its word ends."""
    sums[end] = 0.0
    for place in range(end - 1, start - 1, -1):
        node = np.int64(roots[codes[place]])
        best, best_end, best_node = -np.inf, place + 1, node
        found, at = False, place + 1
        while node:
            log = logs[places[node]]
            if log != NO_FREQUENCY:
                probability = log - log_total + sums[at]
                if not found or probability >= best:
                    best, best_end, best_node, found = probability, at, node, True
            if at == end:
                break
            node = marked_child(trie, bits, node, codes[at])
            at += 1
        if not found:
            best = 0.0 - log_total + sums[place + 1]
        sums[place], ends[place], nodes[place] = best, best_end, best_node


@compiled(types.void, _CODES, _I8, _I8, _CHAINS, _CHAINS, _STEPS)
def _model(codes: Any, start: int, end: int, emit: Any, step: Any, steps: Any) -> None:
    """Find the most probable states of a run of Chinese; ``steps`` becomes 1 where a word ends.

    ``step`` has a row for each state that is come from, and one for the beginning.
    """
    first = codes[start] - FIRST_HAN
    b, m, e, s = (
        step[4, _BEGIN] + emit[first, _BEGIN],
        step[4, _MIDDLE] + emit[first, _MIDDLE],
        step[4, _END] + emit[first, _END],
        step[4, _SINGLE] + emit[first, _SINGLE],
    )
    for at in range(start + 1, end):
        own = codes[at] - FIRST_HAN
        to_b, to_m, to_e, to_s = emit[own, 0], emit[own, 1], emit[own, 2], emit[own, 3]
        b_e, b_s = e + step[_END, _BEGIN] + to_b, s + step[_SINGLE, _BEGIN] + to_b
        m_b, m_m = b + step[_BEGIN, _MIDDLE] + to_m, m + step[_MIDDLE, _MIDDLE] + to_m
        e_b, e_m = b + step[_BEGIN, _END] + to_e, m + step[_MIDDLE, _END] + to_e
        s_e, s_s = e + step[_END, _SINGLE] + to_s, s + step[_SINGLE, _SINGLE] + to_s
        steps[at] = (b_s >= b_e) | (m_m >= m_b) << 1 | (e_m >= e_b) << 2 | (s_s >= s_e) << 3
        b, m, e, s = max(b_s, b_e), max(m_m, m_b), max(e_m, e_b), max(s_s, s_e)
    state = _SINGLE if s >= e else _END
    for at in range(end - 1, start - 1, -1):
        came, ends = steps[at], state >= _END
        if at > start:
            later = (came >> state) & 1
            if state in (_BEGIN, _SINGLE):
                state = _SINGLE if later else _END
            else:
                state = _MIDDLE if later else _BEGIN
        steps[at] = ends


@compiled(_I8, _CODES, _I8, _I8, _KINDS)
def _ascii_word(codes: Any, start: int, end: int, kinds: Any) -> Any:
    """Give where the word of letters and digits, or the run of symbols, ends."""
    at = start
    if kinds[codes[at]] == SYMBOL:
        while at < end and kinds[codes[at]] == SYMBOL:
            at += 1
        return at
    while at < end and kinds[codes[at]] == ALPHANUMERIC:
        at += 1
    if at + 1 < end and codes[at] == _POINT and _ZERO <= codes[at + 1] <= _NINE:
        at += 2
        while at < end and _ZERO <= codes[at] <= _NINE:
            at += 1
    if at < end and codes[at] == _PERCENT:
        at += 1
    return at


@compiled(
    _I8,
    *(_CODES, _I8, _I8, _TRIE, _ROOTS, _STRANGERS, _PLACES, _FLAGS, _KINDS, _CHAINS, _CHAINS),
    *(_STEPS, _STATE, _NUMBERS, _NUMBERS, _I8),
)
def _join(
    codes: Any,
    start: int,
    end: int,
    trie: Any,
    roots: Any,
    strangers: Any,
    places: Any,
    forced: Any,
    kinds: Any,
    emit: Any,
    step: Any,
    steps: Any,
    state: Any,
    token_ends: Any,
    token_nodes: Any,
    count: int,
) -> Any:
    """Join a run of single characters into the words that the model finds."""
    # The root has no frequency, as a string has none that is no path.
    alone = end - start == 1 or places[find(trie, roots, codes, start, end)] > 0
    at = start
    while at < end:
        stop = at + 1
        if not alone and kinds[codes[at]] != HAN:
            stop = _ascii_word(codes, at, end, kinds)
        elif not alone:
            while stop < end and kinds[codes[stop]] == HAN:
                stop += 1
            _model(codes, at, stop, emit, step, steps)
            word = at
            for place in range(at, stop):
                if not steps[place]:
                    continue
                node = number_of(trie, roots, strangers, codes, word, place + 1, state)
                if node < len(forced) and forced[node]:
                    for one in range(word, place + 1):
                        token_ends[count] = one + 1
                        token_nodes[count] = number_of(
                            trie, roots, strangers, codes, one, one + 1, state
                        )
                        count += 1
                else:
                    token_ends[count], token_nodes[count] = place + 1, node
                    count += 1
                word = place + 1
            at = stop
            continue
        token_ends[count] = stop
        token_nodes[count] = number_of(trie, roots, strangers, codes, at, stop, state)
        count += 1
        at = stop
    return count


@compiled(
    _I8,
    *(_CODES, _TRIE, _TRIE, _STRANGERS, _ROOTS, _PLACES, _LOGS, types.float64),
    *(_FLAGS, _KINDS, _CHAINS, _CHAINS, _I8),
    *(_SUMS, _NUMBERS, _NUMBERS, _STEPS, _STATE, _NUMBERS, _NUMBERS),
)
def cut(
    codes: Any,
    trie: Any,
    bits: Any,
    strangers: Any,
    roots: Any,
    places: Any,
    logs: Any,
    log_total: float,
    forced: Any,
    kinds: Any,
    emit: Any,
    step: Any,
    modelled: int,
    sums: Any,
    ends: Any,
    nodes: Any,
    steps: Any,
    state: Any,
    token_ends: Any,
    token_nodes: Any,
) -> Any:
    """Cut a text into tokens; gives how many there are, and for each its end and its node."""
    count, at, length = np.int64(0), np.int64(0), len(codes)
    while at < length:
        if codes[at] >= len(kinds) or kinds[codes[at]] == OTHER:
            stop = at + 1
            if codes[at] == _RETURN and stop < length and codes[stop] == _NEWLINE:
                stop += 1
            token_ends[count] = stop
            token_nodes[count] = number_of(trie, roots, strangers, codes, at, stop, state)
            count += 1
            at = stop
            continue
        stop = at + 1
        while stop < length and codes[stop] < len(kinds) and kinds[codes[stop]] != OTHER:
            stop += 1
        _route(codes, at, stop, trie, bits, roots, places, logs, log_total, sums, ends, nodes)
        while at < stop:
            end = np.int64(ends[at])
            run = at
            if modelled:
                while run < stop and ends[run] == run + 1:
                    run += 1
            else:
                while run < stop and ends[run] == run + 1 and kinds[codes[run]] == ALPHANUMERIC:
                    run += 1
            if run <= at + 1:
                token_ends[count], token_nodes[count] = end, nodes[at]
                if nodes[at] == 0:
                    token_nodes[count] = number_of(trie, roots, strangers, codes, at, end, state)
                count += 1
                at = end
            elif modelled:
                count = _join(
                    codes,
                    at,
                    run,
                    trie,
                    roots,
                    strangers,
                    places,
                    forced,
                    kinds,
                    emit,
                    step,
                    steps,
                    state,
                    token_ends,
                    token_nodes,
                    count,
                )
                at = run
            else:
                token_ends[count] = run
                token_nodes[count] = number_of(trie, roots, strangers, codes, at, run, state)
                count += 1
                at = run
    return count
