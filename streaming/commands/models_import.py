"""``leitong models import``: take over models that Spark saved."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from streaming.commands.options import configured, read_settings
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

if TYPE_CHECKING:
    from streaming.offline.importing import Saved
    from streaming.similar.building import Vocabulary
    from streaming.similar.manifest import Manifest
    from streaming.similar.registry import Registry

_CHECKSUM = 12


@click.command("import")
@click.argument("sources", nargs=-1, required=True, metavar="[CHANNEL=]DIRECTORY...")
@registry_option
@click.option("--channel", metavar="NAME", help="The channel of the only DIRECTORY.")
@click.option(
    "--fallback",
    metavar="CHANNEL",
    help="Whose model all other channels have. [default: the one with most words]",
)
@click.option(
    "--articles",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Count here how rare words are, and find means and cells: JSON Lines, gzip (.gz) or not."
    " May be repeated. [default: jieba's table of frequencies]",
)
@click.option("--activate", "active", is_flag=True, help="Make the new version the active one.")
@keywords_option
@ranking_options
@configured
@click.pass_context
def import_(
    context: click.Context,
    /,
    *,
    sources: tuple[str, ...],
    models: str,
    channel: str | None,
    fallback: str | None,
    articles: tuple[Path, ...],
    active: bool,
    file: Path | None,
    assignments: tuple[str, ...],
    **options: Any,
) -> None:
    """Make a version of Word2Vec models that Spark saved.

    Each DIRECTORY holds metadata and data, as Word2VecModel.save writes them. Its channel
    stands before it, or is that of the number in a name like channel_18_python.word2vec.

    \b
      leitong models import channel_18_python.word2vec --models models/ --activate
      leitong models import 体育=sports.word2vec 财经=finance.word2vec --models models/ \\
                            --articles articles.jsonl.gz
    """  # noqa: D301 - click wants the character, not its escape
    from streaming.offline import importing  # noqa: PLC0415

    settings = read_settings(file, assignments)
    if channel is not None:
        if len(sources) > 1:
            raise click.UsageError("--channel is for one DIRECTORY; write CHANNEL=DIRECTORY")
        sources = (f"{channel}={sources[0]}",)
    saved = [importing.parse(source, settings) for source in sources]
    found = {each.channel: importing.read_saved(each.directory, settings) for each in saved}
    if len(found) < len(saved):
        raise click.UsageError("two directories are of one channel")
    vocabularies = importing.with_fallback(found, fallback)
    from streaming.similar.comparison import name_of  # noqa: PLC0415
    from streaming.similar.registry import Registry  # noqa: PLC0415

    registry = Registry(models)
    registry.versions()
    if articles:
        told = _completed(context, registry, settings, vocabularies, saved, articles, options)
    else:
        told = importing.publish(
            registry, vocabularies, settings, saved, ranking_of(options), options["keywords"]
        )
    for model in told.models:
        click.echo(f"{name_of(model)}: {model.words:,} words, {model.dimensions} dimensions")
    click.echo(f"version {told.version}, checksum {told.checksum[:_CHECKSUM]}")
    if active:
        registry.activate(told.version)
        click.echo(f"active  {told.version}")


def _completed(
    context: click.Context,
    registry: "Registry",
    settings: Settings,
    vocabularies: "Mapping[str | None, Vocabulary]",
    saved: "Sequence[Saved]",
    articles: tuple[Path, ...],
    options: Mapping[str, Any],
) -> "Manifest":
    """Learn from articles what goes with vectors, and publish; Spark, only when it is needed."""
    from streaming.offline import importing  # noqa: PLC0415
    from streaming.offline.background import Background, JobStopped  # noqa: PLC0415
    from streaming.offline.train import train  # noqa: PLC0415
    from streaming.offline.train_input import Files  # noqa: PLC0415
    from streaming.offline.train_learning import TrainOptions  # noqa: PLC0415
    from streaming.offline.train_output import publish  # noqa: PLC0415
    from streaming.query.session import open_session  # noqa: PLC0415

    read = Files(articles)
    read.check(settings)
    chosen = TrainOptions(
        source=read,
        ranking=ranking_of(options),
        keywords=options["keywords"],
        least_articles=1,
    )
    spark = open_session(with_memory(settings))
    try:
        with interruptible() as stop, progress_on(sys.stderr, str) as progress:
            job = Background(
                spark, lambda stage: train(spark, settings, chosen, stage, vocabularies)
            )
            trained = job.run(stop, progress.show)
    except JobStopped as stopped:
        click.echo(f"leitong: {stopped}", err=True)
        context.exit(INTERRUPTED)
    finally:
        spark.stop()
    return publish(trained.told(importing.told(saved)), registry)
