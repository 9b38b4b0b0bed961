"""Look at everything the query stands on, and say in one line each what is wrong."""

import importlib.util
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from streaming.errors import LeitongError
from streaming.filelog import describe_log
from streaming.logformat import segments
from streaming.packing import PACKAGES
from streaming.query import checkpoint
from streaming.query.session import named_jars, own_connector
from streaming.settings import Settings
from streaming.stack.jars import jar_directory
from streaming.stack.java import java_command
from streaming.stamping import stamp
from streaming.store import generations, ownership
from streaming.store.opening import open_catalogue, open_index, resolved
from streaming.store.tables import TABLES
from streaming.topics import describe_topic
from streaming.urls import FileUrl, KafkaUrl, LogUrl

MINIMUM_PYTHON = (3, 11)


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer of one check: what was found, or what is wrong and what to do."""

    subject: str
    ok: bool
    text: str


def examine(settings: Settings) -> Iterator[Finding]:
    """Run every check that applies to these settings.

    A failing one stops none of the others, but for what only a store that answers can tell.
    """
    checks: list[tuple[str, Callable[[Settings], str]]] = [
        ("python", _python),
        ("packages", _packages),
        ("java", _java),
        ("source", _source),
        ("store", _store),
        ("tables", _tables),
        ("stamp", _stamp),
        ("checkpoint", _checkpoint),
    ]
    if isinstance(LogUrl.parse(settings.query.source), KafkaUrl):
        checks.insert(3, ("connector", _connector))
    for subject in ("verdicts", "dead_letters"):
        target = getattr(settings.query, subject)
        if target and isinstance(url := LogUrl.parse(target), KafkaUrl):
            checks.append((subject.replace("_", " "), partial(_target, url)))
    reachable = True
    for subject, check in checks:
        if check in {_tables, _stamp} and not reachable:
            continue
        if check is _checkpoint and not reachable:
            check = _directory  # noqa: PLW2901 - whose it is, only the store can tell
        try:
            yield Finding(subject, ok=True, text=check(settings))
            if check is _store:
                settings = resolved(settings)
        except LeitongError as error:
            reachable &= check is not _store
            yield Finding(subject, ok=False, text=str(error))


def _python(_: Settings) -> str:
    if sys.version_info < MINIMUM_PYTHON:
        wanted = ".".join(map(str, MINIMUM_PYTHON))
        raise LeitongError(f"Python {platform.python_version()}: {wanted} or newer is needed")
    return f"Python {platform.python_version()} at {sys.executable}"


def _packages(_: Settings) -> str:
    """Our packages have common names; another distribution may have put its own over them."""
    home = Path(__file__).resolve().parent.parent
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        origin = Path(spec.origin).resolve() if spec and spec.origin else None
        if origin is None or origin.parent.parent != home:
            raise LeitongError(
                f"the package {name} that Python finds is at {origin}, not beside {home}:"
                " another distribution installs one of that name; give leitong its own environment"
            )
    return f"leitong in {home}"


def _java(_: Settings) -> str:
    return f"Java at {java_command()}"


def _connector(settings: Settings) -> str:
    if named := named_jars(settings) or own_connector():
        return f"Spark's Kafka connector in {named}"
    directory = jar_directory("spark-kafka")
    if not directory.is_dir():
        raise LeitongError(
            "Spark's Kafka connector is not fetched yet: leitong run does so with Maven"
            " (apt-get install maven), or give the jars as --set spark.jars=PATH,PATH"
        )
    return f"Spark's Kafka connector in {directory}"


def _source(settings: Settings) -> str:
    url = LogUrl.parse(settings.query.source)
    if isinstance(url, FileUrl):
        log = describe_log(url.directory)
        if log is None:
            raise LeitongError(
                f"{url}: no file log there; write one with leitong produce --to {url}"
            )
        count = sum(len(segments(url.directory, p)) for p in range(log.partitions))
        return f"{url}: topic {log.topic}, {log.partitions} partitions, {count} segments"
    topic = describe_topic(url, settings.kafka)
    if topic is None:
        raise LeitongError(
            f"{url}: the broker answers, but there is no such topic; leitong produce makes it"
        )
    found = f"{url}: {topic.partitions} partitions, stamped by {topic.timestamps}"
    if topic.doubts:
        raise LeitongError(f"{found}; {'; '.join(topic.doubts)}")
    return found


def _target(url: KafkaUrl, settings: Settings) -> str:
    topic = describe_topic(url, settings.kafka, "Write")
    return f"{url}: " + (
        "made when there is something to say" if topic is None else f"{topic.partitions} partitions"
    )


def _store(settings: Settings) -> str:
    return open_catalogue(settings).ping()


def _tables(settings: Settings) -> str:
    missing = open_index(settings).missing_tables(TABLES)
    if missing:
        raise LeitongError(
            f"{len(missing)} of {len(TABLES)} tables are missing ({', '.join(missing)}):"
            " run leitong store init; leitong run does it as well"
        )
    name = settings.store.generation
    active = generations.read(open_catalogue(settings)).active
    state = (
        "active"
        if name == active
        else "none is active"
        if active is None
        else f"{active} is active"
    )
    return f"{len(TABLES)} tables of generation {name} ({state})"


def _stamp(settings: Settings) -> str:
    store = open_index(settings)
    if store.missing_tables(TABLES):
        return "no index yet, so any settings will do"
    stored = ownership.read_stamp(store)
    if stored is None:
        return "no stamp yet, so any settings will do"
    differences = ownership.compare(stored, stamp(settings))
    if differences:
        raise LeitongError(
            f"the index was built under other settings ({'; '.join(differences)}): set them back,"
            " or build a new generation under these beside it with leitong replay --into NAME"
        )
    return "the index was built under these settings"


def _checkpoint(settings: Settings) -> str:
    found = _directory(settings)
    path = Path(settings.query.checkpoint).absolute()
    owner = checkpoint.read(path)
    entry = generations.read(open_catalogue(settings)).entries.get(settings.store.generation or "")
    if owner is not None and entry is not None and not owner.belongs_to(entry):
        raise LeitongError(checkpoint.foreign(path, owner, entry))
    return found


def _directory(settings: Settings) -> str:
    path = Path(settings.query.checkpoint)
    if path.exists() and not path.is_dir():
        raise LeitongError(f"{path} is no directory; set query.checkpoint to one")
    return f"{path.absolute()} ({'in use' if path.exists() else 'made when the query starts'})"
