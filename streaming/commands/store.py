"""``leitong store``: the tables of the index."""

import time
from pathlib import Path

import click

from streaming.commands.options import configured, generation_option, read_settings, store_option


@click.group()
def store() -> None:
    """Make and look at the tables of the index."""


@store.command()
@store_option
@generation_option
@configured
def init(
    *,
    store: str | None,
    generation: str | None,
    file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Create the tables of a generation that are missing; existing ones are left as they are.

    The query does this as well when it starts. Run it beforehand where the query may not
    create tables, or to choose the number of regions: hbase://HOST:PORT/PREFIX?regions=64.
    """
    from streaming.store import generations  # noqa: PLC0415
    from streaming.store.opening import open_catalogue, open_generation  # noqa: PLC0415
    from streaming.store.tables import CATALOGUE, TABLES, tables  # noqa: PLC0415

    settings = read_settings(file, assignments, store__url=store, store__generation=generation)
    beside = open_catalogue(settings)
    name = settings.store.generation or generations.read(beside).followed
    index = open_generation(settings, name)
    missing = beside.missing_tables([CATALOGUE]) + index.missing_tables(TABLES)
    generations.register(beside, name, int(time.time() * 1000), activate=False)
    index.ensure_tables(tables(settings.store.retention))
    click.echo(f"{beside.ping()}: {len(missing)} tables created, {len(TABLES) + 1} in all")
