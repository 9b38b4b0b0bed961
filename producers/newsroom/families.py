"""Forms that are filled in again and again: weather, markets, notices, bulletins.

Two issues of a family agree in everything but figures, dates, names and a few words of a closed
list, and are not duplicates of each other: each reports something else. The serial number of an
issue occurs in its body and never returns.
"""

from datetime import datetime
from random import Random

from producers.newsroom.grammar import Grammar, expand
from producers.newsroom.lexicon import blocks
from producers.newsroom.scene import Scenery
from producers.newsroom.writer import Text

_ENTITIES = (
    *("city", "a1", "a2", "a3", "c1", "c2", "c3", "p1", "p2", "p3", "p4"),
    *("date", "year", "serial", "amount", "alert", "goods"),
)
_AREA_NAMES = 3
_AMOUNTS = (120, 9800)
_PARAGRAPH_END = "|"  # in the data file
# What a1, a2 and a3 are in a family that is not about districts.
_SECTOR_FAMILIES = frozenset({"marketwrap"})
_STREET_FAMILIES = frozenset({"traffic"})
_STREETS = ("大道", "路", "街", "桥", "大街", "立交")


class Families:
    """All template families, by name."""

    def __init__(self, scenery: Scenery) -> None:
        self._scenery = scenery
        self._names = dict(blocks("names.txt"))
        self._sectors = dict(blocks("words.txt"))["sectors"]
        self._grammar = Grammar(("families.txt",), entities=_ENTITIES)
        self.names = tuple(
            name.removesuffix(".body") for name in self._grammar.names() if name.endswith(".body")
        )

    def issue(self, family: str, serial: int, random: Random, when: datetime) -> Text:
        """Return issue number ``serial`` of a family, dated ``when``."""
        names, scenery = self._names, self._scenery
        city = random.choice(names["cities"])
        entities = (
            city,
            *self._areas(family, city, random),
            *(scenery.company(random) for _ in range(3)),
            *(scenery.person(random) for _ in range(4)),
            f"{when.month}月{when.day}日",
            str(when.year),
            str(serial),
            str(random.randint(*_AMOUNTS)),
            expand(self._grammar["alert"], random.random, ()),
            expand(self._grammar["goods"], random.random, ()),
        )
        body = expand(self._grammar[f"{family}.body"], random.random, entities)
        title = expand(self._grammar[f"{family}.title"], random.random, entities)
        return Text(title, tuple(body.split(_PARAGRAPH_END)))

    def _areas(self, family: str, city: str, random: Random) -> list[str]:
        if family in _SECTOR_FAMILIES:
            return random.sample(self._sectors, _AREA_NAMES)
        if family in _STREET_FAMILIES:
            first, second = self._names["brand_first"], self._names["brand_second"]
            return [
                random.choice(first) + random.choice(second) + random.choice(_STREETS)
                for _ in range(_AREA_NAMES)
            ]
        return [city + area for area in random.sample(self._names["districts"], _AREA_NAMES)]
