"""jieba's hidden Markov model, and what jieba takes for a word character, in arrays.

The four states are the place of a character in a word: beginning, middle, end, single. The
probabilities are jieba's own, read from the installed package.
"""

import logging
import warnings
from importlib import import_module
from types import ModuleType

import numpy as np

from streaming.text import cutting

_STATES = "BMES"
_SYMBOLS = "+#&._%-"


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
    """The tables that `cutting.cut` takes.

    `kinds` has what each code point of the basic plane is to jieba, uint8; `emit`, of shape
    ``(characters, 4)`` from `cutting.FIRST_HAN` on, the logarithms of the probabilities of a
    character in each state; `step`, of shape ``(5, 4)``, those of a state after each other
    one, and in the last row at the beginning.
    """

    def __init__(self) -> None:
        tables = load_jieba("jieba.finalseg")
        first, last = cutting.FIRST_HAN, cutting.LAST_HAN
        self.emit = np.full((last - first + 1, len(_STATES)), cutting.IMPOSSIBLE)
        self.step = np.full((len(_STATES) + 1, len(_STATES)), cutting.IMPOSSIBLE)
        for place, state in enumerate(_STATES):
            for character, probability in tables.emit_P[state].items():
                if first <= ord(character) <= last:
                    self.emit[ord(character) - first, place] = probability
            self.step[-1, place] = tables.start_P[state]
            for other, probability in tables.trans_P[state].items():
                self.step[place, _STATES.index(other)] = probability
        self.kinds = np.full(1 << 16, cutting.OTHER, np.uint8)
        self.kinds[first : last + 1] = cutting.HAN
        for code in range(128):
            if chr(code).isalnum():
                self.kinds[code] = cutting.ALPHANUMERIC
            elif chr(code) in _SYMBOLS:
                self.kinds[code] = cutting.SYMBOL
