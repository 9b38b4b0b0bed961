"""``leitong run`` and ``leitong replay``."""

import sys
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from streaming.commands.options import (
    Moment,
    configured,
    generation_option,
    milliseconds,
    models_option,
    read_settings,
    store_option,
)
from streaming.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


def _query_options(command: Command) -> Command:
    for option in reversed(
        (
            click.option(
                "--source",
                metavar="URL",
                help="Log of article events: file:DIR or kafka://HOST:PORT/TOPIC."
                " [default: query.source]",
            ),
            store_option,
            generation_option,
            models_option,
            click.option("--max-batch", type=int, help="Events in a micro-batch."),
            click.option(
                "--verdicts", metavar="URL", help="Send verdict events there (file: or kafka:)."
            ),
            click.option(
                "--dead-letters", metavar="URL", help="Send refused events there as well."
            ),
            configured,
        )
    ):
        command = option(command)
    return command


@click.command()
@_query_options
@click.option("--checkpoint", metavar="DIR", help="Where Spark notes how far it is.")
@click.option("--trigger", metavar="DURATION", help="How often a micro-batch begins, like 2s.")
@click.option(
    "--until-caught-up", is_flag=True, help="End when everything there at the start is judged."
)
@click.option(
    "--metrics-listen",
    "metrics",
    metavar="[HOST:]PORT",
    help="Answer Prometheus there, on 127.0.0.1 unless a host is named; port 0 takes one that is"
    " free. Figures and names of channels only, for whoever asks. [default: nowhere]",
)
def run(
    *,
    source: str | None,
    store: str | None,
    generation: str | None,
    models: str | None,
    max_batch: int | None,
    verdicts: str | None,
    dead_letters: str | None,
    file: Path | None,
    assignments: tuple[str, ...],
    checkpoint: str | None,
    trigger: str | None,
    until_caught_up: bool,
    metrics: str | None,
) -> None:
    """Judge article events as they arrive.

    Each event is parsed, normalised, segmented and fingerprinted, put into the index, and
    compared with what was published before. Bad events become dead letters. Ctrl-C lets
    the batch in hand finish; the same command goes on where it stopped. Without models
    duplicates are judged only.

    \b
      leitong run --source file:log/ --store sqlite:leitong.db --until-caught-up
      leitong run --source kafka://127.0.0.1:9092/articles \\
                  --store hbase://127.0.0.1:9090/leitong --trigger 1s --models models/
    """  # noqa: D301 - click wants the character, not its escape
    settings = read_settings(
        file,
        assignments,
        query__source=source,
        store__url=store,
        store__generation=generation,
        query__models=models,
        query__max_batch=max_batch,
        query__verdicts=verdicts,
        query__dead_letters=dead_letters,
        query__checkpoint=checkpoint,
        query__trigger=trigger,
    )
    from streaming.query.run import RunOptions  # noqa: PLC0415 - Spark, only when it is needed
    from streaming.query.run import run as run_query  # noqa: PLC0415
    from streaming.serving import Address  # noqa: PLC0415

    where = Address.parse(metrics) if metrics is not None else None
    run_query(settings, RunOptions(until_caught_up, metrics=where))


@click.command()
@_query_options
@click.option(
    "--into",
    metavar="NAME",
    help="Build this generation, new or begun, instead: under the settings in force, with a"
    " checkpoint of its own.",
)
@click.option("--from-beginning", is_flag=True, help="Read the whole log again.")
@click.option(
    "--from-offsets",
    type=click.Path(path_type=Path, dir_okay=False),
    help='Begin at these offsets: a JSON file, {"PARTITION": OFFSET, ...}.',
)
@click.option("--from-time", type=Moment(), help="Begin with what the log stamped then.")
@click.option(
    "--to-offsets",
    type=click.Path(path_type=Path, dir_okay=False),
    help="End before these offsets.",
)
@click.option("--to-time", type=Moment(), help="End before what the log stamped then.")
@click.option(
    "--vectors-only",
    is_flag=True,
    help="Judge nothing: give the articles of the index their place in the lists of the active"
    " models.",
)
def replay(
    *,
    source: str | None,
    store: str | None,
    generation: str | None,
    models: str | None,
    max_batch: int | None,
    verdicts: str | None,
    dead_letters: str | None,
    file: Path | None,
    assignments: tuple[str, ...],
    into: str | None,
    from_beginning: bool,
    from_offsets: Path | None,
    from_time: datetime | None,
    to_offsets: Path | None,
    to_time: datetime | None,
    vectors_only: bool,
) -> None:
    """Judge a part of the log again, into the same index or into a new generation.

    Since the tables are a function of the log, a replay changes nothing that was right;
    it mends what is missing, and announces what was not announced. It keeps no checkpoint:
    one that was stopped is started again from where it began.

    With --into the whole log, unless a part is named, is judged under the settings in
    force into tables of its own, beside those that readers follow. Its checkpoint is kept,
    as the configured one with the name behind it, so the same command goes on where it was
    stopped. It announces nothing, unless --verdicts or --dead-letters is given.

    With --vectors-only the log is not read. Articles of the lists' window that were judged
    before the active version of the models was, are described and ranked under it, beside
    the query if one is running. When they are, readers follow the lists of that version.

    \b
      leitong replay --from-beginning
      leitong replay --from-time 2026-01-31T06:00+08:00 --to-time 2026-01-31T12:00+08:00
      leitong replay --into k2 --set matching.k=2
      leitong replay --vectors-only --models models/
    """  # noqa: D301 - as above
    if vectors_only:
        if into or from_beginning or from_offsets or from_time or to_offsets or to_time:
            raise click.UsageError("--vectors-only reads no log: name no part of it, nor --into")
        _fill_vectors(
            read_settings(
                file,
                assignments,
                store__url=store,
                store__generation=generation,
                query__models=models,
            )
        )
        return
    begins = [from_beginning, from_offsets is not None, from_time is not None].count(True)
    if begins > 1 or not (begins or into):
        raise click.UsageError("say one of --from-beginning, --from-offsets and --from-time")
    if into and generation:
        raise click.UsageError("--into names the generation already: leave out --generation")
    from streaming.query import checkpoint  # noqa: PLC0415 - Spark, only when it is needed
    from streaming.query.run import RunOptions  # noqa: PLC0415
    from streaming.query.run import run as run_query  # noqa: PLC0415
    from streaming.query.source import Span, read_offsets  # noqa: PLC0415

    span = Span(
        from_offsets=read_offsets(from_offsets) if from_offsets else None,
        from_ms=milliseconds(from_time),
        to_offsets=read_offsets(to_offsets) if to_offsets else None,
        to_ms=milliseconds(to_time),
    )
    settings = read_settings(
        file,
        assignments,
        query__source=source,
        store__url=store,
        store__generation=into or generation,
        query__models=models,
        query__max_batch=max_batch,
        query__verdicts=verdicts,
        query__dead_letters=dead_letters,
    )
    if into is None:
        with tempfile.TemporaryDirectory(prefix="leitong-replay-") as directory:
            run_query(
                _with_query(settings, checkpoint=directory),
                RunOptions(until_caught_up=True, span=span),
            )
        return
    kept = f"{settings.query.checkpoint.rstrip('/')}.{into}"
    settings = _with_query(settings, checkpoint=kept, verdicts=verdicts, dead_letters=dead_letters)
    if not run_query(settings, RunOptions(until_caught_up=True, span=span, aside=True)):
        click.echo(f"generation {into} is not complete: the same command goes on", err=True)
        return
    checkpoint.finish(Path(kept))
    _show_the_way(settings, into, ended=to_offsets is not None or to_time is not None)


def _fill_vectors(settings: Settings) -> None:
    from streaming.query.vectors import replay_vectors  # noqa: PLC0415 - Spark, as above
    from streaming.showing import progress_on  # noqa: PLC0415

    with progress_on(sys.stderr, str) as progress:
        outcome = replay_vectors(settings, progress.show)
    click.echo(outcome)


def _with_query(settings: Settings, **changes: str | None) -> Settings:
    return settings.model_copy(update={"query": settings.query.model_copy(update=changes)})


def _show_the_way(settings: Settings, name: str, *, ended: bool) -> None:
    """Say how to compare a generation that was built, to go on live with it, and to activate it."""
    from streaming.store import generations  # noqa: PLC0415
    from streaming.store.opening import open_catalogue  # noqa: PLC0415

    active = generations.read(open_catalogue(settings)).active
    compare = f"leitong generations compare {active} {name}; " if active else ""
    live = f"leitong run --generation {name} --checkpoint {settings.query.checkpoint}"
    click.echo(
        f"generation {name} is built: {compare}let readers follow it with"
        f" leitong generations activate {name}"
    )
    click.echo(
        "it ends where the replay was told to, so it cannot go on live"
        if ended
        else f"go on live under the same settings: {live}"
    )
