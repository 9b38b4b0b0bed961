"""Options that commands share, and how they become settings."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from streaming.settings import Loaded, Settings, load
from streaming.store.contract import Store

Command = TypeVar("Command", bound=Callable[..., Any])


def configured(command: Command) -> Command:
    """Add ``--config`` and ``--set``."""
    command = click.option(
        "--set",
        "assignments",
        multiple=True,
        metavar="GROUP.KEY=VALUE",
        help="Set one thing, over the file and the environment. May be repeated.",
    )(command)
    return click.option(
        "--config",
        "file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Settings file. [default: leitong.toml, if it is there]",
    )(command)


def store_option(command: Command) -> Command:
    """Add ``--store``."""
    return click.option(
        "--store",
        metavar="URL",
        help="sqlite:PATH or hbase://HOST:PORT/PREFIX. [default: store.url]",
    )(command)


def listen_option(default: str, needed: str) -> Callable[[Command], Command]:
    """Add ``--listen``; ``needed`` is without what it may be on loopback only."""
    return click.option(
        "--listen",
        "address",
        metavar="HOST:PORT",
        default=default,
        show_default=True,
        help=f"Where it is. One that other machines can reach needs a {needed}.",
    )


def articles_option(command: Command) -> Command:
    """Add ``--articles``, which may be repeated."""
    return click.option(
        "--articles",
        required=True,
        multiple=True,
        type=click.Path(exists=True, path_type=Path),
        help="Articles as leitong produce takes them: JSON Lines, gzip or not. May be repeated.",
    )(command)


def pairs_option(command: Command) -> Command:
    """Add ``--pairs``."""
    return click.option(
        "--pairs",
        required=True,
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Labelled pairs: JSON Lines with id1, id2, label, and perhaps kind and conf, as"
        " leitong export pairs writes them.",
    )(command)


def generation_option(command: Command) -> Command:
    """Add ``--generation``."""
    return click.option(
        "--generation",
        metavar="NAME",
        help="Generation of the index. [default: store.generation, else the active one]",
    )(command)


def models_option(command: Command) -> Command:
    """Add ``--models``."""
    return click.option(
        "--models",
        metavar="URL",
        help="Versions of the models for similar articles, as leitong train wrote them: a"
        " directory or a URL. [default: query.models]",
    )(command)


class Moment(click.ParamType[datetime]):
    """A time on the command line; one that names no offset is in UTC."""

    name = "TIME"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read ISO 8601."""
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time; write for example 2026-01-31T06:00+08:00", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def milliseconds(moment: datetime | None) -> int | None:
    """Give a time as milliseconds since 1970."""
    return None if moment is None else int(moment.timestamp() * 1000)


def read_settings(
    file: Path | None, assignments: tuple[str, ...], **flags: str | int | None
) -> Settings:
    """Give the settings in force; ``flags`` are dotted keys with ``__`` for the dot."""
    return read_origins(file, assignments, **flags).settings


def existing_index(settings: Settings) -> Store:
    """Open the index of these settings; ClickException if nobody made its tables yet."""
    from streaming.store.opening import open_index, resolved  # noqa: PLC0415
    from streaming.store.tables import TABLES  # noqa: PLC0415

    settings = resolved(settings)
    index = open_index(settings)
    missing = index.missing_tables(TABLES)
    if missing:
        raise click.ClickException(
            f"{settings.store.url}: there is no index of generation"
            f" {settings.store.generation} (no table {missing[0]}); leitong run makes one"
        )
    return index


def stamped_index(settings: Settings) -> Store:
    """Open an index to decide by its rules; nothing is written.

    SettingsError if it was not built under these settings, ClickException as `existing_index`.
    """
    from streaming.stamping import stamp  # noqa: PLC0415
    from streaming.store import ownership  # noqa: PLC0415

    index = existing_index(settings)
    ownership.confirm(index, stamp(settings))
    return index


def read_origins(
    file: Path | None, assignments: tuple[str, ...], **flags: str | int | None
) -> Loaded:
    """Give the settings in force with the place that set each."""
    overrides = []
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals:
            raise click.BadParameter(f"{assignment!r}: write GROUP.KEY=VALUE", param_hint="--set")
        overrides.append((key.strip(), value.strip(), "--set"))
    for name, flag in flags.items():
        if flag is not None:
            group, _, key = name.partition("__")
            option = "--" + key.replace("_", "-").replace("url", group)
            overrides.append((f"{group}.{key}", str(flag), option))
    return load(file, overrides)
