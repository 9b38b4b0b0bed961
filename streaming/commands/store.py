"""``leitong store``: the tables of the index."""

from pathlib import Path

import click

from streaming.commands.options import configured, read_settings, store_option


@click.group()
def store() -> None:
    """Make and look at the tables of the index."""


@store.command()
@store_option
@configured
def init(*, store: str | None, file: Path | None, assignments: tuple[str, ...]) -> None:
    """Create the tables that are missing; existing ones are left as they are.

    The query does this as well when it starts. Run it beforehand where the query may not
    create tables, or to choose the number of regions: hbase://HOST:PORT/PREFIX?regions=64.
    """
    from streaming.store.opening import open_index  # noqa: PLC0415
    from streaming.store.tables import TABLES, tables  # noqa: PLC0415

    settings = read_settings(file, assignments, store__url=store)
    index = open_index(settings)
    missing = index.missing_tables(TABLES)
    index.ensure_tables(tables(settings.store.retention))
    click.echo(f"{index.ping()}: {len(missing)} tables created, {len(TABLES)} in all")
