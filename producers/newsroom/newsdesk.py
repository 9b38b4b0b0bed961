"""The desk that writes: originals, flashes, second reports, and the forms of the day."""

from random import Random

from producers.newsroom.envelope import Story, joined
from producers.newsroom.floor import Floor
from producers.newsroom.markup import html
from producers.newsroom.scene import Scene
from producers.newsroom.truth import SimulatedEvent

LATE_SECONDS = (1800, 3 * 86_400)


class NewsDesk:
    """Makes what is not a copy; everything but second reports may be copied afterwards."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._serials: dict[str, int] = dict.fromkeys(floor.kit.families.names, 0)
        self._first_issues: dict[str, str] = {}

    def original(self, kind: str, random: Random) -> SimulatedEvent:
        """Return an original; of kind ``html`` as markup, of kind ``late`` published long ago."""
        story = self.draft(kind, random)
        self._floor.keep(story)
        return self._floor.send(story, kind)

    def draft(self, kind: str, random: Random) -> Story:
        """Return an original that nobody has sent or may copy yet."""
        channel, scene = self._scene(random)
        text, angle = self._floor.kit.writer.article(scene, random)
        return self._floor.story(
            random,
            channel,
            text,
            html(text.paragraphs, random) if kind == "html" else None,
            scene=scene,
            angle=angle,
            age_seconds=random.randint(*LATE_SECONDS) if kind == "late" else None,
        )

    def flash(self, kind: str, random: Random) -> SimulatedEvent:
        """Return a headline on its own."""
        floor = self._floor
        channel, scene = self._scene(random)
        text = floor.kit.writer.flash(scene, random)
        story = floor.story(random, channel, text, joined(text, "\n"))
        floor.keep(story)
        return floor.send(story, kind)

    def related(self, kind: str, random: Random) -> SimulatedEvent | None:
        """Return a second report of a recent original, in other words."""
        floor = self._floor
        origin = floor.pick(random, lambda story: story.angle is not None)
        if origin is None or origin.scene is None:
            return None
        text, _ = floor.kit.writer.article(origin.scene, random, origin.angle)
        return floor.send(floor.story(random, origin.channel, text), kind, origin)

    def template(self, kind: str, random: Random) -> SimulatedEvent:
        """Return the next issue of a form; its origin is the first issue of this pass."""
        floor = self._floor
        family = random.choice(floor.kit.families.names)
        self._serials[family] += 1
        text = floor.kit.families.issue(family, self._serials[family], random, floor.now())
        story = floor.story(random, random.choice(floor.kit.channels), text)
        first = self._first_issues.setdefault(family, story.article_id)
        floor.keep(story)
        if first == story.article_id:
            return floor.send(story, f"{kind}:{family}")
        return floor.send(story, f"{kind}:{family}", first, "template")

    def _scene(self, random: Random) -> tuple[str, Scene]:
        floor = self._floor
        channel = random.choice(floor.kit.channels)
        scene = floor.kit.scenery.scene(channel, random, floor.now())
        return channel, scene
