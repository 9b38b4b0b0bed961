"""Random logs: skewed partitions, late and repeated events, edits, deletions, editors, hot keys."""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from streaming.engine.events import Logged, LoggedContent, LoggedOverride, became
from streaming.fingerprints.bands import BandScheme
from streaming.matching.content import Content, packed
from streaming.matching.evidence import evidence
from streaming.matching.overrides import Override, Ruling
from streaming.matching.rules import Rules
from streaming.position import Position, encode, timestamp_ms
from streaming.similar.description import SCALE, Description
from streaming.similar.scoring import Ranking

K = 1
SHINGLED = 0.5
"""How often fingerprints do not decide alone."""
UNIT_MS = 20_000
"""The smallest step of a log's time: events of three of them are in one minute."""
LATEST_MS = 30 * UNIT_MS
"""No event comes later than this after its time stamp, if partitions are read side by side."""
NEAR = (0, 0b1, 0b11, 0b111, 1 << 63, (1 << 63) | 1, 1 << 31, (1 << 64) - 1)
Partition = tuple[str, int]


def _text(
    length: int,
    grams: Iterable[int],
    figures: Iterable[tuple[int, int]] = (),
    subject: Iterable[int] = (),
) -> bytes:
    def hashes(values: Iterable[int]) -> NDArray[np.uint64]:
        return np.array(list(values), dtype=np.uint64) << np.uint64(32)

    pairs = hashes(each for pair in figures for each in pair).reshape(-1, 2)
    words = hashes([*grams, *(raw for raw, _ in figures)])
    return evidence(length, words, pairs, pairs[:0], (hashes(subject), hashes(subject)))


FORM = 9999
TEXTS = (
    b"",
    _text(200, range(100)),
    _text(210, range(5, 105)),
    _text(40, range(20)),
    _text(220, range(50, 150)),
    _text(200, range(20, 120), subject=[1]),
    _text(200, range(40, 140), subject=[2]),
    _text(150, range(200, 220), [(301, FORM), (302, FORM + 1)]),
    _text(150, range(200, 220), [(303, FORM), (304, FORM + 1)]),
)
"""Evidence of no text, a text, an edit, an excerpt, something like it, two pairs of a form."""
SHINGLES = tuple(map(packed, ((), (1,), (1, 2), (2, 3))))
MODELS = ("m", "n")


def _described(*keywords: int, vector: int = 0, cells: tuple[int, ...] = ()) -> Description:
    weight = round(SCALE / len(keywords) ** 0.5) if keywords else 0
    return Description(
        np.array([SCALE, 0] if vector == 1 else [0, vector * SCALE // 2], dtype=np.int16),
        np.array(sorted(keywords), dtype=np.uint64),
        np.array([weight] * len(keywords), dtype=np.int16),
        cells,
    )


DESCRIPTIONS = tuple(
    each.encode()
    for each in (
        _described(),
        _described(1, 2),
        _described(2, 3, vector=1, cells=(0, 1)),
        _described(3, 4, vector=2, cells=(1,)),
        _described(1, 2, 3, 4, vector=1, cells=(1, 0)),
        _described(5, vector=2, cells=(0,)),
        _described(vector=1, cells=(0, 1)),
    )
)
"""What a model may say of texts: without words, without a vector, much and little alike."""


class Kind(StrEnum):
    """What an event does to its article, as far as a fault may hit it differently."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    LATE = "late"
    OVERRIDE = "override"
    HOT = "hot"


@dataclass
class History:
    """A log, and the rules it is judged under.

    ``forget_ms`` is the shortest time after which tables may forget, 0 if it must be all.
    """

    rules: Rules
    partitions: dict[Partition, list[Logged]]
    forget_ms: int = 0
    rankings: dict[str, Ranking] = field(default_factory=lambda: dict.fromkeys(MODELS, Ranking()))
    kinds: dict[Position, set[Kind]] = field(default_factory=dict)

    def log(self) -> list[Logged]:
        return [event for events in self.partitions.values() for event in events]

    def described(self, model: str) -> dict[str, Description]:
        """What the current text of every article is like under a model."""
        contents = [e for e in self.log() if isinstance(e, LoggedContent) and e.described]
        return {
            event.article: Description.decode(event.described[model])
            for event in sorted(contents, key=lambda each: each.position)
        }

    def became(self) -> list[tuple[Position, str, Content | Override | None]]:
        """The log as the reference takes it."""
        return [became(event) for event in self.log()]


STYLES = ("mixed", "mixed", "late", "late", "hot", "editors")


def history(
    rng: random.Random,
    *,
    topics: int | None = None,
    style: str | None = None,
) -> History:
    """One log.

    ``late``: few articles, one or two keys, long jumps back, deletions. ``hot``: one key
    and many articles, so that heads outgrow their size. ``editors``: overrides. ``brief``:
    articles are edited soon or never, over a time in which much may be forgotten.
    """
    style = style or rng.choice(STYLES)
    count = rng.randrange(15, 36) if style == "brief" else rng.randrange(5, 26)
    several = {"mixed": rng.randrange(3, 4 + count // 2), "hot": count, "brief": count // 2}
    names = [f"a{i}" for i in range(several.get(style) or rng.randrange(3, 6))]
    places = _places(rng, topics or (2 if style == "late" else rng.choice((1, 1, 2))))
    home = {name: rng.choice(sorted(places)) for name in names}
    fingerprints = rng.choice((NEAR[:1], NEAR[:3], NEAR)) if style != "hot" else NEAR[:2]
    rules = Rules(
        k=K,
        bands=BandScheme(2, 1),
        visible=rng.choice((1, 2, 2, 3)) if style == "mixed" else rng.choice((1, 1, 2)),
        window_ms=rng.choice((4, 8, 12, 25, 100) if style != "brief" else (4, 8)) * UNIT_MS,
        scope=rng.choice(("newsroom", "newsroom", "channel")),
        max_matches=rng.choice((1, 2, 20)),
        shingles=rng.random() < SHINGLED,
        verify_simhash=rng.random() < SHINGLED,
    )
    made = History(
        rules,
        {p: [] for ps in places.values() for p in ps},
        rankings={model: _ranking(rng, rules) for model in MODELS},
    )
    skew = {p: rng.randrange(7) for p in made.partitions}
    append_time = {topic: rng.random() < 0.5 for topic in places}
    clock = 20
    for number in range(count):
        clock += rng.choice((0, 0, 1, 1, 2, 5) if style != "brief" else (0, 1, 5, 10))
        name = rng.choice(names)
        if style == "brief":
            name = names[min(number // 3 + rng.randrange(2), len(names) - 1)]
        strayed = rng.random() < (0.5 if style == "late" else 0.2)
        topic = rng.choice(sorted(places)) if strayed else home[name]
        # The key of a message chooses its partition: all of an article's are in one.
        partition = places[topic][int(name[1:]) * 7 % len(places[topic])]
        moment = clock + skew[partition]
        events = made.partitions[partition]
        if append_time[topic]:
            moment = max([moment, *(timestamp_ms(e.position) // UNIT_MS for e in events[-1:])])
        elif rng.random() < (0.6 if style == "brief" else 0.35):
            moment = max(0, moment - rng.randrange(20))
        position = encode(moment * UNIT_MS, topic, partition[1], len(events))
        events.append(_event(rng, style, name, names, position, fingerprints))
    name_kinds(made)
    if style == "brief":
        made.forget_ms = rules.window_ms + _longest_life(made) + LATEST_MS
    return made


def _ranking(rng: random.Random, rules: Rules) -> Ranking:
    return Ranking(
        scope=rng.choice(("channel", "newsroom")),
        window_ms=min(rules.window_ms, rng.choice((4, 12, 100)) * UNIT_MS),
        half_life_ms=rng.choice((0, 6 * 3_600_000)),
        vector_weight=rng.choice((0.0, 0.3)),
        size=rng.choice((1, 2, 3)),
        per_story=rng.choice((1, 2)),
    )


def _longest_life(made: History) -> int:
    """How long after the first event about an article there still is one, at most.

    What happens to an article has those judged again that an override ties to it, whichever
    of the two it names; so it is about them as well.
    """
    tied: dict[str, set[str]] = defaultdict(set)
    for event in made.log():
        other = event.override.other if isinstance(event, LoggedOverride) else None
        if other is not None:
            tied[event.article].add(other)
            tied[other].add(event.article)
    moments: dict[str, list[int]] = defaultdict(list)
    for event in made.log():
        for name in (event.article, *tied[event.article]):
            moments[name].append(timestamp_ms(event.position))
    return max((max(each) - min(each) for each in moments.values()), default=0)


def _places(rng: random.Random, count: int) -> dict[str, list[Partition]]:
    return {
        topic: [(topic, number) for number in range(rng.randrange(1, 4))]
        for topic in ("t", "u")[:count]
    }


def _event(
    rng: random.Random,
    style: str,
    name: str,
    names: list[str],
    position: Position,
    fingerprints: tuple[int, ...],
) -> Logged:
    if rng.random() < {"editors": 0.35, "brief": 0.15}.get(style, 0.08):
        ruling = rng.choice(
            (Ruling.ORIGINAL, Ruling.ORIGINAL, Ruling.NOT_DUPLICATE, Ruling.RELEASED)
        )
        other = rng.choice([n for n in [*names, "nobody"] if n != name])
        if ruling is Ruling.RELEASED and rng.random() < 0.5:
            return LoggedOverride(name, position, Override(ruling, None))
        return LoggedOverride(name, position, Override(ruling, other))
    if rng.random() < (0.3 if style == "late" else 0.15):
        return LoggedContent(name, position, None)
    fingerprint = rng.choice(fingerprints) if rng.random() > 0.05 else None
    content = Content(
        rng.choice("xxy"),
        rng.choice(("", "agency")),
        fingerprint,
        shingles=rng.choice(SHINGLES),
        evidence=rng.choice(TEXTS),
    )
    return LoggedContent(
        name, position, content, described={model: rng.choice(DESCRIPTIONS) for model in MODELS}
    )


def name_kinds(made: History) -> None:
    contents: dict[str, list[Position]] = defaultdict(list)
    carriers: dict[int, set[str]] = defaultdict(set)
    for event in sorted(made.log(), key=lambda e: e.position):
        if isinstance(event, LoggedContent) and event.content is not None:
            contents[event.article].append(event.position)
            if event.content.fingerprint is not None:
                carriers[event.content.fingerprint].add(event.article)
    for events in made.partitions.values():
        latest = 0
        for event in events:
            moment = timestamp_ms(event.position)
            made.kinds[event.position] = set(_kinds(made, event, contents, carriers))
            if moment < latest:
                made.kinds[event.position].add(Kind.LATE)
            latest = max(latest, moment)


def _kinds(
    made: History,
    event: Logged,
    contents: dict[str, list[Position]],
    carriers: dict[int, set[str]],
) -> Iterator[Kind]:
    if isinstance(event, LoggedOverride):
        yield Kind.OVERRIDE
    elif event.content is None:
        yield Kind.DELETE
    else:
        yield Kind.CREATE if event.position == contents[event.article][0] else Kind.UPDATE
        fingerprint = event.content.fingerprint
        if fingerprint is not None and len(carriers[fingerprint]) > made.rules.visible:
            yield Kind.HOT
