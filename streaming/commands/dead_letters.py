"""``leitong dead-letters``: look at what was refused, and send it again."""

import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import orjson

from streaming.commands.options import configured, existing_index, read_settings, store_option
from streaming.reasons import Reason

if TYPE_CHECKING:
    from streaming.redelivery import Tally

Command = TypeVar("Command", bound=Callable[..., Any])


def _reason_option(command: Command) -> Command:
    return click.option(
        "--reason",
        "reasons",
        type=click.Choice([reason.value for reason in Reason]),
        multiple=True,
        help="Only letters with this reason. May be repeated.",
    )(command)


@click.group("dead-letters")
def dead_letters() -> None:
    """Look at refused events, and send them again after a fix."""


@dead_letters.command("list")
@_reason_option
@click.option("--limit", type=click.IntRange(min=1), help="Only so many, the newest.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@store_option
@configured
def list_letters(
    *,
    reasons: tuple[str, ...],
    limit: int | None,
    as_json: bool,
    store: str | None,
    file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """List dead letters, the newest last, and count them by reason.

    A line has the place in the log (topic/partition/offset), the time of the record, the
    reason, the stage that refused it, the detail, the size of the value, and whether the
    record was sent again. Nothing of the value is shown. With --json the counts go to
    standard error.
    """
    from streaming import deadletters, letterview  # noqa: PLC0415

    index = existing_index(read_settings(file, assignments, store__url=store))
    counts: Counter[str] = Counter()
    last: deque[str] = deque(maxlen=limit)
    for entry in deadletters.entries(index):
        if reasons and entry.letter.reason not in reasons:
            continue
        counts[entry.letter.reason] += 1
        line = (
            orjson.dumps(letterview.fields(entry)).decode()
            if as_json
            else letterview.summary(entry)
        )
        if limit is None:
            click.echo(line)
        else:
            last.append(line)
    for line in last:
        click.echo(line)
    told = ", ".join(f"{count:,} {reason}" for reason, count in counts.most_common())
    click.echo(f"{counts.total():,} dead letters" + (f": {told}" if told else ""), err=as_json)


@dead_letters.command()
@click.argument("place")
@click.option("--raw", is_flag=True, help="Write the untouched bytes of the value, nothing else.")
@store_option
@configured
def show(
    *,
    place: str,
    raw: bool,
    store: str | None,
    file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Show the dead letter of PLACE: its fields, key, headers and value.

    PLACE is topic/partition/offset, or partition/offset if the letters are all of one
    topic. Text is shown as text, with what a terminal would act on escaped; other bytes
    in hexadecimal, the first 512 of them. Without a value --raw writes nothing.
    """
    from streaming import deadletters, letterview  # noqa: PLC0415

    index = existing_index(read_settings(file, assignments, store__url=store))
    found = deadletters.find(index, place)
    if raw:
        if len(found) > 1:
            click.echo(f"{len(found)} letters stand there; this is the newest", err=True)
        sys.stdout.buffer.write(found[-1].letter.value or b"")
        sys.stdout.buffer.flush()
        return
    for number, entry in enumerate(found):
        if number:
            click.echo()
        for line in letterview.page(entry):
            click.echo(line)


@dead_letters.command()
@_reason_option
@click.option(
    "--to",
    "target",
    metavar="URL",
    help="Log to send to, file:DIR or kafka://HOST:PORT/TOPIC. [default: query.source]",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be sent.")
@click.option("--again", is_flag=True, help="Also letters that were sent before.")
@click.option("--even-refused", is_flag=True, help="Also letters that would be refused again.")
@click.option(
    "--even-overtaken", is_flag=True, help="Also letters whose article has a later event."
)
@click.option(
    "--timestamps",
    type=click.Choice(["now", "own"]),
    default="now",
    show_default=True,
    help="Stamp of a record: when the log takes it, or the one it had, if the log keeps it.",
)
@store_option
@configured
@click.pass_context
def replay(
    context: click.Context,
    *,
    reasons: tuple[str, ...],
    target: str | None,
    dry_run: bool,
    again: bool,
    even_refused: bool,
    even_overtaken: bool,
    timestamps: str,
    store: str | None,
    file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Send refused records to the log again, after a fix.

    Each goes with the key, value and headers it came with, in the order of the log, and is
    marked in the store once the log has confirmed it. A crash between the two sends some
    twice: a record arrives at least once.

    Letters that bear the mark are passed over, and so are those that the settings in force
    would refuse again. So are letters of an article of which a later event is stored: what
    is sent now counts as the latest word, and would undo it. Without --to only letters of
    the source's own topic are sent. Ctrl-C finishes what was handed over; the same command
    goes on with the rest.
    """
    from streaming.enrichment import Enricher  # noqa: PLC0415
    from streaming.interrupts import INTERRUPTED, interruptible  # noqa: PLC0415
    from streaming.redelivery import Options, Redelivery  # noqa: PLC0415
    from streaming.showing import progress_on  # noqa: PLC0415
    from streaming.sinks import open_sink  # noqa: PLC0415

    settings = read_settings(file, assignments, store__url=store)
    index = existing_index(settings)
    to, topic = _target(target or settings.query.source)
    options = Options(
        reasons=frozenset(reasons) or None,
        topic=None if target else topic,
        again=again,
        even_refused=even_refused,
        even_overtaken=even_overtaken,
        own_time=timestamps == "own",
    )
    with ExitStack() as stack:
        sink = None if dry_run else stack.enter_context(closing(open_sink(to, settings.kafka)))
        stop = stack.enter_context(interruptible())
        progress = stack.enter_context(progress_on(sys.stderr, _describe))
        tally = Redelivery(
            index, Enricher(settings), sink, to, options, stop=stop, on_progress=progress.show
        ).run()
    for line in _report(tally, to, even_refused=even_refused, dry_run=dry_run):
        click.echo(line)
    if tally.interrupted:
        context.exit(INTERRUPTED)


def _target(url: str) -> tuple[str, str]:
    """Give an address as the marks note it, and the topic of the log there."""
    from streaming.errors import SourceError  # noqa: PLC0415
    from streaming.filelog import describe_log  # noqa: PLC0415
    from streaming.urls import KafkaUrl, LogUrl  # noqa: PLC0415

    parsed = LogUrl.parse(url)
    if isinstance(parsed, KafkaUrl):
        return str(parsed), parsed.topic
    description = describe_log(parsed.directory)
    if description is None:
        raise SourceError(f"{parsed}: no file log there; name the log to send to with --to")
    return str(parsed), description.topic


def _describe(tally: "Tally") -> str:
    skipped = tally.replayed + tally.foreign + tally.overtaken
    return f"{tally.sent:,} sent, {skipped:,} skipped, {tally.refused.total():,} still refused"


def _report(tally: "Tally", to: str, *, even_refused: bool, dry_run: bool) -> Iterator[str]:
    done = "would be sent" if dry_run else "sent"
    begun = "interrupted: " if tally.interrupted else ""
    yield f"{begun}{tally.sent:,} dead letters {done} to {to}"
    if tally.replayed:
        yield f"{tally.replayed:,} skipped: sent before; --again sends them once more"
    if tally.foreign:
        yield f"{tally.foreign:,} skipped: of another topic than the source; --to sends them"
    if tally.overtaken:
        yield (
            f"{tally.overtaken:,} skipped: their article has a later event;"
            " --even-overtaken sends them"
        )
    if tally.refused:
        told = ", ".join(f"{count:,} {reason}" for reason, count in tally.refused.most_common())
        ending = "sent all the same" if even_refused else "not sent; --even-refused sends them"
        yield f"{tally.refused.total():,} still refused ({told}): {ending}"
