"""``leitong produce``: publish articles to a log."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import BinaryIO

import click
import orjson

from producers.publish import Invalid, Options, Publisher, Tally, Timestamps
from producers.sources import NEWSROOM, Item, open_items
from producers.texts import Ids
from streaming.errors import SettingsError
from streaming.events import parser_of
from streaming.interrupts import INTERRUPTED, interruptible
from streaming.reasons import Rejected
from streaming.settings import Settings, load
from streaming.showing import progress_on
from streaming.sinks import Sink, open_sink
from streaming.urls import KafkaUrl, LogUrl

_REPORTED = 20
_PER_SECOND = {"": 1.0, "s": 1.0, "min": 60.0, "h": 3600.0}


class Rate(click.ParamType[float]):
    """A number of articles per second: ``100``, ``100/s``, ``6000/min``."""

    name = "N/s"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read a rate as articles per second."""
        number, _, unit = str(value).partition("/")
        try:
            rate = float(number) / _PER_SECOND[unit.strip()]
        except (ValueError, KeyError):
            rate = 0.0
        if not 0 < rate < float("inf"):
            self.fail(f"{value} is no rate; write 100/s or 6000/min", param, ctx)
        return rate


@click.command()
@click.option(
    "--from",
    "source",
    required=True,
    metavar="SOURCE",
    help="JSON Lines file (gzip or not), '-', directory, file log, or newsroom:SEED.",
)
@click.option(
    "--to",
    "target",
    required=True,
    metavar="LOG",
    help="file:DIR or kafka://HOST:PORT/TOPIC; created if it is not there.",
)
@click.option("--limit", type=click.IntRange(min=0), help="Stop after so many articles.")
@click.option("--rate", type=Rate(), help="Articles per second; as fast as it goes if left out.")
@click.option(
    "--timestamps",
    type=click.Choice(["now", "published"]),
    default="now",
    show_default=True,
    help="Stamp of a message: when the log takes it, or when its article was published.",
)
@click.option("--partitions", type=click.IntRange(1, 10_000), help="Of a new log; 4 if left out.")
@click.option(
    "--truth",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what the simulated newsroom knows to this JSON Lines file.",
)
@click.option(
    "--invalid",
    type=click.Choice(["stop", "skip", "send"]),
    default="stop",
    show_default=True,
    help="What to do with an article that is not valid.",
)
@click.option("--no-validate", is_flag=True, help="Send everything, report nothing.")
@click.option(
    "--ids",
    type=click.Choice(["stem", "path"]),
    default="stem",
    show_default=True,
    help="Id of a text in a directory: its file name, or its path.",
)
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Settings file; leitong.toml if it is there.",
)
@click.pass_context
def produce(
    context: click.Context,
    *,
    source: str,
    target: str,
    limit: int | None,
    rate: float | None,
    timestamps: Timestamps,
    partitions: int | None,
    truth: Path | None,
    invalid: Invalid,
    no_validate: bool,
    ids: Ids,
    config: Path | None,
) -> None:
    """Publish articles to a log.

    Ctrl-C finishes what was handed over and says how much that was.
    """
    if source.startswith(f"{NEWSROOM}:") and limit is None and rate is None:
        raise SettingsError(f"{source}: never ends; say --limit N or --rate N/s")
    options = Options(timestamps, invalid, not no_validate, limit, rate)
    settings = load(config).settings
    items = open_items(
        source, ids, channels=settings.channels.values(), max_bytes=settings.events.max_bytes
    )
    with ExitStack() as stack:
        on_sent = stack.enter_context(_writing(truth))
        sink = stack.enter_context(
            closing(open_target(target, settings, options.timestamps, partitions))
        )
        stop = stack.enter_context(interruptible())
        progress = stack.enter_context(progress_on(sys.stderr, describe))
        tally = Publisher(
            sink,
            parser_of(settings),
            options,
            stop=stop,
            on_invalid=_Reporter(),
            on_sent=on_sent,
            on_progress=progress.show,
        ).publish(items)
    click.echo(summary(tally, target), err=True)
    if tally.interrupted:
        context.exit(INTERRUPTED)


def open_target(
    target: str, settings: Settings, timestamps: Timestamps, partitions: int | None
) -> Sink:
    """Open the log to publish to, creating it if need be.

    Publication times need a topic that keeps them: SourceError if the broker stamps the
    messages of an existing one. What else does not suit a log is said, not refused.
    """
    url = LogUrl.parse(target)
    if isinstance(url, KafkaUrl):
        # Importing a Kafka client takes half a second, which file logs need not wait.
        from streaming.topics import ensure_topic  # noqa: PLC0415

        published = timestamps == "published"
        topic = ensure_topic(
            url,
            settings.kafka,
            partitions=partitions,
            timestamps="CreateTime" if published else "LogAppendTime",
            strict=published,
        )
        for doubt in topic.doubts:
            click.echo(f"warning: {url}: {doubt}", err=True)
    return open_sink(url, settings.kafka, partitions=partitions)


def describe(tally: Tally) -> str:
    """Say in one line how much was sent, how fast, and what was wrong."""
    rate = tally.sent / tally.seconds if tally.seconds > 0 else 0.0
    megabytes = tally.bytes / 1_000_000
    text = f"{tally.sent} articles, {megabytes:.1f} MB, {rate:.0f}/s"
    invalid = tally.invalid.total()
    if invalid:
        text += f", {invalid} invalid"
    return text


def summary(tally: Tally, target: str) -> str:
    """Say in one line what was published."""
    rate = tally.acknowledged / tally.seconds if tally.seconds > 0 else 0.0
    begun = "interrupted: published" if tally.interrupted else "published"
    size = f"{tally.bytes / 1_000_000:.1f} MB"
    speed = f"in {tally.seconds:.1f} s, {rate:.0f}/s"
    parts = [f"{begun} {tally.acknowledged} articles ({size}) to {target} ({speed})"]
    if tally.invalid:
        reasons = ", ".join(f"{reason} {count}" for reason, count in tally.invalid.most_common())
        parts.append(f"{tally.invalid.total()} invalid ({reasons}), {tally.skipped} skipped")
    elif tally.skipped:
        parts.append(f"{tally.skipped} skipped")
    if tally.undated:
        parts.append(f"{tally.undated} without a time got that of the article before")
    return "; ".join(parts)


class _Reporter:
    """Reports the first invalid articles one by one; the summary counts the others."""

    def __init__(self) -> None:
        self._reported = 0

    def __call__(self, item: Item, rejected: Rejected) -> None:
        self._reported += 1
        if self._reported <= _REPORTED:
            click.echo(f"{item.where}: {rejected}", err=True)
        elif self._reported == _REPORTED + 1:
            click.echo("further invalid articles are counted, not listed", err=True)


@contextmanager
def _writing(truth: Path | None) -> Iterator[Callable[[Item], None] | None]:
    if truth is None:
        yield None
        return
    try:
        file = truth.open("wb")
    except OSError as error:
        raise SettingsError(f"{truth}: cannot be written ({error.strerror})") from error
    with file:
        yield lambda item: _write_truth(file, item)


def _write_truth(file: BinaryIO, item: Item) -> None:
    if item.truth is not None:
        file.write(orjson.dumps(item.truth, option=orjson.OPT_APPEND_NEWLINE))
