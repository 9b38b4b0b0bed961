"""A small context-free grammar: read from data files, compiled once, expanded quickly.

A file is a list of rules: ``[name]``, then one alternative to a line (``-`` is the empty one,
``3* text`` weighs three). Inside an alternative

=============  =================================================================
``{rule}``     one alternative of another rule
``{@name}``    an entity: the same text throughout one story
``{~pool}``    a word of a pool: a story's own few, or one of all by Zipf's law
``{#2-98}``    a number of that range
``{one|two}``  one of these texts, which hold no slots
=============  =================================================================
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import resources
from typing import NamedTuple, Union

Part = Union[str, int, tuple[int, int], "Rule"]  # a number is an entity, ~number a pool
Alternative = str | tuple[Part, ...]
Rule = list[Alternative]

_SLOT = re.compile(r"\{([^{}]*)\}")
_WEIGHT = re.compile(r"(\d+)\* ?(.*)")
_LISTED_NUMBERS = 1000  # a shorter range becomes a rule of its numbers, which is faster
_FLATTENING = 6.0  # q of Zipf-Mandelbrot: the first words do not drown the others
_TABLE_SIZE = 1024
_OWN_SHARE = 0.4  # a story returns to its own few words this often


class Pool(NamedTuple):
    """Words to draw from: a story's own few, and a topic's table (see ``zipf_table``)."""

    own: Sequence[str]
    table: Sequence[str]


def zipf_table(words: Sequence[str]) -> tuple[str, ...]:
    """Return ``words`` so often that a uniform draw follows Zipf and Mandelbrot's law.

    The first word is the most frequent; weight 1 / (rank + q), cumulated by its integral.
    """
    ratio = (len(words) + _FLATTENING) / _FLATTENING
    ranks = (
        int(_FLATTENING * ratio ** ((number + 0.5) / _TABLE_SIZE) - _FLATTENING)
        for number in range(_TABLE_SIZE)
    )
    return tuple(words[rank] for rank in ranks)


class Grammar:
    """The rules of some data files and of ``lists``, compiled against named slots.

    Raises ``KeyError`` with the name of a slot that nothing fills, at construction.
    """

    def __init__(
        self,
        files: Iterable[str],
        *,
        entities: Sequence[str],
        pools: Sequence[str] = (),
        lists: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        sources: dict[str, list[str]] = {name: list(words) for name, words in (lists or {}).items()}
        for file in files:
            _read(file, sources)
        self._entities = {name: number for number, name in enumerate(entities)}
        self._pools = {name: ~number for number, name in enumerate(pools)}
        self._rules: dict[str, Rule] = {name: [] for name in sources}
        for name, lines in sources.items():
            self._rules[name].extend(self._alternative(line) for line in lines)

    def __getitem__(self, name: str) -> Rule:
        """Return a rule by its name."""
        return self._rules[name]

    def names(self) -> tuple[str, ...]:
        """Return the names of all rules, in the order of the files."""
        return tuple(self._rules)

    def _alternative(self, line: str) -> Alternative:
        pieces = _SLOT.split(line)
        if len(pieces) == 1:
            return line
        return tuple(
            self._slot(piece) if number % 2 else piece
            for number, piece in enumerate(pieces)
            if piece
        )

    def _slot(self, slot: str) -> Part:
        if "|" in slot:
            return [*slot.split("|")]
        sign, rest = slot[0], slot[1:]
        if sign == "@":
            return self._entities[rest]
        if sign == "~":
            return self._pools[rest]
        if sign == "#":
            low, high = map(int, rest.split("-"))
            if high - low < _LISTED_NUMBERS:
                return [str(number) for number in range(low, high + 1)]
            return low, high - low + 1
        return self._rules[slot]


def expand(
    rule: Rule, uniform: Callable[[], float], entities: Sequence[str], pools: Sequence[Pool] = ()
) -> str:
    """Return one text of ``rule``; ``uniform`` draws from [0, 1)."""
    return expand_alternative(rule[int(uniform() * len(rule))], uniform, entities, pools)


def expand_alternative(
    alternative: Alternative,
    uniform: Callable[[], float],
    entities: Sequence[str],
    pools: Sequence[Pool] = (),
) -> str:
    """Return one text of a chosen alternative."""
    if isinstance(alternative, str):
        return alternative
    out: list[str] = []
    _walk(alternative, uniform, entities, pools, out.append)
    return "".join(out)


def _walk(
    parts: tuple[Part, ...],
    uniform: Callable[[], float],
    entities: Sequence[str],
    pools: Sequence[Pool],
    add: Callable[[str], None],
) -> None:
    # The innermost loop of the simulator: exact types, the frequent ones first.
    for part in parts:
        if type(part) is str:
            add(part)
        elif type(part) is list:
            chosen = part[int(uniform() * len(part))]
            if type(chosen) is str:
                add(chosen)
            else:
                _walk(chosen, uniform, entities, pools, add)  # type: ignore[arg-type]
        elif type(part) is int:
            if part >= 0:
                add(entities[part])
            else:
                own, table = pools[~part]
                drawn = uniform()
                if drawn < _OWN_SHARE:
                    add(own[int(drawn / _OWN_SHARE * len(own))])
                else:
                    add(table[int((drawn - _OWN_SHARE) / (1 - _OWN_SHARE) * _TABLE_SIZE)])
        elif type(part) is tuple:
            add(str(part[0] + int(uniform() * part[1])))


def _read(file: str, into: dict[str, list[str]]) -> None:
    text = resources.files(__package__).joinpath("data", file).read_text("utf-8")
    current: list[str] = []
    for line in text.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith("["):
            current = into.setdefault(line.strip("[]"), [])
            continue
        weighed = _WEIGHT.fullmatch(line)
        weight, content = (int(weighed[1]), weighed[2]) if weighed else (1, line)
        current.extend(["" if content == "-" else content] * weight)
