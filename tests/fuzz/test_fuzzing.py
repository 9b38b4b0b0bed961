"""A part of what `make fuzz` does."""

from collections import Counter

import pytest

from producers.webhook import Webhook
from streaming.events import EventParser
from streaming.reasons import Reason, Rejected
from tests.fuzz import fuzzing

INPUTS = 6_000


def test_nothing_breaks_hangs_or_goes_unsaid() -> None:
    found = fuzzing.run(INPUTS, seed=2)
    assert found.faults == []
    reached = Counter(found.outcomes)
    assert reached.total() == INPUTS
    assert {*Reason} - {Reason.UNKNOWN_EVENT} <= reached.keys(), "every reason comes up"
    assert {"200", "400", "413", "415", "421", "422", "created", "deleted"} <= reached.keys()


def test_a_parser_that_breaks_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(EventParser, "parse", broken)
    found = fuzzing.run(100, seed=1)
    raised = [fault for fault in found.faults if "RecursionError" in fault]
    answered = [fault for fault in found.faults if "status 500" in fault]
    assert len(raised) == 50
    assert answered


def test_a_refusal_without_a_word_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EventParser, "parse", lambda *_: Rejected(Reason.SCHEMA, ""))
    monkeypatch.setattr(Webhook, "_read", lambda *_: None)
    found = fuzzing.run(20, seed=1)
    assert len(found.faults) >= 20
