"""``leitong demo``: a morning in the newsroom, without a broker."""

import itertools
import shutil
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson
from rich.console import Console
from rich.progress import track
from rich.table import Table

if TYPE_CHECKING:
    from streaming.settings import Settings

_MARKER = "demo.json"
_PER_HOUR = 1_500
_EXAMPLES = 10
_SHOWN_CHARACTERS = 70


@click.command()
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".leitong/demo"),
    show_default=True,
    help="Where the log, the index and the exports go. A former demo there is replaced.",
)
@click.option("--events", type=click.IntRange(100), default=6_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option(
    "--dashboard/--no-dashboard",
    default=None,
    help="Show the morning on a web page at the end, until Ctrl-C. [default: on a terminal]",
)
def demo(*, directory: Path, events: int, seed: int, dashboard: bool | None) -> None:
    """Simulate a morning of news and judge it on a file log and SQLite.

    Writes articles in 25 channels with reposts, excerpts, edited copies, look-alikes and
    malformed events, runs the real query over them, and compares its verdicts with what
    the simulator knows. Needs Python and Java only.
    """
    from streaming.exporting import verdicts as export_verdicts  # noqa: PLC0415
    from streaming.query.run import RunOptions, run  # noqa: PLC0415
    from streaming.settings import load  # noqa: PLC0415
    from streaming.store.opening import open_index  # noqa: PLC0415

    console = Console(stderr=False)
    _make_room(directory)
    settings = load(
        overrides=[
            ("query.source", f"file:{directory / 'log'}", "demo"),
            ("query.checkpoint", str(directory / "checkpoint"), "demo"),
            ("store.url", f"sqlite:{directory / 'leitong.db'}", "demo"),
            ("query.max_batch", "2000", "demo"),
        ]
    ).settings
    truths = _simulate(console, settings.channels, directory, events, seed)
    begin = time.perf_counter()
    run(settings, RunOptions(until_caught_up=True))
    seconds = time.perf_counter() - begin
    store = open_index(settings)
    lines = list(export_verdicts(store))
    _write_lines(directory / "verdicts.jsonl", lines)
    _report(console, store, lines, truths, events / seconds)
    _show_the_way(console, directory)
    if console.is_terminal if dashboard is None else dashboard:
        _show_page(console, settings)


def _make_room(directory: Path) -> None:
    if directory.exists() and any(directory.iterdir()):
        if not (directory / _MARKER).exists():
            raise click.ClickException(
                f"{directory} holds something that is no demo; give another --directory"
            )
        shutil.rmtree(directory)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / _MARKER).write_bytes(orjson.dumps({"made_by": "leitong demo"}))


def _simulate(
    console: Console, channels: dict[str, str], directory: Path, events: int, seed: int
) -> dict[str, dict[str, Any]]:
    from producers.newsroom import Newsroom, truth_line  # noqa: PLC0415
    from streaming.filelog import FileLogWriter  # noqa: PLC0415

    begin = datetime.now(UTC) - timedelta(hours=events / _PER_HOUR)
    newsroom = Newsroom(
        seed,
        channels={int(number): name for number, name in channels.items()},
        start=begin,
        per_hour=_PER_HOUR,
    )
    truths: dict[str, dict[str, Any]] = {}
    with FileLogWriter(directory / "log") as log:
        for event in track(
            itertools.islice(newsroom, events), "simulating the morning", events, console=console
        ):
            record = event.record
            log.append(record.key, record.value, record.headers, record.timestamp_ms)
            if event.truth is not None:
                truths.setdefault(event.truth.article_id, truth_line(event.truth))
    _write_lines(directory / "truth.jsonl", truths.values())
    return truths


def _write_lines(path: Path, lines: Any) -> None:
    with path.open("wb") as out:
        for line in lines:
            out.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


def _report(console: Console, store: Any, lines: list[Any], truths: Any, rate: float) -> None:
    from streaming.demo import by_channel, examples, score  # noqa: PLC0415

    channels = Table(title="the morning, by channel")
    for heading in ("channel", "articles", "duplicates", "rate"):
        channels.add_column(heading, justify="left" if heading == "channel" else "right")
    rows = by_channel(lines)
    for row in rows:
        channels.add_row(*_channel_cells(row.channel, row.articles, row.duplicates))
    channels.add_section()
    total, duplicates = sum(r.articles for r in rows), sum(r.duplicates for r in rows)
    channels.add_row(*_channel_cells("all", total, duplicates))
    console.print(channels)

    result = score(lines, truths)
    kinds = Table(title="found, by what was done to the copy")
    for heading in ("kind", "copies", "found", "recall"):
        kinds.add_column(heading, justify="left" if heading == "kind" else "right")
    for kind, copies in result.all_repeats.most_common():
        if copies:
            found = result.found[kind]
            kinds.add_row(kind, f"{copies:,}", f"{found:,}", f"{found / copies:.0%}")
    console.print(kinds)

    pairs = Table(title=f"{_EXAMPLES} pairs", show_lines=True)
    for heading in ("what was done", "earlier", "later"):
        pairs.add_column(heading)
    for label, earlier, later in examples(store, lines, truths, _EXAMPLES):
        pairs.add_row(label, earlier[:_SHOWN_CHARACTERS], later[:_SHOWN_CHARACTERS])
    console.print(pairs)
    console.print(
        f"precision {_share(result.precision)}, recall {_share(result.recall)}"
        f" against the simulator's truth; {rate:,.0f} events/s with start-up"
    )


def _channel_cells(name: str, articles: int, duplicates: int) -> tuple[str, str, str, str]:
    return name, f"{articles:,}", f"{duplicates:,}", f"{duplicates / articles:.1%}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _show_the_way(console: Console, directory: Path) -> None:
    leitong = sys.argv[0]
    store = f"--store sqlite:{directory / 'leitong.db'}"
    console.print(
        f"\nEverything is in {directory}: log/, leitong.db, verdicts.jsonl, truth.jsonl. Look on:\n"
        f"  {leitong} export statistics {store}\n"
        f"  {leitong} export dead-letters {store}\n"
        f"  {leitong} produce --from newsroom:2 --limit 1000 --to file:{directory / 'log'}\n"
        f"  {leitong} run --source file:{directory / 'log'} {store}"
        f" --checkpoint {directory / 'checkpoint'} --until-caught-up",
        soft_wrap=True,
        highlight=False,
    )


def _show_page(console: Console, settings: "Settings") -> None:
    from streaming.dashboard.app import Dashboard  # noqa: PLC0415
    from streaming.dashboard.watching import watching  # noqa: PLC0415
    from streaming.interrupts import wait  # noqa: PLC0415
    from streaming.serving import Address, served  # noqa: PLC0415

    app = Dashboard(settings)
    # Whatever else listens on the usual port, the demo goes on.
    with watching(app.watcher), served(app, Address("127.0.0.1", 0)) as there:
        console.print(
            f"\nThe morning as a page: http://{there}/#/rates?range=6h (Ctrl-C ends it)",
            soft_wrap=True,
            highlight=False,
        )
        wait()
        console.print()
