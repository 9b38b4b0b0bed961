"""One pass through a newsroom: which kind of event comes when.

The number of an event seeds its own random numbers, so it depends on its number and on the
stories before it, never on how much randomness those consumed.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import replace
from heapq import heappop, heappush
from random import Random

from producers.newsroom.copydesk import EDITS, CopyDesk
from producers.newsroom.envelope import Story, joined, payload, record, written_differently
from producers.newsroom.floor import Floor, Kit
from producers.newsroom.malformed import REASONS, spoil
from producers.newsroom.newsdesk import NewsDesk
from producers.newsroom.randomness import stream
from producers.newsroom.truth import SimulatedEvent, Truth
from producers.newsroom.writer import Text

BURST_COPIES = (20, 200)
BURST_SECONDS = (120, 1200)
MOST_PENDING = 2000  # copies of bursts waiting for their time; at this, no more bursts start
REPEATABLE = 256
_BURST_LENGTH = 140
_HALF = 0.5

Desk = Callable[[str, Random], SimulatedEvent | None]


class Run:
    """The state of one pass: the floor, ``REPEATABLE`` events and ``MOST_PENDING`` copies."""

    def __init__(self, seed: int, start_ms: int, kit: Kit) -> None:
        self._seed = seed
        self._kit = kit
        self._floor = Floor(seed, start_ms, kit)
        self._news = NewsDesk(self._floor)
        self._copies = CopyDesk(self._floor)
        self._sent: list[SimulatedEvent] = []
        self._pending: list[tuple[int, int, Story]] = []
        desks = self._desks()
        thresholds = kit.mix.thresholds()
        self._ends = [end for end, _ in thresholds]
        self._kinds = [(kind, desks[kind]) for _, kind in thresholds]

    def __iter__(self) -> Iterator[SimulatedEvent]:
        """Yield events in the order of their timestamps, forever."""
        gaps = stream(self._seed, "arrivals")
        rate = 1 / self._kit.gap_ms
        arrival = float(self._floor.now_ms)
        while True:
            arrival += gaps.expovariate(rate)
            while self._pending and self._pending[0][0] <= arrival:
                due, _, story = heappop(self._pending)
                yield self._copies.viral(story, self._next(due))
            event = self._draw(self._next(int(arrival)))
            self._remember(event)
            yield event

    def held(self) -> int:
        """Return how many stories and events this pass holds in memory."""
        return len(self._floor) + len(self._sent) + len(self._pending)

    def _next(self, now_ms: int) -> Random:
        """Set the clock to the next event and return its random numbers."""
        self._floor.now_ms = now_ms
        self._floor.number += 1
        return stream(self._seed, self._floor.number)

    def _draw(self, random: Random) -> SimulatedEvent:
        """Return an event of the drawn kind, or an original where that kind is not possible."""
        at = bisect_right(self._ends, random.random())
        event = None
        if at < len(self._kinds):
            kind, desk = self._kinds[at]
            event = desk(kind, random)
        return event or self._news.original("original", random)

    def _remember(self, event: SimulatedEvent) -> None:
        if event.truth is None or event.truth.kind.startswith(("malformed", "repeated", "deleted")):
            return
        if len(self._sent) < REPEATABLE:
            self._sent.append(event)
        else:
            self._sent[self._floor.number % REPEATABLE] = event

    def _desks(self) -> dict[str, Desk]:
        return {
            "related": self._news.related,
            "flash": self._news.flash,
            "html": self._news.original,
            "late": self._news.original,
            "template": self._news.template,
            "verbatim": self._copies.verbatim,
            "byline": self._copies.byline,
            "markup": self._copies.markup,
            **dict.fromkeys(EDITS, self._copies.edited),
            "viral": self._burst,
            "repeated": self._repeat,
            "malformed": self._malformed,
            "updated": self._update,
            "deleted": self._delete,
        }

    def _burst(self, _: str, random: Random) -> SimulatedEvent | None:
        """Return the first copy of a burst, having scheduled the others."""
        story = self._floor.pick(random, lambda story: story.text.length() >= _BURST_LENGTH)
        if story is None or len(self._pending) >= MOST_PENDING:
            return None
        seconds = random.randint(*BURST_SECONDS)
        for copy in range(random.randint(*BURST_COPIES) - 1):
            # Squared: most copies come early, as they do.
            due = self._floor.now_ms + int(random.random() ** 2 * seconds * 1000)
            heappush(self._pending, (due, self._floor.number * 1000 + copy, story))
        return self._copies.viral(story, random)

    def _repeat(self, kind: str, random: Random) -> SimulatedEvent | None:
        """Return an event sent before, byte for byte or written differently."""
        if not self._sent:
            return None
        earlier = random.choice(self._sent)
        key, value = earlier.record.key, earlier.record.value
        if key is None or value is None:
            return None
        if random.random() < _HALF:
            value = written_differently(value)
        article_id = key.decode()
        return SimulatedEvent(
            record(article_id, value, self._floor.now_ms),
            Truth(article_id, kind, article_id, None),
        )

    def _malformed(self, kind: str, random: Random) -> SimulatedEvent:
        story = self._news.draft(kind, random)
        reason = random.choice(REASONS)
        value = spoil(reason, payload(story, "created"), random, self._kit.max_bytes)
        return SimulatedEvent(
            record(story.article_id, value, self._floor.now_ms),
            Truth(story.article_id, f"{kind}:{reason}", None, None),
        )

    def _update(self, kind: str, random: Random) -> SimulatedEvent | None:
        """Return a recent article under its id, with a paragraph more."""
        story = self._floor.pick(random, lambda story: story.scene is not None)
        if story is None or story.scene is None:
            return None
        addendum = self._kit.writer.piece("addendum", story.scene, random)
        text = Text(story.text.title, (*story.text.paragraphs, addendum))
        successor = replace(story, text=text, body=joined(text, "\n"))
        self._floor.supersede(story, successor)
        return self._floor.send(successor, kind, event="updated")

    def _delete(self, kind: str, random: Random) -> SimulatedEvent | None:
        """Return the withdrawal of a recent article: an event, or a null value under its key."""
        story = self._floor.pick(random, lambda _: True)
        if story is None:
            return None
        self._floor.supersede(story, None)
        if random.random() < _HALF:
            return self._floor.send(story, kind, event="deleted")
        return SimulatedEvent(
            record(story.article_id, None, self._floor.now_ms),
            Truth(story.article_id, kind, None, None),
        )
