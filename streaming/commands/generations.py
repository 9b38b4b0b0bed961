"""``leitong generations``: the sets of tables of an index, and which of them readers follow."""

import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from streaming.commands.options import configured, read_settings, store_option

if TYPE_CHECKING:
    from streaming.comparing import Pair, Tally
    from streaming.generations import Overview

_SHOWN = 5


@click.group()
def generations() -> None:
    """Look at the generations of an index; switch readers from one to another.

    A generation is one set of tables, built under one set of settings. leitong replay --into
    builds another beside the one in use; readers follow the active one.

    \b
      leitong replay --into k2 --set matching.k=2
      leitong generations compare main k2
      leitong generations activate k2
      leitong generations drop main
    """  # noqa: D301 - click wants the character, not its escape


@generations.command("list")
@store_option
@configured
def list_(*, store: str | None, file: Path | None, assignments: tuple[str, ...]) -> None:
    """List the generations: which is active, how far each has read, and who works on it."""
    from streaming.generations import survey  # noqa: PLC0415

    found = survey(read_settings(file, assignments, store__url=store))
    if not found:
        click.echo("there is no generation yet; leitong run makes the first")
        return
    rows: list[tuple[str, ...]] = [
        ("generation", "", "created", "records", "lag", "settings", "query")
    ]
    rows += [_row(each) for each in found]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _row(each: "Overview") -> tuple[str, ...]:
    state = "dropping" if each.entry.dropping else "active" if each.active else ""
    if each.differing is None:
        settings = "none yet"
    elif each.differing:
        first, *others = each.differing
        settings = f"other {first}" + (f" and {len(others)} more" if others else "")
    else:
        settings = "in force"
    progress = each.progress or {}
    lag = progress.get("lag_records")
    holder = each.holder
    return (
        each.entry.name,
        state,
        _time(each.entry.created_ms),
        f"{each.records:,}",
        "?" if lag is None else f"{lag:,} at {_time(progress['at_ms'])}",
        settings,
        "-" if holder is None else f"{holder}{' (gone)' if holder.process.is_gone() else ''}",
    )


@generations.command()
@click.argument("a")
@click.argument("b")
@click.option(
    "--show",
    type=click.IntRange(0),
    default=_SHOWN,
    show_default=True,
    help="Differing articles to show side by side.",
)
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write every differing article there, as JSON lines.",
)
@store_option
@configured
def compare(
    *,
    a: str,
    b: str,
    show: int,
    target: Path | None,
    store: str | None,
    file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Compare the verdicts of two generations.

    Reads both tables of articles in one pass. While a query works on one of them, what it
    writes meanwhile may be seen on one side only.
    """
    from streaming.comparing import Tally, pairs  # noqa: PLC0415
    from streaming.exporting import exports  # noqa: PLC0415
    from streaming.generations import open_complete, records_behind  # noqa: PLC0415
    from streaming.showing import progress_on  # noqa: PLC0415
    from streaming.store import ownership  # noqa: PLC0415

    settings = read_settings(file, assignments, store__url=store)
    one, other = open_complete(settings, a), open_complete(settings, b)
    verdicts = exports(settings.stories.sources)["verdicts"]
    tally = Tally()
    shown: list[Pair] = []
    with ExitStack() as stack:
        partial = target.with_name(f".{target.name}.partial") if target else None
        out = stack.enter_context(partial.open("wb")) if partial else None
        progress = stack.enter_context(progress_on(sys.stderr, _working))
        for pair in pairs(verdicts(one), verdicts(other)):
            tally.add(pair)
            progress.show(tally)
            if pair.same:
                continue
            if len(shown) < show:
                shown.append(pair)
            if out:
                out.write(orjson.dumps(pair.fields(), option=orjson.OPT_APPEND_NEWLINE))
    if partial and target:
        partial.replace(target)
    _report(a, b, tally)
    stamps = [ownership.read_stamp(each) or {} for each in (one, other)]
    for line in ownership.compare(stamps[0], stamps[1], (f"in {a}", f"in {b}")):
        click.echo(f"settings: {line}")
    for name, behind in ((a, records_behind(one, other)), (b, records_behind(other, one))):
        if behind:
            click.echo(f"{name} has not read {behind:,} records that the other has")
    _show_pairs(a, b, shown)


def _working(tally: "Tally") -> str:
    return f"{tally.articles:,} articles compared, {tally.articles - tally.equal:,} differ"


def _report(a: str, b: str, tally: "Tally") -> None:
    fields = ", ".join(f"{name} {count:,}" for name, count in tally.fields.most_common())
    lines = [
        ("equal", tally.equal, ""),
        ("different", tally.differing, fields),
        (f"only in {a}", tally.only_a, ""),
        (f"only in {b}", tally.only_b, ""),
    ]
    width = max(len(what) for what, _, _ in lines)
    for what, count, note in lines:
        click.echo(f"{what:<{width}}  {count:>10,}  {note}".rstrip())


def _show_pairs(a: str, b: str, shown: "list[Pair]") -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    if not shown:
        return
    table = Table()
    for heading in ("article", "", a, b):
        table.add_column(heading, overflow="fold")
    for pair in shown:
        for number, (name, left, right) in enumerate(_cells(pair)):
            table.add_row(pair.article if number == 0 else "", name, left, right)
        table.add_section()
    Console(highlight=False, markup=False).print(table)


def _cells(pair: "Pair") -> list[tuple[str, str, str]]:
    if pair.a is None or pair.b is None:
        left, right = ("not there" if side is None else "there" for side in (pair.a, pair.b))
        return [("", left, right)]
    return [(name, _text(pair.a.get(name)), _text(pair.b.get(name))) for name in pair.differing]


def _text(value: Any) -> str:
    return (
        "-" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()
    )


@generations.command()
@click.argument("name")
@click.option("--anyway", is_flag=True, help="Even if it has read less of the log.")
@store_option
@configured
def activate(
    *,
    name: str,
    anyway: bool,
    store: str | None,
    file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Make exports, and whatever else reads, follow a generation.

    Refused if it has read less of the log than the one that is active now. Readers that
    are at work, and queries, keep the generation that they started with.
    """
    from streaming.generations import activate as make_active  # noqa: PLC0415

    settings = read_settings(file, assignments, store__url=store)
    before = make_active(settings, name, anyway=anyway)
    if before == name:
        click.echo(f"generation {name} is active already")
        return
    click.echo(
        f"readers that start from now on see generation {name}"
        + (f" instead of {before}" if before else "")
    )
    if before:
        click.echo(
            f"a query that runs keeps its generation; one that starts works on {name} and needs"
            f" its checkpoint. Go back with leitong generations activate {before}; when nothing"
            f" needs it: leitong generations drop {before}"
        )
    if settings.store.generation not in {None, name}:
        click.echo(
            f"warning: store.generation is set to {settings.store.generation}: whoever has that"
            " setting keeps seeing it",
            err=True,
        )


@generations.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--anyway",
    is_flag=True,
    help="Even if a query held it and did not let go: waits to see whether that one lives.",
)
@store_option
@configured
def drop(
    *,
    name: str,
    yes: bool,
    anyway: bool,
    store: str | None,
    file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Remove a generation with everything in it; the log stays.

    Refused for the active one, and while a query works on it. A drop that was broken off is
    finished by the same command. The checkpoint is a directory of the query's and is left.
    """
    from streaming.generations import drop as remove  # noqa: PLC0415
    from streaming.store.generations import droppable, read  # noqa: PLC0415
    from streaming.store.opening import open_catalogue  # noqa: PLC0415

    settings = read_settings(file, assignments, store__url=store)
    entry = droppable(read(open_catalogue(settings)), name)
    if not yes:
        click.confirm(
            f"drop generation {name} of {_time(entry.created_ms)} with everything in it?",
            abort=True,
        )
    remove(settings, name, anyway=anyway)
    click.echo(f"generation {name} is gone; its checkpoint, if there is one, can go as well")


def _time(ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(ms / 1000))
