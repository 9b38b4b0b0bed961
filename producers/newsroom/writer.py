"""Scenes into articles: headline, lead, body of the wished length, closing."""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp
from random import Random

from producers.newsroom.grammar import Grammar, Rule, expand, expand_alternative
from producers.newsroom.scene import ENTITIES, POOLS, Scene, Scenery

MEDIAN_LENGTH = 540  # wished; the last paragraph goes beyond it
SHORTEST, LONGEST = 160, 5000
FLASH_LENGTHS = range(15, 51)
_SPREAD = 0.62  # sigma of the logarithm: one article in 300 reaches 3,300 characters
_DETAIL_SHARE = 0.45
# Details are the forms that stories of one frame may share, so a short text takes few of them.
_FEWEST_DETAILS, _CHARACTERS_PER_DETAIL = 1, 250
_FLASH_TRIES = 20


@dataclass(frozen=True, slots=True)
class Text:
    """A headline and plain paragraphs (no line breaks, no markup)."""

    title: str
    paragraphs: tuple[str, ...]

    def length(self) -> int:
        """Return the characters of the body, line breaks not counted."""
        return sum(map(len, self.paragraphs))


@dataclass(frozen=True, slots=True)
class Angle:
    """Which forms of its frame an article has used, so that the next report takes others."""

    frame: str
    title: int
    lead: int
    details: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Frame:
    titles: Rule
    leads: Rule
    details: Rule


class Writer:
    """Writes articles, flashes and small pieces in the words of a scene.

    Two articles share their fixed phrases only; that no two of them are near-duplicates is a
    property of the grammar's size, which the tests measure.
    """

    def __init__(self, scenery: Scenery, random: Random) -> None:
        self._grammar = Grammar(
            ("phrases.txt", "frames.txt"),
            entities=ENTITIES,
            pools=POOLS,
            lists=scenery.lists(random),
        )
        names = [name.removesuffix(".lead") for name in self._grammar.names()]
        self._frames = {
            name: _Frame(*(self._grammar[f"{name}.{part}"] for part in ("title", "lead", "detail")))
            for name in names
            if f"{name}.detail" in self._grammar.names()
        }
        self._frame_names = tuple(self._frames)
        self._paragraph = self._grammar["paragraph"]
        self._more = self._grammar["s_any"]

    def article(
        self, scene: Scene, random: Random, earlier: Angle | None = None
    ) -> tuple[Text, Angle]:
        """Return an article on ``scene``; one with an ``earlier`` angle avoids its forms."""
        name = earlier.frame if earlier else random.choice(self._frame_names)
        frame = self._frames[name]
        title = _choose(frame.titles, random, earlier.title if earlier else None)
        lead = _choose(frame.leads, random, earlier.lead if earlier else None)
        open_details = [
            number
            for number in range(len(frame.details))
            if not (earlier and number in earlier.details)
        ]
        random.shuffle(open_details)
        wished = min(LONGEST, max(SHORTEST, MEDIAN_LENGTH * exp(random.gauss(0, _SPREAD))))
        uniform = random.random
        used: list[int] = []
        head = expand_alternative(frame.leads[lead], uniform, scene.entities, scene.pools)
        paragraphs = [head]
        length = len(head)
        closing = self._piece("closing", scene, uniform)
        while length + len(closing) < wished:
            room = len(used) < _FEWEST_DETAILS + length // _CHARACTERS_PER_DETAIL
            if open_details and room and uniform() < _DETAIL_SHARE:
                number = open_details.pop()
                used.append(number)
                paragraph = expand_alternative(
                    frame.details[number], uniform, scene.entities, scene.pools
                )
                if uniform() < _DETAIL_SHARE:
                    paragraph += expand(self._more, uniform, scene.entities, scene.pools)
            else:
                paragraph = expand(self._paragraph, uniform, scene.entities, scene.pools)
            paragraphs.append(paragraph)
            length += len(paragraph)
        paragraphs.append(closing + self._piece("credit", scene, uniform))
        headline = expand_alternative(frame.titles[title], uniform, scene.entities, scene.pools)
        return Text(headline, tuple(paragraphs)), Angle(name, title, lead, frozenset(used))

    def flash(self, scene: Scene, random: Random) -> Text:
        """Return a headline of ``FLASH_LENGTHS`` characters; half of them have it as body too."""
        headline = ""
        for _ in range(_FLASH_TRIES):
            headline = self._piece("flash", scene, random.random)
            if len(headline) in FLASH_LENGTHS:
                break
        headline = headline[: FLASH_LENGTHS[-1]]
        return Text(headline, (f"{headline}。",) if random.random() < 0.5 else ())  # noqa: PLR2004

    def piece(self, rule: str, scene: Scene, random: Random, title: str = "") -> str:
        """Return one text of a named rule: ``byline``, ``footer``, ``addendum``, ..."""
        entities = scene.titled(title)
        return expand(self._grammar[rule], random.random, entities, scene.pools)

    def _piece(self, rule: str, scene: Scene, uniform: Callable[[], float]) -> str:
        return expand(self._grammar[rule], uniform, scene.entities, scene.pools)


def _choose(rule: Rule, random: Random, taken: int | None) -> int:
    """Return the number of an alternative other than ``taken``."""
    if taken is None:
        return random.randrange(len(rule))
    return (taken + random.randrange(1, len(rule))) % len(rule)
