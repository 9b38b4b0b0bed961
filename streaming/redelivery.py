"""Send the records of dead letters to the log again, once the cause is gone.

Letters are taken in the order of the log and sent with the key, value and headers that
they came with. A chunk at a time is sent, confirmed by the sink, and only then marked: a
crash in between sends that chunk again next time, so a record arrives at least once.

Two kinds are left where they are. What the current settings would refuse again would come
back as another dead letter; the very code that the query runs is asked. And what is sent
again stands at the end of the log, as the latest word on its article: if a later event of
the article is stored, the old one would undo it. Events that no query has read yet are not
known here.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from streaming import deadletters
from streaming.deadletters import DeadLetter, Entry, Replayed
from streaming.engine.events import Logged, LoggedContent
from streaming.enrichment import Enricher
from streaming.errors import LeitongError, SourceError
from streaming.filelog import SEGMENT_RECORDS, LogRecord
from streaming.reasons import Rejected
from streaming.sinks import Sink
from streaming.store import articles
from streaming.store.articles import ArticleRow
from streaming.store.contract import Store

_CHUNK_LETTERS = SEGMENT_RECORDS
_CHUNK_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Options:
    """Which letters are sent, and how.

    `reasons` and `topic` choose among them, None being all. `again` includes those that
    were sent before, `even_refused` those that would be refused again, `even_overtaken`
    those whose article has a later event. `own_time` stamps each with the time its record
    had, for a log that keeps the stamps it is given; else the log stamps it.
    """

    reasons: frozenset[str] | None = None
    topic: str | None = None
    again: bool = False
    even_refused: bool = False
    even_overtaken: bool = False
    own_time: bool = False


@dataclass(slots=True)
class Tally:
    """What was done so far.

    `sent` were confirmed and marked, or would be in a dry run. `replayed`, `foreign` and
    `overtaken` were left out: sent before, of another topic, or with a later event of the
    same article. `refused` counts those that would be refused again, by the reason for
    which; they are among `sent` only if the options say so.
    """

    sent: int = 0
    replayed: int = 0
    foreign: int = 0
    overtaken: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    interrupted: bool = False


class Redelivery:
    """Sends dead letters of one store to one sink; without a sink, only counts.

    `to` is the sink's address, for the marks. `stop` asks to end: what was handed over is
    confirmed and marked, and the rest left. `clock` returns seconds since 1970.
    """

    def __init__(
        self,
        store: Store,
        enricher: Enricher,
        sink: Sink | None,
        to: str,
        options: Options | None = None,
        *,
        stop: threading.Event | None = None,
        on_progress: Callable[[Tally], None] = lambda _tally: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._enricher = enricher
        self._sink = sink
        self._to = to
        self._options = options or Options()
        self._stop = stop or threading.Event()
        self._on_progress = on_progress
        self._clock = clock

    def run(self) -> Tally:
        """Send what is to be sent.

        Raises LeitongError when the sink or the store does, saying how many were sent and
        marked before; some after these may have been sent without a mark.
        """
        tally = Tally()
        for chunk in _chunks(self._wanted(tally)):
            if self._stop.is_set():
                break
            try:
                self._deliver(self._acceptable(chunk, tally), tally)
            except LeitongError as error:
                raise type(error)(
                    f"{error}\n{tally.sent} dead letters were sent and marked before that"
                ) from error
            self._on_progress(tally)
        tally.interrupted = self._stop.is_set()
        return tally

    def _wanted(self, tally: Tally) -> Iterator[Entry]:
        options = self._options
        # A query that runs meanwhile may refuse what is sent here: that is for another time.
        there = deadletters.rows(self._store)
        for entry in deadletters.entries(self._store):
            letter, replayed = entry
            if letter.row not in there:
                continue
            if options.reasons is not None and letter.reason not in options.reasons:
                continue
            if replayed is not None and not options.again:
                tally.replayed += 1
            elif options.topic is not None and letter.coordinates.topic != options.topic:
                tally.foreign += 1
            else:
                yield entry

    def _acceptable(self, chunk: list[Entry], tally: Tally) -> Iterator[DeadLetter]:
        answers = self._enricher.enrich([record_of(entry.letter) for entry in chunk])
        named = {answer.article for answer in answers if not isinstance(answer, Rejected)}
        rows = articles.read(self._store, named)
        for entry, answer in zip(chunk, answers, strict=True):
            if isinstance(answer, Rejected):
                tally.refused[answer.reason] += 1
                if self._options.even_refused:
                    yield entry.letter
            elif self._overtaken(entry, answer, rows):
                tally.overtaken += 1
            else:
                yield entry.letter

    def _overtaken(self, entry: Entry, event: Logged, rows: Mapping[str, ArticleRow]) -> bool:
        # With its own time it goes where it stood; sent before, it may have overtaken itself.
        if self._options.even_overtaken or self._options.own_time or entry.replayed is not None:
            return False
        row = rows[event.article]
        known = row.contents if isinstance(event, LoggedContent) else row.overrides
        return max(known, default=event.position) > event.position

    def _deliver(self, letters: Iterable[DeadLetter], tally: Tally) -> None:
        handed_over = []
        failure: LeitongError | None = None
        for letter in letters:
            if self._stop.is_set():
                break
            try:
                self._send(letter)
            except SourceError as error:
                failure = SourceError(f"{letter.place}: {error}")
                break
            handed_over.append(letter.row)
        try:
            self._confirm(handed_over)
        except LeitongError as error:
            raise failure or error from None
        tally.sent += len(handed_over)
        if failure is not None:
            raise failure

    def _send(self, letter: DeadLetter) -> None:
        if self._sink is None:
            return
        # Kafka says -1 where a record has no time.
        own = letter.coordinates.timestamp_ms if self._options.own_time else -1
        stamp = own if own >= 0 else None
        self._sink.send(letter.key, letter.value, letter.headers, stamp)

    def _confirm(self, rows: list[bytes]) -> None:
        if self._sink is None or not rows:
            return
        self._sink.flush()
        deadletters.mark(self._store, rows, Replayed(self._to, int(self._clock() * 1000)))


def record_of(letter: DeadLetter) -> LogRecord:
    """Give the record that became a letter, as it stood in the log."""
    place = letter.coordinates
    return LogRecord(
        place.topic,
        place.partition,
        place.offset,
        place.timestamp_ms,
        letter.key,
        letter.value,
        letter.headers,
    )


def _chunks(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Regroup letters: dictionaries and disks want many, memory wants a bound."""
    chunk: list[Entry] = []
    size = 0
    for entry in entries:
        chunk.append(entry)
        size += len(entry.letter.value or b"")
        if len(chunk) == _CHUNK_LETTERS or size >= _CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
