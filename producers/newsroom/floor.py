"""What all desks share during one pass: the clock, the ids, the stories that can be copied."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random

from producers.newsroom.envelope import SEPARATORS, Story, encode, joined, moment, payload, record
from producers.newsroom.families import Families
from producers.newsroom.mix import Mix
from producers.newsroom.scene import Scene, Scenery
from producers.newsroom.truth import Relation, SimulatedEvent, Truth
from producers.newsroom.writer import Angle, Text, Writer

_PROMPT_SECONDS = 20  # an article arrives this soon after it was published
_TRIES = 12


@dataclass(frozen=True, slots=True)
class Kit:
    """What every pass through one newsroom shares and never changes."""

    channels: tuple[str, ...]
    outlets: tuple[str, ...]
    scenery: Scenery
    writer: Writer
    families: Families
    mix: Mix
    gap_ms: float
    max_bytes: int
    pool_size: int


class Floor:
    """The changing state of one pass; holds ``pool_size`` stories at most.

    ``now_ms`` and ``number`` (of the event being made) are set by the run.
    """

    def __init__(self, seed: int, now_ms: int, kit: Kit) -> None:
        self.kit = kit
        self.now_ms = now_ms
        self.number = 0
        self._seed = seed
        self._recent: list[Story] = []
        self._kept = 0

    def now(self) -> datetime:
        """Return the time of the event being made, in China."""
        return moment(self.now_ms // 1000)

    def next_id(self) -> str:
        """Return the id of the article being made."""
        return f"nr{self._seed}-{self.number:08d}"

    def story(
        self,
        random: Random,
        channel: str,
        text: Text,
        body: str | None = None,
        *,
        scene: Scene | None = None,
        angle: Angle | None = None,
        age_seconds: int | None = None,
    ) -> Story:
        """Return a story under a new id; without a ``body`` its text is joined in some style."""
        if age_seconds is None:
            age_seconds = random.randrange(_PROMPT_SECONDS)
        return Story(
            article_id=self.next_id(),
            channel=channel,
            source=random.choice(self.kit.outlets),
            author=self.kit.scenery.person(random),
            published=self.now_ms // 1000 - age_seconds,
            text=text,
            body=joined(text, random.choice(SEPARATORS)) if body is None else body,
            scene=scene,
            angle=angle,
        )

    def keep(self, story: Story) -> None:
        """Offer the story to be copied; the oldest makes room for it."""
        if len(self._recent) < self.kit.pool_size:
            self._recent.append(story)
        else:
            self._recent[self._kept % len(self._recent)] = story
        self._kept += 1

    def pick(self, random: Random, suits: Callable[[Story], bool]) -> Story | None:
        """Return a recent story that ``suits``, or None when a dozen at random do not."""
        for _ in range(_TRIES if self._recent else 0):
            story = random.choice(self._recent)
            if suits(story):
                return story
        return None

    def supersede(self, story: Story, successor: Story | None) -> None:
        """Put the next version of a recent story in its place, or take it out."""
        at = self._recent.index(story)
        if successor is not None:
            self._recent[at] = successor
        else:
            self._recent[at] = self._recent[-1]
            self._recent.pop()

    def __len__(self) -> int:
        return len(self._recent)

    def send(
        self,
        story: Story,
        kind: str,
        origin: Story | str | None = None,
        relation: Relation | None = None,
        event: str = "created",
    ) -> SimulatedEvent:
        """Return the event of a story, arriving now."""
        origin_id = origin.article_id if isinstance(origin, Story) else origin
        return SimulatedEvent(
            record(story.article_id, encode(payload(story, event)), self.now_ms),
            Truth(story.article_id, kind, origin_id, relation),
        )
