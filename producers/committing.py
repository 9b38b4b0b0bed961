"""Hand messages of many threads to one log, and tell each thread when its own are durable.

Whatever waits is committed together: one flush for all who came meanwhile.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from time import monotonic

from producers.records import Record
from streaming.errors import LeitongError, SourceError
from streaming.sinks import Sink

PATIENCE_SECONDS = 10.0

_log = logging.getLogger(__name__)


class Crowded(LeitongError):  # noqa: N818 - what it is just now
    """So many wait already that another one would wait too long."""


class NotTaken(LeitongError):  # noqa: N818 - what became of the messages
    """The log did not say that it has the messages; it may have them all the same."""


class Committer:
    """Commits messages to a log, which is opened anew after it failed.

    At most ``most`` commits wait at a time. A thread of its own does the work; `close` ends it.
    """

    def __init__(
        self,
        open_log: Callable[[], Sink],
        most: int,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._open_log = open_log
        self._most = most
        self._patience = patience
        self._waiting: list[tuple[Sequence[Record], Future[None]]] = []
        self._under_way = 0
        self._busy_since: float | None = None
        self._changed = threading.Condition()
        self._closed = False
        self._sink: Sink | None = None
        self._thread = threading.Thread(target=self._work, name="committer", daemon=True)
        self._thread.start()

    def commit(self, records: Sequence[Record]) -> None:
        """Return when all records are durable.

        Raises `Crowded` at once if too many wait, and `NotTaken` if the log refuses them or has
        not answered within the committer's patience.
        """
        done: Future[None] = Future()
        with self._changed:
            if self._closed or self.stuck:
                raise NotTaken("the log does not answer")
            if len(self._waiting) + self._under_way >= self._most:
                raise Crowded(f"{self._most} requests wait for the log already")
            self._waiting.append((records, done))
            self._changed.notify()
        try:
            done.result(self._patience)
        except TimeoutError:
            raise NotTaken("the log has not answered in time") from None
        except SourceError as error:
            raise NotTaken(str(error)) from error

    @property
    def stuck(self) -> bool:
        """Whether what is under way has taken longer than anybody waits."""
        since = self._busy_since
        return since is not None and monotonic() - since > self._patience

    def close(self) -> None:
        """Commit what waits, and let go of the log."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(2 * self._patience)
        self._drop()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
                taken, self._waiting = self._waiting, []
                self._under_way, self._busy_since = len(taken), monotonic()
            error = self._commit([record for records, _ in taken for record in records])
            with self._changed:
                self._under_way, self._busy_since = 0, None
            for _, done in taken:
                if error is None:
                    done.set_result(None)
                else:
                    done.set_exception(error)

    def _commit(self, records: Sequence[Record]) -> SourceError | None:
        try:
            if self._sink is None:
                self._sink = self._open_log()
            for record in records:
                self._sink.send(record.key, record.value, record.headers, record.timestamp_ms)
            self._sink.flush()
        except Exception as error:  # noqa: BLE001 - who waits has to hear of it, who comes be served
            mistake = not isinstance(error, LeitongError)
            _log.warning("%d messages were not taken: %s", len(records), error, exc_info=mistake)
            self._drop()
            return SourceError(f"{type(error).__name__}: {error}" if mistake else str(error))
        return None

    def _drop(self) -> None:
        sink, self._sink = self._sink, None
        if sink is not None:
            # It was told already what is wrong with it.
            with suppress(Exception):
                sink.close()
