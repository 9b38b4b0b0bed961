"""The tables are a function of the log, whatever happens to the queries that fill them."""

import random
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from streaming.engine.events import Logged, LoggedContent, LoggedOverride
from streaming.fingerprints.bands import BandScheme
from streaming.matching.content import Content
from streaming.matching.overrides import Override, Ruling
from streaming.matching.rules import Rules
from streaming.position import encode
from tests.simulation.histories import (
    DESCRIPTIONS,
    MODELS,
    NEAR,
    SHINGLES,
    TEXTS,
    UNIT_MS,
    History,
    Kind,
    name_kinds,
)
from tests.simulation.soak import soak, table, world
from tests.simulation.world import PROFILES, Fault, Faults, World

HISTORIES = 2_000
LEAST = 10
"""How often each fault must have met each kind of event, so that no run is too bland."""


def test_no_history_makes_a_difference() -> None:
    outcome = soak(range(HISTORIES))
    assert outcome.failures == []
    assert outcome.histories == HISTORIES
    bland = [
        f"{fault} met {kind} {outcome.counts[kind, fault]} times"
        for kind in Kind
        for fault in Fault
        if outcome.counts[kind, fault] < LEAST
    ]
    assert bland == [], table(outcome.counts)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_same_seed_is_the_same_history(profile: str) -> None:
    traces = []
    for _ in range(2):
        one = world(7, profile)
        one.run()
        traces.append((one.trace, one.counts, [m.key for m in one.stream]))
        one.forget()
    assert traces[0] == traces[1]


ARTICLES = st.sampled_from(["a", "b", "c", "d"])
PARTITIONS = [("t", 0), ("t", 1), ("u", 0)]


class Newsroom(RuleBasedStateMachine):
    """What Hypothesis finds it makes small: events, steps and faults in any order."""

    @initialize(
        visible=st.sampled_from([1, 2]),
        window=st.sampled_from([4, 100]),
        verify=st.booleans(),
        seed=st.integers(0, 2**16),
    )
    def open(self, visible: int, window: int, seed: int, *, verify: bool) -> None:
        rules = Rules(
            k=1,
            bands=BandScheme(2, 1),
            visible=visible,
            window_ms=window * UNIT_MS,
            verify_simhash=verify,
            max_matches=2,
        )
        self.history = History(rules, {partition: [] for partition in PARTITIONS})
        faults = Faults(zombie=0.5)
        self.world = World(self.history, faults, random.Random(seed), f"newsroom-{seed}")

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.world.run()
            assert self.world.differences() == []
        finally:
            # Or the next world of this seed finds its tables, and Hypothesis a flaky test.
            self.world.forget()

    def _publish(self, partition: tuple[str, int], make: Any, moment: int) -> None:
        events: list[Logged] = self.history.partitions[partition]
        position = encode(moment * UNIT_MS, *partition, len(events))
        events.append(make(position))
        name_kinds(self.history)

    @rule(
        article=ARTICLES,
        partition=st.sampled_from(PARTITIONS),
        moment=st.integers(0, 30),
        fingerprint=st.sampled_from(NEAR[:3]),
        shingles=st.sampled_from(SHINGLES[:3]),
        text=st.sampled_from(TEXTS),
        described=st.sampled_from(DESCRIPTIONS),
    )
    def publish(
        self,
        article: str,
        partition: tuple[str, int],
        moment: int,
        fingerprint: int,
        shingles: bytes,
        text: bytes,
        described: bytes,
    ) -> None:
        content = Content("x", "", fingerprint, shingles=shingles, evidence=text)
        of_models = dict.fromkeys(MODELS, described)
        self._publish(
            partition,
            lambda at: LoggedContent(article, at, content, described=of_models),
            moment,
        )

    @rule(article=ARTICLES, partition=st.sampled_from(PARTITIONS), moment=st.integers(0, 30))
    def delete(self, article: str, partition: tuple[str, int], moment: int) -> None:
        self._publish(partition, lambda at: LoggedContent(article, at, None), moment)

    @rule(
        pair=st.permutations(["a", "b", "c"]),
        partition=st.sampled_from(PARTITIONS),
        moment=st.integers(0, 30),
        ruling=st.sampled_from(Ruling),
    )
    def overrule(
        self, pair: list[str], partition: tuple[str, int], moment: int, ruling: Ruling
    ) -> None:
        override = Override(ruling, pair[1])
        self._publish(partition, lambda at: LoggedOverride(pair[0], at, override), moment)

    @rule(turns=st.integers(1, 80))
    def work(self, turns: int) -> None:
        for _ in range(turns):
            self.world.turn()

    def _running(self) -> bool:
        return hasattr(self, "world") and self.world.queries[0].process is not None

    @precondition(_running)
    @rule()
    def crash(self) -> None:
        query = self.world.queries[0]
        if query.process is not None:
            self.world.crash(query, query.process)

    @precondition(_running)
    @rule()
    def stall(self) -> None:
        query = self.world.queries[0]
        if query.process is not None:
            self.world.take_over(query, query.process)

    @precondition(lambda self: hasattr(self, "world"))
    @rule(model=st.sampled_from(MODELS))
    def activate(self, model: str) -> None:
        self.world.chosen = model

    @precondition(lambda self: hasattr(self, "world"))
    @rule()
    def replay(self) -> None:
        if self.world.queries[0].process is None:
            self.world.replay(self.world.queries[0])


TestNewsroom = Newsroom.TestCase
TestNewsroom.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_articles_may_appear_while_a_log_is_filled() -> None:
    for seed in range(1, 4):
        newsroom = Newsroom()
        newsroom.open(1, 100, seed, verify=False)
        for moment in range(30):
            newsroom.publish(
                "abcd"[moment % 4], PARTITIONS[0], moment, NEAR[0], b"", TEXTS[0], DESCRIPTIONS[0]
            )
            newsroom.activate(MODELS[moment % len(MODELS)])
            newsroom.work(80)
        newsroom.teardown()
