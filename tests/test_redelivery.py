"""What is sent again, in which order, and that a mark means it arrived."""

import threading
from collections.abc import Iterable
from dataclasses import replace

import orjson
import pytest

from streaming import deadletters, exporting
from streaming.deadletters import DeadLetter, Replayed
from streaming.enrichment import Enricher
from streaming.errors import SourceError, StoreUnavailable
from streaming.position import encode
from streaming.redelivery import Options, Redelivery, Tally, record_of
from streaming.settings import Settings
from streaming.sinks import MemorySink, Message
from streaming.store.contract import Mutation
from streaming.store.memory import MemoryStore
from streaming.store.tables import TABLES
from tests.engine.worlds import batch, deletion, event, index

ENRICHER = Enricher(Settings())
EVENT = orjson.dumps({"article_id": "a", "channel": "18", "body": "今日发布新版编译器"})
CLOUD = (("ce_specversion", b"1.0"), ("ce_id", b"m"), ("ce_source", b"/"), ("ce_type", b"deleted"))


def letter(
    offset: int,
    value: bytes | None = EVENT,
    key: bytes | None = b"k",
    headers: deadletters.Headers = (),
    topic: str = "articles",
    reason: str = "schema",
) -> DeadLetter:
    return DeadLetter(
        encode(1_000 + offset, topic, 0, offset), "enrich", reason, "x", key, value, headers
    )


def stored(letters: Iterable[DeadLetter]) -> MemoryStore:
    store = index()
    deadletters.write(store, letters)
    return store


def redeliver(
    store: MemoryStore,
    sink: MemorySink | None,
    stop: threading.Event | None = None,
    **options: object,
) -> Tally:
    chosen = Options(**options)  # type: ignore[arg-type]
    return Redelivery(
        store, ENRICHER, sink, "file:log", chosen, stop=stop, clock=lambda: 12.5
    ).run()


def marked(store: MemoryStore) -> list[int]:
    return [
        entry.letter.coordinates.offset
        for entry in deadletters.entries(store)
        if entry.replayed is not None
    ]


def test_every_byte_is_sent_in_the_order_of_the_log_and_marked() -> None:
    sent = [
        letter(0, EVENT, b"k", (("h", b"1"), ("h", b""), ("h", b"1"), ("null", None))),
        letter(1, None, b"a"),
        letter(2, None, None, (*CLOUD, ("ce_subject", b"a"))),
        letter(3, EVENT, None),
        letter(4, EVENT, b"\xff\0"),
    ]
    store, sink = stored(reversed(sent)), MemorySink()
    before = list(exporting.dead_letters(store))
    assert redeliver(store, sink) == Tally(sent=5)
    assert sink.messages == [Message(each.key, each.value, each.headers, None) for each in sent]
    assert sink.acknowledged == 5
    assert [entry.replayed for entry in deadletters.entries(store)] == [
        Replayed("file:log", 12_500)
    ] * 5
    assert list(exporting.dead_letters(store)) == before


def test_what_was_sent_is_not_sent_again_unless_asked() -> None:
    store, sink = stored([letter(0), letter(1)]), MemorySink()
    deadletters.mark(store, [letter(0).row], Replayed("file:elsewhere", 1))
    assert redeliver(store, sink) == Tally(sent=1, replayed=1)
    assert redeliver(store, sink) == Tally(replayed=2)
    assert len(sink.messages) == 1
    assert redeliver(store, sink, again=True) == Tally(sent=2)
    assert len(sink.messages) == 3


def test_what_would_be_refused_again_stays_unless_asked() -> None:
    store, sink = (
        stored([letter(0, b"{"), letter(1), letter(2, b"\xff"), letter(3, b"[")]),
        MemorySink(),
    )
    tally = redeliver(store, sink)
    assert (tally.sent, dict(tally.refused)) == (1, {"not_json": 2, "not_utf8": 1})
    assert marked(store) == [1]
    tally = redeliver(store, sink, even_refused=True)
    assert (tally.sent, tally.replayed, tally.refused.total()) == (3, 1, 3)
    assert [message.value for message in sink.messages] == [EVENT, b"{", b"\xff", b"["]


@pytest.mark.parametrize("gone", [False, True])
def test_an_old_event_does_not_undo_a_later_one(gone: bool) -> None:  # noqa: FBT001 - a parameter
    store, sink = stored([letter(5), letter(6, b"{"), letter(7, None, b"a")]), MemorySink()
    batch(store, [event("a", 1_004), event("b", 9_000)])
    assert redeliver(store, None).sent == 2
    batch(store, [deletion("a", 1_006) if gone else event("a", 1_006)])
    tally = redeliver(store, sink)
    assert (tally.sent, tally.overtaken, dict(tally.refused)) == (1, 1, {"not_json": 1})
    assert marked(store) == [7]
    assert redeliver(store, None, own_time=True).sent == 1
    assert redeliver(store, sink, even_overtaken=True).sent == 1
    assert marked(store) == [5, 7]
    # By now the query has read what was sent; who asks for it again gets it.
    batch(store, [event("a", 5_000)])
    assert redeliver(store, sink, again=True).sent == 2


def test_letters_are_chosen_by_reason_and_topic() -> None:
    letters = [letter(0), letter(1, reason="not_json"), letter(2, topic="other")]
    store, sink = stored(letters), MemorySink()
    tally = redeliver(store, sink, reasons=frozenset({"schema"}), topic="articles")
    assert tally == Tally(sent=1, foreign=1)
    assert marked(store) == [0]


def test_a_dry_run_sends_and_marks_nothing() -> None:
    store = stored([letter(0), letter(1, b"{")])
    tally = redeliver(store, None)
    assert (tally.sent, tally.refused.total()) == (1, 1)
    assert marked(store) == []


def test_a_letter_can_keep_the_time_of_its_record() -> None:
    timeless = replace(letter(3), position=encode(-1, "articles", 0, 3))
    store, sink = stored([letter(0), timeless]), MemorySink()
    redeliver(store, sink, own_time=True)
    assert [message.timestamp_ms for message in sink.messages] == [None, 1_000]


class Unconfirming(MemorySink):
    """Takes everything and makes nothing durable."""

    def flush(self) -> None:
        raise SourceError("memory: the disk is full")


def test_what_is_not_confirmed_is_not_marked() -> None:
    store, sink = stored([letter(0)]), Unconfirming()
    with pytest.raises(SourceError, match=r"disk is full\n0 dead letters were sent and marked"):
        redeliver(store, sink)
    assert len(sink.messages) == 1
    assert marked(store) == []


def test_what_was_handed_over_before_a_refusal_is_finished() -> None:
    store, sink = stored([letter(0), letter(1), letter(2)]), MemorySink(fail_at=2)
    with pytest.raises(SourceError, match=r"^articles/0/2: .*\n2 dead letters were sent") as raised:
        redeliver(store, sink)
    assert "refused, as asked" in str(raised.value)
    assert marked(store) == [0, 1]
    assert sink.acknowledged == 2


class Unreachable(MemoryStore):
    """Loses its connection when something is to be marked."""

    def mutate(self, table: str, mutations: Iterable[Mutation]) -> None:
        known = list(mutations)
        if any(b"replayed" in each.put for each in known):
            raise StoreUnavailable("memory: cannot be reached")
        super().mutate(table, known)


def test_a_record_without_its_mark_is_sent_once_more() -> None:
    store, sink = Unreachable("unreachable"), MemorySink()
    store.ensure_tables(TABLES)
    deadletters.write(store, [letter(0)])
    with pytest.raises(StoreUnavailable, match="0 dead letters were sent and marked"):
        redeliver(store, sink)
    with pytest.raises(StoreUnavailable):
        redeliver(store, sink)
    assert len(sink.messages) == 2


class Stopping(MemorySink):
    """Somebody presses Ctrl-C while the message of a number is sent."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.stop = threading.Event()
        self._at = at

    def send(
        self,
        key: bytes | None,
        value: bytes | None,
        headers: Iterable[tuple[str, bytes | None]] = (),
        timestamp_ms: int | None = None,
    ) -> None:
        super().send(key, value, headers, timestamp_ms)
        if len(self.messages) == self._at:
            self.stop.set()


@pytest.mark.parametrize("at", [3, 250, 255])
def test_ctrl_c_finishes_what_was_handed_over(at: int) -> None:
    store, sink = stored(letter(number) for number in range(300)), Stopping(at)
    tally = redeliver(store, sink, sink.stop)
    assert (tally.sent, tally.interrupted) == (at, True)
    assert sink.acknowledged == at
    assert marked(store) == list(range(at))
    assert redeliver(store, sink).sent == 300 - at
    assert [message.key for message in sink.messages] == [b"k"] * 300


class Refusing(MemorySink):
    """A query reads along, and refuses at once what is sent."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__()
        self._store = store

    def send(
        self,
        key: bytes | None,
        value: bytes | None,
        headers: Iterable[tuple[str, bytes | None]] = (),
        timestamp_ms: int | None = None,
    ) -> None:
        super().send(key, value, headers, timestamp_ms)
        if len(self.messages) > 5_000:
            raise SourceError("memory: this goes round")
        deadletters.write(self._store, [letter(10_000 + len(self.messages), value, key)])


def test_letters_that_come_back_meanwhile_are_left_for_another_time() -> None:
    store = stored(letter(number, b"{") for number in range(600))
    sink = Refusing(store)
    assert redeliver(store, sink, even_refused=True).sent == 600
    assert len(list(deadletters.entries(store))) == 1_200
    assert len(marked(store)) == 600


def test_a_letter_is_judged_as_the_record_it_was() -> None:
    sent = letter(7, EVENT, None, CLOUD)
    assert record_of(sent) == ("articles", 0, 7, 1_007, None, EVENT, CLOUD)
