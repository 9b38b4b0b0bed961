"""``leitong export``: tables of the index as JSON lines."""

import sys
from pathlib import Path

import click
import orjson

from streaming.commands.options import (
    configured,
    existing_index,
    generation_option,
    read_settings,
    store_option,
)

_WHAT = ("verdicts", "articles", "statistics", "dead-letters", "pairs", "similar", "hot-keys")


@click.command()
@click.argument("what", type=click.Choice(_WHAT))
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default="-",
    help="File to write, put in place when it is complete. [default: standard output]",
)
@store_option
@generation_option
@configured
def export(
    *,
    what: str,
    target: Path,
    store: str | None,
    generation: str | None,
    file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Write tables of the index as JSON lines.

    Similar are the lists of similar articles that readers follow. Pairs are what editors
    said of articles, in the form that calibration reads. Hot keys are what more articles
    share than are compared: disclaimers, column heads, viral stories.

    Reads the store only; the query may be running. What is exported is the generation that
    is active when the export starts, or the one that is named. Two exports
    of the same tables are the same byte for byte, whichever store they are in.
    """
    from streaming.exporting import exports  # noqa: PLC0415

    settings = read_settings(file, assignments, store__url=store, store__generation=generation)
    found = exports(settings.stories.sources, settings.matching.visible)[what](
        existing_index(settings)
    )
    lines = (orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in found)
    if str(target) == "-":
        for line in lines:
            sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
        return
    partial = target.with_name(f".{target.name}.partial")
    written = 0
    with partial.open("wb") as out:
        for line in lines:
            out.write(line)
            written += 1
    partial.replace(target)
    click.echo(f"{written:,} lines in {target}", err=True)
