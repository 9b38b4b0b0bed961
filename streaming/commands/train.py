"""``leitong train``: learn the models of similar articles."""

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from streaming.commands.options import (
    Moment,
    configured,
    generation_option,
    milliseconds,
    read_settings,
)
from streaming.commands.versions import (
    keywords_option,
    ranking_of,
    ranking_options,
    registry_option,
    with_memory,
)
from streaming.interrupts import INTERRUPTED, interruptible
from streaming.settings import Settings
from streaming.showing import progress_on

_POSITIVE = click.IntRange(1)
_LOGS = frozenset({"file", "kafka"})
_STORES = frozenset({"hbase", "memory", "sqlite"})


@click.command()
@click.option(
    "--from",
    "origins",
    multiple=True,
    required=True,
    metavar="FILE|URL",
    help="Learn from articles or article events: JSON Lines, gzip (.gz) or not, which may be"
    " repeated; or from a log (file:DIR or kafka://HOST:PORT/TOPIC); or from the texts of an"
    " index (sqlite:PATH or hbase://HOST:PORT/PREFIX).",
)
@generation_option
@click.option(
    "--from-offsets",
    type=click.Path(path_type=Path, dir_okay=False),
    help='Begin at these offsets of the log: a JSON file, {"PARTITION": OFFSET, ...}.',
)
@click.option("--from-time", type=Moment(), help="Begin with what the log stamped then.")
@click.option(
    "--to-offsets",
    type=click.Path(path_type=Path, dir_okay=False),
    help="End before these offsets.",
)
@click.option("--to-time", type=Moment(), help="End before what the log stamped then.")
@registry_option
@click.option("--activate", is_flag=True, help="Make the new version the active one.")
@keywords_option
@ranking_options
@click.option("--dimensions", type=click.IntRange(2, 4096), default=100, show_default=True,
              help="Length of a word's vector.")  # fmt: skip
@click.option("--context", "context_words", type=_POSITIVE, default=5, show_default=True,
              help="Words before and after a word that count as its context.")  # fmt: skip
@click.option("--min-count", type=_POSITIVE, default=3, show_default=True,
              help="Times that a word must occur to have a vector.")  # fmt: skip
@click.option("--iterations", type=_POSITIVE, default=3, show_default=True,
              help="Times that all articles are gone through.")  # fmt: skip
@click.option("--least-articles", type=_POSITIVE, default=500, show_default=True,
              help="Articles that a channel must have for a model of its own.")  # fmt: skip
@click.option("--most-articles", type=_POSITIVE, default=200_000, show_default=True,
              help="Articles that a model is learned from; of more, a fixed sample.")  # fmt: skip
@click.option("--cells-from", type=_POSITIVE, default=20_000, show_default=True,
              help="Articles from which on a channel is cut into cells; below, search is exact."
              )  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of all randomness.")
@configured
@click.pass_context
def train(
    context: click.Context,
    /,
    *,
    origins: tuple[str, ...],
    generation: str | None,
    from_offsets: Path | None,
    from_time: datetime | None,
    to_offsets: Path | None,
    to_time: datetime | None,
    models: str,
    activate: bool,
    file: Path | None,
    assignments: tuple[str, ...],
    **options: Any,
) -> None:
    """Learn a new version of the models that find similar articles.

    Every channel that is large enough gets a Word2Vec model and a table of how rare words
    are; the others share one, learned from all articles. Words are those that the query will
    see: the same normalisation, segmentation and stop words. Versions are numbered and never
    change; readers follow the active one. The version keeps report.html, which shows what was
    learned.

    \b
      leitong train --from articles.jsonl.gz --models models/ --activate
      leitong train --from hbase://127.0.0.1:9090/leitong --models models/
      leitong train --from kafka://127.0.0.1:9092/articles --from-time 2026-01-01 \\
                    --models s3://newsroom/models

    What a list of similar articles is belongs to the version, too:

    \b
      leitong train --from articles.jsonl --models models/ \\
                    --scope newsroom --window 90d --half-life 7d --size 10
    """  # noqa: D301 - click wants the character, not its escape
    log, store = _url(origins, _LOGS), _url(origins, _STORES)
    if log is None and any((from_offsets, from_time, to_offsets, to_time)):
        raise click.UsageError("--from-offsets, --to-time and their like are for --from a log")
    if store is None and generation is not None:
        raise click.UsageError("--generation is for --from an index")
    settings = read_settings(
        file, assignments, store__url=store, store__generation=generation, query__source=log
    )
    from streaming.offline.background import (  # noqa: PLC0415 - Spark, only when it is needed
        Background,
        JobStopped,
    )
    from streaming.offline.train import train as run  # noqa: PLC0415
    from streaming.offline.train_input import Files, Log, Stored  # noqa: PLC0415
    from streaming.offline.train_learning import TrainOptions  # noqa: PLC0415
    from streaming.offline.train_output import PAGE, publish  # noqa: PLC0415
    from streaming.query.session import open_session  # noqa: PLC0415
    from streaming.query.source import Span, read_offsets  # noqa: PLC0415
    from streaming.similar.registry import Registry  # noqa: PLC0415

    registry = Registry(models)
    registry.versions()
    span = Span(
        from_offsets=read_offsets(from_offsets) if from_offsets else None,
        from_ms=milliseconds(from_time),
        to_offsets=read_offsets(to_offsets) if to_offsets else None,
        to_ms=milliseconds(to_time),
    )
    files = Files(tuple(map(Path, origins)))
    read = Log(span) if log is not None else Stored() if store is not None else files
    read.check(settings)
    chosen = TrainOptions(
        source=read,
        ranking=ranking_of(options),
        keywords=options["keywords"],
        dimensions=options["dimensions"],
        window=options["context_words"],
        min_count=options["min_count"],
        iterations=options["iterations"],
        seed=options["seed"],
        least_articles=options["least_articles"],
        most_articles=options["most_articles"],
        cells_from=options["cells_from"],
    )
    spark = open_session(with_memory(settings), _jars(settings, log))
    try:
        with interruptible() as stop, progress_on(sys.stderr, str) as progress:
            job = Background(spark, lambda stage: run(spark, settings, chosen, stage))
            trained = job.run(stop, progress.show)
    except JobStopped as stopped:
        click.echo(f"leitong: {stopped}", err=True)
        context.exit(INTERRUPTED)
    finally:
        spark.stop()
    told = publish(trained, registry)
    for line in trained.report.lines():
        click.echo(line)
    click.echo(f"version     {told.version}, checksum {told.checksum[:12]}")
    click.echo(f"report      {registry.url}/{told.version}/{PAGE}")
    if activate:
        registry.activate(told.version)
        click.echo(f"active      {told.version}")
    else:
        click.echo(
            f"readers follow it after leitong models activate {told.version} --models {models}",
            err=True,
        )


def _url(origins: tuple[str, ...], schemes: frozenset[str]) -> str | None:
    """Give the origin that is an address of these schemes; it must be the only origin."""
    for origin in origins:
        scheme, colon, _ = origin.partition(":")
        if colon and scheme.lower() in schemes:
            if len(origins) > 1:
                raise click.UsageError(f"{origin}: give one log, or one index, or files")
            return origin
    return None


def _jars(settings: Settings, log: str | None) -> Sequence[Path]:
    from streaming.query.session import connector_jars  # noqa: PLC0415
    from streaming.urls import KafkaUrl, LogUrl  # noqa: PLC0415

    if log is None or not isinstance(LogUrl.parse(log), KafkaUrl):
        return ()
    return connector_jars(settings, lambda line: click.echo(line, err=True))
