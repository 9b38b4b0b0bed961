"""What SQLite promises beyond the contract: many processes, kill -9, and clear refusals."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from streaming.errors import StoreError, StoreUnavailable
from streaming.store import sqlite
from streaming.store.contract import Mutation, TableSpec
from streaming.store.sqlite import SQLiteSettings, SQLiteStore

T = TableSpec("things")
Children = Callable[[list[Callable[[], bool]]], list[bool]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def opened(path: Path, timeout: float = 10.0) -> SQLiteStore:
    store = SQLiteStore(SQLiteSettings(path, timeout=timeout))
    store.ensure_tables([T])
    return store


def test_processes_that_open_a_new_file_at_once(path: Path, in_children: Children) -> None:
    def child(number: int) -> bool:
        store = opened(path)
        for part in range(10):
            store.mutate(
                T.name, [Mutation(b"%d %d %d" % (number, part, n), {b"q": b""}) for n in range(300)]
            )
        return True

    assert all(in_children([lambda n=n: child(n) for n in range(4)]))  # type: ignore[misc]
    store = opened(path)
    assert sum(1 for _ in store.scan(T.name, keys_only=True)) == 4 * 10 * 300
    store.close()


def test_what_was_acknowledged_survives_kill_9(path: Path) -> None:
    opened(path).close()
    script = """
import sys
from pathlib import Path
from streaming.store.contract import Mutation
from streaming.store.sqlite import SQLiteSettings, SQLiteStore
store = SQLiteStore(SQLiteSettings(Path(sys.argv[1])))
number = 0
while True:
    store.mutate("things", [Mutation(b"%08d" % number, {b"q": bytes(2_000)})])
    print(number, flush=True)
    number += 1
"""
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as writer:
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(200)]
        writer.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in writer.stdout if line.endswith("\n")]
    store = opened(path)
    rows = [b"%08d" % number for number in acknowledged]
    assert len(store.rows(T.name, rows)) == len(rows) >= 200
    store.close()


def test_a_writer_waits_for_another_and_gives_up_at_its_timeout(path: Path) -> None:
    store = opened(path, timeout=0.4)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match=r"locked for 0\.4 s.*timeout="):
        store.mutate(T.name, [Mutation(b"r", {b"q": b"1"})])
    assert 0.3 < time.monotonic() - began < 3
    assert store.rows(T.name, [b"r"]) == {}  # readers do not wait
    other.execute("ROLLBACK")
    store.mutate(T.name, [Mutation(b"r", {b"q": b"1"})])
    other.close()
    store.close()


def test_a_full_disk_is_named_and_undoes_the_transaction(path: Path) -> None:
    store = opened(path)
    store.mutate(T.name, [Mutation(b"before", {b"q": b"1"})])
    with store._pool.connection(store._connect) as connection:
        connection.execute("PRAGMA max_page_count = 60")
    with pytest.raises(StoreError, match=rf"full.*{path.parent}"):
        store.mutate(T.name, [Mutation(b"%d" % n, {b"q": bytes(5_000)}) for n in range(100)])
    assert [row for row, _ in store.scan(T.name)] == [b"before"]
    store.mutate(T.name, [Mutation(b"after", {b"q": b"1"})])
    store.close()


def test_a_missing_directory_is_named_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no directory .*nowhere; create it"):
        opened(tmp_path / "nowhere" / "store.db")
    assert not (tmp_path / "nowhere").exists()


def test_another_kind_of_file_is_refused(path: Path) -> None:
    path.write_bytes(b"articles, articles, articles\n" * 100)
    with pytest.raises(StoreError, match="name another one"):
        opened(path)
    assert path.read_bytes().startswith(b"articles")


def test_names_that_would_leave_the_statement_are_refused(path: Path) -> None:
    store = opened(path)
    with pytest.raises(StoreError, match="cannot name a table"):
        store.rows('x"; DROP TABLE things; --', [b"r"])
    store.close()


def test_a_scan_holds_no_transaction_open(path: Path) -> None:
    store = opened(path)
    store.mutate(T.name, [Mutation(b"%04d" % n, {b"q": bytes(1_000)}) for n in range(2_000)])
    scan = store.scan(T.name)
    next(scan)
    checkpoint = sqlite3.connect(path)
    busy, log, done = checkpoint.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    checkpoint.close()
    assert (busy, log, done) == (0, 0, 0)
    assert sum(1 for _ in scan) == 1_999
    store.close()


def test_a_row_wider_than_a_page_is_yielded_whole(path: Path) -> None:
    store = opened(path)
    wide = {b"%06d" % n: b"" for n in range(10_000)}
    store.mutate(T.name, [Mutation(row, wide) for row in (b"a", b"b")])
    store.mutate(T.name, [Mutation(b"c", {b"q": b""})])
    assert [(row, len(cells)) for row, cells in store.scan(T.name)] == [
        (b"a", 10_000),
        (b"b", 10_000),
        (b"c", 1),
    ]
    store.close()


def test_a_child_never_touches_its_parents_connection(path: Path, in_children: Children) -> None:
    store = opened(path)
    parents = [id(connection) for connection in store._pool._idle]
    assert parents

    def child() -> bool:
        store.rows(T.name, [b"r"])
        return parents[0] not in [id(connection) for connection in store._pool._idle]

    assert in_children([child]) == [True]
    assert [id(connection) for connection in store._pool._idle] == parents
    store.close()


def test_full_synchronous_reaches_the_disk_with_every_transaction(path: Path) -> None:
    store = SQLiteStore(SQLiteSettings(path, synchronous="full"))
    with store._pool.connection(store._connect) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()


def test_pages_of_a_large_file_are_read_before_others_are_kept_waiting(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(path)
    rows = [Mutation(b"%03d" % number, {b"q": b"1"}) for number in range(100)]
    store.mutate(T.name, rows)
    assert "fetch" not in store.statistics()
    monkeypatch.setattr(sqlite, "_IN_MEMORY_BYTES", 0)
    store.mutate(T.name, rows)
    assert store.statistics()["fetch"].rows == 100
    # Whatever is wrong is told as without it.
    with pytest.raises(StoreError, match="no table 'nothing'"):
        store.mutate("nothing", rows)
    store.close()
    for file in path.parent.glob("store.db*"):
        file.unlink()
    path.parent.rmdir()
    with pytest.raises(StoreError, match="no directory"):
        store.mutate(T.name, rows)
