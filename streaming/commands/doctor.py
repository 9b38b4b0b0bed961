"""``leitong doctor``: see whether everything is there that the query needs."""

import sys
from pathlib import Path

import click

from streaming.commands.options import configured, generation_option, read_settings, store_option


@click.command()
@click.option("--source", metavar="URL", help="Log to look at. [default: query.source]")
@store_option
@generation_option
@configured
def doctor(
    *,
    source: str | None,
    store: str | None,
    generation: str | None,
    file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Check Python, Java, the connector, the log, the store, its tables and their stamp.

    One line each; ends with status 1 if something is wrong. Changes nothing.
    """
    from streaming.doctor import examine  # noqa: PLC0415

    settings = read_settings(
        file,
        assignments,
        query__source=source,
        store__url=store,
        store__generation=generation,
    )
    healthy = True
    for finding in examine(settings):
        healthy &= finding.ok
        mark = click.style("ok  ", fg="green") if finding.ok else click.style("BAD ", fg="red")
        click.echo(f"{mark} {finding.subject:<11}{finding.text}")
    if not healthy:
        sys.exit(1)
