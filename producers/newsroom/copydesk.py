"""The desk that copies: reposts, edits, excerpts, and the copies of a viral story."""

from collections.abc import Callable
from random import Random

from producers.newsroom import edits
from producers.newsroom.envelope import Story
from producers.newsroom.floor import Floor
from producers.newsroom.markup import html
from producers.newsroom.truth import Relation, SimulatedEvent
from producers.newsroom.writer import Text

Edit = Callable[[Text, Random], Text | None]

EDITS: dict[str, tuple[Edit, Relation]] = {
    "punctuation": (edits.punctuation, "duplicate"),
    "cut_lead": (edits.cut_lead, "duplicate"),
    "reordered": (edits.reordered, "duplicate"),
    "replaced_01": (lambda text, random: edits.replaced(text, random, 0.01), "duplicate"),
    "replaced_05": (lambda text, random: edits.replaced(text, random, 0.05), "duplicate"),
    "replaced_10": (lambda text, random: edits.replaced(text, random, 0.10), "duplicate"),
    "replaced_20": (lambda text, random: edits.replaced(text, random, 0.20), "duplicate"),
    "excerpt": (edits.excerpt, "contained_in"),
    "renumbered": (edits.renumbered, "template"),
}
_SAME_CHANNEL_SHARE = 0.7
_EDITS_TRIED = 6
_VIRAL_STYLES = (("verbatim", 0.45), ("byline", 0.8), ("punctuation", 1.0))
_MOST_LINES = 2


class CopyDesk:
    """Makes copies of recent stories; copies are not copied again."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def verbatim(self, kind: str, random: Random) -> SimulatedEvent | None:
        """Return the same title and body, by somebody else."""
        origin = self._floor.pick(random, lambda _: True)
        return self._copy(kind, origin, origin.text, random, origin.body) if origin else None

    def byline(self, kind: str, random: Random) -> SimulatedEvent | None:
        """Return the whole text between bylines and footers."""
        origin = self._floor.pick(random, _long)
        return self._copy(kind, origin, self._signed(origin, random), random) if origin else None

    def markup(self, kind: str, random: Random) -> SimulatedEvent | None:
        """Return the same text as HTML."""
        origin = self._floor.pick(random, _long)
        if origin is None:
            return None
        return self._copy(kind, origin, origin.text, random, html(origin.text.paragraphs, random))

    def edited(self, kind: str, random: Random) -> SimulatedEvent | None:
        """Return a copy edited as ``EDITS`` says for its kind."""
        edit, relation = EDITS[kind]
        for _ in range(_EDITS_TRIED):
            origin = self._floor.pick(random, _long)
            text = edit(origin.text, random) if origin else None
            if origin and text:
                return self._copy(kind, origin, text, random, relation=relation)
        return None

    def viral(self, origin: Story, random: Random) -> SimulatedEvent:
        """Return one copy of a burst, in any channel."""
        drawn = random.random()
        style = next(style for style, end in _VIRAL_STYLES if drawn < end)
        text, body = origin.text, None
        if style == "verbatim":
            body = origin.body
        elif style == "byline":
            text = self._signed(origin, random)
        else:
            text = edits.punctuation(origin.text, random) or text
        return self._copy("viral", origin, text, random, body, everywhere=True)

    def _copy(
        self,
        kind: str,
        origin: Story,
        text: Text,
        random: Random,
        body: str | None = None,
        *,
        relation: Relation = "duplicate",
        everywhere: bool = False,
    ) -> SimulatedEvent:
        floor = self._floor
        channel = origin.channel
        if everywhere or random.random() > _SAME_CHANNEL_SHARE:
            channel = random.choice(floor.kit.channels)
        return floor.send(floor.story(random, channel, text, body), kind, origin, relation)

    def _signed(self, origin: Story, random: Random) -> Text:
        scene = origin.scene or self._floor.kit.scenery.scene(
            origin.channel, random, self._floor.now()
        )
        write = self._floor.kit.writer.piece
        return edits.byline(
            origin.text,
            random,
            title=write("repost_title", scene, random, origin.text.title),
            headers=[write("byline", scene, random) for _ in range(random.randint(1, _MOST_LINES))],
            footers=[write("footer", scene, random) for _ in range(random.randint(1, _MOST_LINES))],
        )


def _long(story: Story) -> bool:
    return story.text.length() >= edits.SHORTEST_EDITED
