"""Break everything there is to break, many times, and compare what is stored in the end.

A newsroom publishes to a real Kafka while ``leitong run`` judges into a real HBase; drivers,
workers, Thrift server, HBase and broker are killed with SIGKILL in the middle of batches, the
log falls silent for a minute, the checkpoint is lost. Then every export must be, byte for
byte, that of runs that nobody disturbed, in HBase and in SQLite, and row by row what the log
demands. At last a disk runs full under a SQLite index.

    FAULTS_SEED=1 FAULTS_EACH=5 FAULTS_RATE=8 python -m tests.faults.faults

``FAULTS_EACH`` is the number of kills of each kind, ``FAULTS_RATE`` events per second.
"""

import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

import orjson

from streaming.announcements import ATTEMPT_HEADER
from streaming.settings import Settings
from streaming.stack.stack import LocalStack
from streaming.urls import KafkaUrl
from tests.faults.disk import SmallDisk, small_disk
from tests.faults.expected import differing, expected_exports
from tests.faults.experiment import conduct
from tests.faults.feed import Feed
from tests.faults.index import Index, export_all, lines, new_tables, run_to_the_end
from tests.faults.query import Query, Stuck, wait_until
from tests.faults.report import Checks
from tests.faults.strikes import KILLS, Striker, Struck, plan, summary
from tests.integration.logs import log_of

PARTITIONS = 4
_MAX_BATCH = 200
_AT_ONCE = 400
_CATCH_UP_SECONDS = 600.0
_LEFT_BEHIND_SECONDS = 60.0
_GIVE_UP_SECONDS = 5.0
# Less than any log needs that filled the disk once, more than it takes to begin again.
_SOME_ROOM = 3 * 2**20
_MUCH_ROOM = 64 * 2**20
_TOLD_CHARACTERS = 300


def main() -> int:
    seed, each = int(os.environ.get("FAULTS_SEED", "1")), int(os.environ.get("FAULTS_EACH", "5"))
    rate = float(os.environ.get("FAULTS_RATE", "8"))
    return conduct(
        "faults",
        f"seed {seed}: {each} kills of each of {', '.join(KILLS)}",
        partial(disturb_and_compare, seed=seed, each=each, rate=rate),
    )


def disturb_and_compare(
    stack: LocalStack, directory: Path, checks: Checks, *, seed: int, each: int, rate: float
) -> None:
    topic = KafkaUrl((stack.kafka,), "articles")
    verdicts = f"kafka://{stack.kafka}/verdicts"
    disturbed = new_tables(stack, "disturbed")
    query = Query(
        directory / "disturbed",
        ["--source", str(topic), *disturbed.options, "--trigger", "500ms",
         "--max-batch", str(_MAX_BATCH), "--verdicts", verdicts, "--set", "query.patience=30m"],
    )  # fmt: skip
    feed = Feed(
        topic, seed, rate=rate, partitions=PARTITIONS, ahead=2 * _MAX_BATCH, read=query.read
    )
    try:
        began = time.monotonic()
        feed.start(_AT_ONCE)
        struck = strike_all(Striker(stack, query, feed), query, seed, each, checks)
        feed.stop(_CATCH_UP_SECONDS)
        catch_up(query, checks)
        checks.console.print(summary(struck))
        checks.console.print(f"{feed.sent} events while {time.monotonic() - began:.0f} s passed")
    finally:
        with suppress(Stuck):
            feed.stop(_GIVE_UP_SECONDS)
        query.clean_up()
    files = compare(str(topic), stack, disturbed, directory, checks)
    check_announcements(verdicts, files["verdicts"], checks)
    fill_a_disk(str(topic), files, directory, checks)


def strike_all(
    striker: Striker, query: Query, seed: int, each: int, checks: Checks
) -> list[Struck]:
    struck = []
    query.start()
    for number, fault in enumerate(plan(seed, each), start=1):
        struck.append(striker.strike(fault))
        checks.console.print(f"{number:3} {struck[-1]}")
    kills = [one for one in struck if one.fault.kind in KILLS]
    inside = sum(one.batch is not None for one in kills)
    missed = sum(not one.hit for one in struck)
    checks.check("every kill hit a living process", missed == 0, f"{len(kills)} kills")
    checks.check("most kills fell into a batch", 2 * inside > len(kills), f"{inside} of them")
    return struck


def catch_up(query: Query, checks: Checks) -> None:
    """Stop the query as a user would, and let it see the rest."""
    stopped = query.stop()
    checks.check("the query stops when asked to", stopped == 0, f"exit status {stopped}")
    query.start("--until-caught-up")
    ended = query.wait(_CATCH_UP_SECONDS)
    checks.check("the query catches up", ended == 0, f"exit status {ended}")
    with suppress(Stuck):
        wait_until(lambda: not query.left_behind(), "the end of the JVMs", _LEFT_BEHIND_SECONDS)
    left = [f"{process.pid} {process.command[:60]}" for process in query.left_behind()]
    checks.check("killed drivers leave no process behind", not left, "; ".join(left))


def compare(
    topic: str, stack: LocalStack, disturbed: Index, directory: Path, checks: Checks
) -> Mapping[str, bytes]:
    """Compare the disturbed index with undisturbed ones and with what the log demands."""
    files = export_all(disturbed, directory / "disturbed")
    for name, place in (("HBase", stack), ("SQLite", directory)):
        index = new_tables(place, "undisturbed")
        run_to_the_end(topic, index, directory / f"undisturbed-{name}", "--max-batch", "1000")
        others = export_all(index, directory / f"undisturbed-{name}")
        compare_files(f"as undisturbed in {name}", files, others, checks)
    wanted = expected_exports(topic, Settings())
    for what, rows in wanted.items():
        wrong = differing(what, files[what], rows)
        told = f"{len(rows)} rows, {len(wrong)} differ {wrong[:3] or ''}"
        checks.check(f"{what}: every row as the log demands", not wrong, told)
    found = lines(files["verdicts"])
    repeats = sum(line["duplicate_of"] is not None for line in found)
    checks.check("there is something to find", repeats > len(found) // 50, f"{repeats} duplicates")
    return files


def compare_files(
    how: str, files: Mapping[str, bytes], others: Mapping[str, bytes], checks: Checks
) -> None:
    for what, content in files.items():
        same = content == others[what]
        checks.check(f"{what}: {how}", same, f"{len(content)} and {len(others[what])} bytes")


def check_announcements(topic: str, verdicts: bytes, checks: Checks) -> None:
    """Of the messages about an article, that of the largest attempt is what stands."""
    latest: dict[bytes, tuple[int, dict[str, object] | None]] = {}
    records = log_of(topic)
    for record in records:
        told = orjson.loads(record.value) if record.value else None
        attempt = told["attempt"] if told else int(dict(record.headers)[ATTEMPT_HEADER] or 0)
        key = record.key or b""
        if attempt >= latest.get(key, (0, None))[0]:
            latest[key] = attempt, told
    announced = {key.decode(): told for key, (_, told) in latest.items() if told}
    wrong = []
    for line in lines(verdicts):
        told = announced.pop(line["article_id"], {})
        if any(told.get(field) != line[field] for field in line.keys() - {"root"}):
            wrong.append(line["article_id"])
    checks.check(
        "the last verdict announced is the one that stands",
        not wrong and not announced,
        f"{len(records)} messages; {len(wrong)} articles differ {wrong[:3] or ''};"
        f" {len(announced)} withdrawn ones are still announced",
    )


def fill_a_disk(topic: str, files: Mapping[str, bytes], directory: Path, checks: Checks) -> None:
    """Let a SQLite index fill its disk, twice; then make room, and compare."""
    whole = sum(file.stat().st_size for file in directory.glob("undisturbed.db*"))
    disk = small_disk(directory / "disk", whole // 3)
    index = new_tables(disk.directory, "index")
    query = Query(
        directory / "full",
        ["--source", topic, *index.options, "--max-batch", "400", "--until-caught-up"],
    )
    checks.console.print(f"an index of {whole / 2**20:.1f} MiB on {disk.kind}")
    try:
        run_into_a_full_disk(query, disk, whole, checks)
        compare_files(
            "as undisturbed, on a disk that was full",
            files,
            export_all(index, directory / "full"),
            checks,
        )
    finally:
        query.clean_up()
        disk.close()


def run_into_a_full_disk(query: Query, disk: SmallDisk, whole: int, checks: Checks) -> None:
    query.start("--set", "query.patience=4s", before=disk.before)
    ended = query.wait(_CATCH_UP_SECONDS)
    told = query.told()
    last = told.strip().rpartition("\n")[2]
    checks.check("a full disk ends the query", ended == 1, f"exit status {ended}")
    clear = last.startswith("leitong: ") and "disk" in last and "Traceback" not in told
    checks.check("it says so in a line", clear, last)
    disk.grow(disk.used() + _SOME_ROOM, query)
    query.start("--set", "query.patience=30m", before=disk.before)
    wait_until(
        lambda: "will be done again" in query.told() or not query.running(),
        "a disk that is full again",
        _CATCH_UP_SECONDS,
    )
    waits = query.running()
    told = query.told()[-_TOLD_CHARACTERS:] if not waits else f"{query.failures()} failures"
    checks.check("with patience it waits for room", waits, told)
    disk.grow(4 * whole + _MUCH_ROOM, query)
    ended = query.wait(_CATCH_UP_SECONDS)
    checks.check("it goes on when there is room", ended == 0, f"exit status {ended}")


if __name__ == "__main__":
    sys.exit(main())
