"""jieba's hidden Markov model, applied to runs of Chinese characters.

The four states are the place of a character in a word: beginning, middle, end, single. The
probabilities are jieba's own, read from the installed package; sums and ties are formed in
jieba's order, so that the last bit of a sum, which decides near ties, is the same.
"""

import logging
import warnings
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

_IMPOSSIBLE = -3.14e100

_Row = tuple[float, float, float, float]
_UNSEEN: _Row = (_IMPOSSIBLE, _IMPOSSIBLE, _IMPOSSIBLE, _IMPOSSIBLE)


def load_jieba(module: str = "jieba") -> ModuleType:
    """Import jieba or a module of it, quietly.

    jieba logs at debug level from the moment it is imported, and its source makes newer
    Pythons warn.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        package = import_module("jieba")
        package.setLogLevel(logging.WARNING)
        return import_module(module)


class WordModel:
    """Cuts runs of characters that no dictionary word covers."""

    def __init__(self) -> None:
        tables = load_jieba("jieba.finalseg")
        emit = tables.emit_P
        characters = {character for state in "BMES" for character in emit[state]}
        self._emit: dict[str, _Row] = {
            character: (
                emit["B"].get(character, _IMPOSSIBLE),
                emit["M"].get(character, _IMPOSSIBLE),
                emit["E"].get(character, _IMPOSSIBLE),
                emit["S"].get(character, _IMPOSSIBLE),
            )
            for character in characters
        }
        start, step = tables.start_P, tables.trans_P
        self._start: _Row = (start["B"], start["M"], start["E"], start["S"])
        self._begin = (step["E"]["B"], step["S"]["B"])
        self._middle = (step["B"]["M"], step["M"]["M"])
        self._end = (step["B"]["E"], step["M"]["E"])
        self._single = (step["E"]["S"], step["S"]["S"])

    def cut(self, run: str) -> Iterator[str]:
        """Cut a run of characters in U+4E00-9FD5 into words; joined, they are the run."""
        begin = 0
        for at, closes in enumerate(self._word_ends(run), start=1):
            if closes:
                yield run[begin:at]
                begin = at

    def _word_ends(self, run: str) -> list[bool]:
        """Tell for every character of the run whether it ends a word (Viterbi)."""
        end_begin, single_begin = self._begin
        begin_middle, middle_middle = self._middle
        begin_end, middle_end = self._end
        end_single, single_single = self._single
        emit, unseen = self._emit.get, _UNSEEN
        b, m, e, s = (
            first + seen for first, seen in zip(self._start, emit(run[0], unseen), strict=True)
        )
        steps = []
        for character in run[1:]:
            to_b, to_m, to_e, to_s = emit(character, unseen)
            b_e, b_s = e + end_begin + to_b, s + single_begin + to_b
            m_b, m_m = b + begin_middle + to_m, m + middle_middle + to_m
            e_b, e_m = b + begin_end + to_e, m + middle_end + to_e
            s_e, s_s = e + end_single + to_s, s + single_single + to_s
            steps.append((b_s >= b_e, m_m >= m_b, e_m >= e_b, s_s >= s_e))
            b = max(b_s, b_e)
            m = max(m_m, m_b)
            e = max(e_m, e_b)
            s = max(s_s, s_e)
        state = 3 if s >= e else 2
        ends = [True]
        for from_single, from_middle, end_from_middle, single_from_single in reversed(steps):
            if state == 0:
                state = 3 if from_single else 2
            elif state == 1:
                state = 1 if from_middle else 0
            elif state == 2:  # noqa: PLR2004 - the order of a row: begin, middle, end, single
                state = 1 if end_from_middle else 0
            else:
                state = 3 if single_from_single else 2
            ends.append(state >= 2)  # noqa: PLR2004 - as above
        ends.reverse()
        return ends
