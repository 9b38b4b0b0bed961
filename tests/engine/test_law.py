"""The tables are a function of the log: random histories, batch cuts, crashes, replays."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from streaming import exporting
from streaming.engine.attempt import attempt as micro_batch
from streaming.engine.events import LoggedContent, by_article
from streaming.engine.judge import judge
from streaming.engine.put import put
from streaming.matching.content import Content
from streaming.matching.reference import reference
from streaming.matching.rules import Rules
from streaming.position import encode
from streaming.store.memory import MemoryStore
from streaming.store.tables import TABLES

FINGERPRINTS = (0, 0b1, 0b111, 0b1111, 0b11111, 1 << 63, (1 << 63) | 0b11, (1 << 64) - 1)


class Crash(Exception):  # noqa: N818 - a fault, not an error
    pass


class CrashingStore(MemoryStore):
    """Dies before or after the n-th change."""

    changes_left: int | None = None

    def mutate(self, table: str, mutations: Any) -> None:
        self._step()
        super().mutate(table, mutations)
        self._step()

    def _step(self) -> None:
        if self.changes_left is not None:
            self.changes_left -= 1
            if self.changes_left <= 0:
                self.changes_left = None
                raise Crash


@dataclass
class History:
    rules: Rules
    partitions: dict[int, list[LoggedContent]]

    def log(self) -> list[LoggedContent]:
        return [event for events in self.partitions.values() for event in events]


def history(rng: random.Random) -> History:
    """Skewed partitions, late and repeated articles, edits, deletions, hot fingerprints."""
    partitions: dict[int, list[LoggedContent]] = {p: [] for p in range(rng.randint(1, 4))}
    skew = {p: rng.randrange(8) for p in partitions}
    names = [f"a{i}" for i in range(rng.randint(2, 12))]
    fingerprints = rng.choice((FINGERPRINTS, FINGERPRINTS[:3], FINGERPRINTS[:1]))
    clock = 20
    for _ in range(rng.randint(4, 26)):
        clock += rng.choice((0, 0, 1, 2, 5))
        partition = rng.choice(list(partitions))
        moment = clock + skew[partition] - (rng.randrange(20) if rng.random() < 0.3 else 0)
        content = None
        if rng.random() > 0.15:
            fingerprint = rng.choice(fingerprints) if rng.random() > 0.1 else None
            content = Content(rng.choice("xy"), "", fingerprint)
        offset = len(partitions[partition])
        position = encode(max(moment, 0), "t", partition, offset)
        partitions[partition].append(LoggedContent(rng.choice(names), position, content))
    rules = Rules(
        visible=rng.choice((1, 2, 3)),
        window_ms=rng.choice((4, 8, 12, 25, 1000)),
        scope=rng.choice(("newsroom", "channel")),
    )
    return History(rules, partitions)


def attempt(
    store: MemoryStore, rules: Rules, batch: Sequence[LoggedContent], rng: random.Random
) -> None:
    def put_all() -> None:
        for task in tasks(batch, rng):
            put(store, rules, task)

    def judge_all(token: bytes, mark: bytes | None) -> None:
        for task in tasks(batch, rng):
            judge(store, rules, by_article(task), token, mark)

    micro_batch(store, max((e.position for e in batch), default=None), put_all, judge_all)


def tasks(batch: Sequence[LoggedContent], rng: random.Random) -> Iterator[list[LoggedContent]]:
    """Spread the articles of a batch over tasks, in any order."""
    count = rng.randint(1, 3)
    of_article = {event.article: rng.randrange(count) for event in batch}
    chunks = [[e for e in batch if of_article[e.article] == number] for number in range(count)]
    rng.shuffle(chunks)
    yield from (chunk for chunk in chunks if chunk)


def run(world: History, store: CrashingStore, rng: random.Random, *, crash: float) -> None:
    done = dict.fromkeys(world.partitions, 0)
    replay = rng.random() < 0.3
    while True:
        if all(done[p] >= len(events) for p, events in world.partitions.items()):
            if not replay:
                return
            replay, done = False, dict.fromkeys(world.partitions, 0)
        ends = {
            p: min(len(events), done[p] + rng.choice((0, 1, 2, 6)))
            for p, events in world.partitions.items()
        }
        batch = [e for p, events in world.partitions.items() for e in events[done[p] : ends[p]]]
        store.changes_left = rng.randint(1, 20) if rng.random() < crash else None
        try:
            attempt(store, world.rules, batch, rng)
        except Crash:
            continue  # the same offsets again, cut anew
        store.changes_left = None
        done = ends


@pytest.mark.parametrize("crash", [0.0, 0.5])
@pytest.mark.parametrize("block", range(8))
def test_tables_are_a_function_of_the_log(crash: float, block: int) -> None:
    verdicts = 0
    for seed in range(block * 100, block * 100 + 100):
        rng = random.Random(seed)
        world = history(rng)
        store = CrashingStore(f"law-{crash}-{seed}")
        store.ensure_tables(TABLES)
        run(world, store, rng, crash=crash)
        log = [(e.position, e.article, e.content) for e in world.log()]
        expected = exporting.expected_verdicts(reference(log, world.rules))
        exported = {line["article_id"]: line for line in exporting.verdicts(store)}
        assert exported == expected, f"seed {seed}"
        verdicts += sum(line["duplicate_of"] is not None for line in expected.values())
    assert verdicts > 100, "histories too bland to show anything"
