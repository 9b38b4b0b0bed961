"""``leitong plan``: what an index will take, before it is built."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from streaming.commands.evaluate import reading
from streaming.commands.options import configured, existing_index, generation_option, read_settings

if TYPE_CHECKING:
    from streaming.offline.crowding import Estimate
    from streaming.offline.plan import Kind, Question, SchemePlan, Table
    from streaming.offline.plan_profile import Profile
    from streaming.offline.plan_sample import Sample, TableSize
    from streaming.settings import Settings
    from streaming.store.contract import Store

_DAY_MS = 86_400_000
_DAY_SECONDS = 86_400
_UNTIMED = 0.5
_BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_COUNTS = ("", " k", " M", " G", " T", " P")
_SHOWN_SPLITS = 3


@click.command()
@click.option("--articles", type=click.IntRange(min=1), help="Articles that the index holds.")
@click.option("--per-day", type=click.FloatRange(min=0, min_open=True), help="New articles a day.")
@click.option(
    "--window", metavar="DURATION", help="How far back articles are compared. [matching.window]"
)
@click.option(
    "--scope",
    type=click.Choice(["newsroom", "channel"]),
    help="Compare across the newsroom, or within a channel. [matching.scope]",
)
@click.option(
    "--for",
    "kind",
    type=click.Choice(["hbase", "sqlite"]),
    default="hbase",
    show_default=True,
    help="The kind of store, unless --store names one.",
)
@click.option(
    "--from",
    "files",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Measure these articles, as leitong produce takes them. May be repeated.",
)
@click.option("--store", metavar="URL", help="Measure this index: its articles and its tables.")
@click.option(
    "--profile",
    "known",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take what --save-profile wrote.",
)
@click.option(
    "--save-profile",
    "saved",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep what was measured: figures, no texts.",
)
@click.option(
    "--cores", type=click.IntRange(min=1), default=8, show_default=True, help="Of a server."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of tables.")
@generation_option
@configured
def plan(
    *,
    articles: int | None,
    per_day: float | None,
    window: str | None,
    scope: str | None,
    kind: "Kind",
    files: tuple[Path, ...],
    store: str | None,
    known: Path | None,
    saved: Path | None,
    cores: int,
    as_json: bool,
    generation: str | None,
    file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Tell what an index of so many articles takes, under each band scheme.

    Fingerprints of real articles crowd: some bits are set more often than others, and
    articles on one matter share bits. So nothing is taken to be uniform here. Figures are
    those of two months of a news agency, which come with the package, unless --from, --store
    or --profile give a newsroom's own; yours may well differ by a factor of two. Without
    --articles, the index holds what --per-day brings in the retention, or in the shortest one
    that the window allows.

    \b
      leitong plan --articles 10000000 --per-day 5000 --window 90d
      leitong plan --per-day 5000 --from articles.jsonl --save-profile ours.json
    """  # noqa: D301 - click wants the character, not its escape
    from streaming.offline import plan as planning  # noqa: PLC0415
    from streaming.offline.plan_costs import default_costs  # noqa: PLC0415

    if sum(map(bool, (files, store, known))) > 1:
        raise click.UsageError("--from, --store and --profile are three ways to say the same")
    settings = read_settings(
        file,
        assignments,
        matching__window=window,
        matching__scope=scope,
        store__url=store,
        store__generation=generation,
    )
    if store is not None:
        kind = _kind_of(store)
    profile, measured = _measured(settings, files, store, known)
    if saved is not None:
        _save(profile, saved)
    question = _question(settings, articles, per_day, kind)
    costs = default_costs(kind)
    plans = list(planning.plan(question, profile, costs, measured))
    if not plans:
        raise click.ClickException(f"no scheme is exact within {question.near} bits, matching.k")
    document = {
        "articles": question.articles,
        "in_window": question.in_window,
        "per_day": per_day,
        "scope": question.scope,
        "store": kind,
        "cores": cores,
        "figures": profile.origin,
        "costs": costs.origin,
        "shingle_keys": {
            "per_article": profile.keys,
            "carriers": profile.buckets,
        },
        "schemes": {planning.label_of(each.scheme): _told(each, cores) for each in plans},
    }
    if as_json:
        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    else:
        _show(document, plans)


def _question(
    settings: "Settings", articles: int | None, per_day: float | None, kind: "Kind"
) -> "Question":
    from streaming.offline.plan import Question  # noqa: PLC0415

    matching, kept = settings.matching, settings.store
    if articles is None:
        if per_day is None:
            raise click.UsageError("how large? --articles N or --per-day R")
        retention = kept.retention or matching.window + kept.edit_horizon + kept.lateness
        articles = max(1, round(per_day * retention / _DAY_MS))
    in_window = articles
    if per_day is not None:
        in_window = min(articles, round(per_day * matching.window / _DAY_MS))
    return Question(articles, in_window, matching.scope, kind, matching.k, matching.visible)


def _save(profile: "Profile", path: Path) -> None:
    try:
        path.write_bytes(profile.encode())
    except OSError as error:
        raise click.ClickException(f"{path}: cannot be written: {error.strerror}") from None


def _kind_of(store: str) -> "Kind":
    return "hbase" if store.strip().lower().startswith("hbase:") else "sqlite"


def _measured(
    settings: "Settings", files: tuple[Path, ...], store: str | None, known: Path | None
) -> "tuple[Profile, dict[str, TableSize]]":
    """Give the profile, and the sizes of the tables of an index if one was named."""
    from streaming.offline.plan_profile import (  # noqa: PLC0415
        default_profile,
        profile_of,
        read_profile,
    )
    from streaming.offline.plan_sample import sample_index, table_sizes  # noqa: PLC0415

    if files:
        return profile_of(_sampled(settings, files), ", ".join(path.name for path in files)), {}
    if store is not None:
        index: Store = existing_index(settings)
        return profile_of(sample_index(index), store), table_sizes(index)
    return (default_profile() if known is None else read_profile(known)), {}


def _sampled(settings: "Settings", files: tuple[Path, ...]) -> "Sample":
    from streaming.offline.plan_sample import sample_files  # noqa: PLC0415
    from streaming.showing import progress_on  # noqa: PLC0415

    with progress_on(sys.stderr, reading) as progress:
        sample = sample_files(files, settings, progress.show)
    if sample.timed < _UNTIMED:
        click.echo(
            "most of these articles do not say when they were published: they are taken in the"
            " order of the files, and how long a story is copied is told by that",
            err=True,
        )
    return sample


def _told(plan: "SchemePlan", cores: int) -> dict[str, Any]:
    """Give a plan as JSON."""
    from streaming.store.hbase_layout import splits  # noqa: PLC0415

    return {
        "tables": {
            name: {
                "rows": round(each.rows),
                "cells": round(each.cells),
                "bytes": round(each.bytes),
                "regions": each.regions,
            }
            for name, each in plan.tables.items()
        },
        "bytes": round(plan.bytes),
        "presplit": [key.hex() for key in splits(plan.presplit)] if plan.presplit else [],
        "gets_per_article": plan.gets,
        "cells_per_article": plan.cells,
        "candidates_per_article": _interval(plan.candidates),
        "candidates_per_look_up": _interval(plan.candidates.times(1 / plan.scheme.bands)),
        "strangers_per_article": _interval(plan.strangers),
        "near_per_article": _interval(plan.near),
        "look_up_ms": plan.look_up_ms,
        "read_ms": plan.read_ms,
        "write_ms": plan.write_ms,
        "articles_per_second": {
            "core_of_the_query": plan.query_rate,
            "server": None if plan.server_rate is None else plan.server_rate * cores,
        },
    }


def _interval(estimate: "Estimate") -> dict[str, float]:
    return {"mean": estimate.mean, "low": estimate.low, "high": estimate.high}


def _show(document: dict[str, Any], plans: "list[SchemePlan]") -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    console = Console(highlight=False, markup=False)
    names = list(document["schemes"])
    table = Table("per article", *names)
    for name, figures in _rows(plans, document["cores"]):
        table.add_row(name, *figures)
    console.print(table)
    sizes = Table("table", *names)
    for name in plans[0].tables:
        sizes.add_row(name, *(_size(each.tables[name]) for each in plans))
    sizes.add_row("together", *(_binary(each.bytes) for each in plans))
    console.print(sizes)
    for line in _lines(document, plans):
        click.echo(line)


def _rows(plans: "list[SchemePlan]", cores: int) -> list[tuple[str, list[str]]]:
    def row(name: str, figure: Any) -> tuple[str, list[str]]:
        return name, [figure(each) for each in plans]

    return [
        row("candidates", lambda each: _spread(each.candidates)),
        row("  per look-up", lambda each: _spread(each.candidates.times(1 / each.scheme.bands))),
        row("  of them strangers", lambda each: _spread(each.strangers)),
        row("near fingerprints", lambda each: _spread(each.near)),
        row("gets: bands", lambda each: _count(each.gets["bucket"])),
        row("gets: heads", lambda each: _count(each.gets["head"])),
        row("gets: articles", lambda each: _count(each.gets["article"])),
        row("look-up by bands", lambda each: f"{each.look_up_ms:,.2f} ms"),
        row("all reads", lambda each: f"{each.read_ms:,.2f} ms"),
        row("all writes", lambda each: f"{each.write_ms:,.2f} ms"),
        row("articles/s, core of the query", lambda each: _count(each.query_rate)),
        row(
            f"articles/s, server of {cores} cores",
            lambda each: "-" if each.server_rate is None else _count(each.server_rate * cores),
        ),
    ]


def _lines(document: dict[str, Any], plans: "list[SchemePlan]") -> list[str]:
    carriers = document["shingle_keys"]["carriers"]
    held = (
        f"{document['articles']:,} articles, {document['in_window']:,} of them in the window; an"
        f" article is compared with those of its {document['scope']}"
    )
    lines = [held]
    if document["per_day"]:
        size, daily = document["articles"], document["per_day"]
        lines.append(
            f"{daily:,.12g} a day are {daily / _DAY_SECONDS:,.2f}/s on the average; the index has"
            f" {size:,} after {size / daily:,.0f} days"
        )
    for each in plans:
        if each.presplit:
            lines.append(_presplit(each))
            break
    told = ", ".join(f"{name} {count}" for name, count in carriers.items())
    lines.append(
        f"{document['shingle_keys']['per_article']:.1f} shingle keys per article; articles that"
        f" carry one, in the sample: {told}"
    )
    lines.append(f"articles: {document['figures']}")
    lines.append(f"store: {document['costs']}")
    return lines


def _presplit(plan: "SchemePlan") -> str:
    from streaming.store.hbase_layout import splits  # noqa: PLC0415

    keys = [f"\\x{key[0]:02X}" for key in splits(plan.presplit)]
    shown = keys if len(keys) <= 2 * _SHOWN_SPLITS else [*keys[:_SHOWN_SPLITS], "...", keys[-1]]
    return (
        f"presplit: {plan.presplit} regions, ?regions={plan.presplit} in the address;"
        f" keys {' '.join(shown)}"
    )


def _size(table: "Table") -> str:
    regions = f", {table.regions} regions" if table.regions else ""
    return f"{_count(table.rows)} rows, {_binary(table.bytes)}{regions}"


def _spread(estimate: "Estimate") -> str:
    mean, low, high = map(_count, (estimate.mean, estimate.low, estimate.high))
    return f"{mean} ({low} to {high})"


def _count(value: float) -> str:
    """Write a number in three figures."""
    return _scaled(value, 1000, _COUNTS)


def _binary(value: float) -> str:
    return _scaled(value, 1024, tuple(f" {unit}" for unit in _BYTES))


def _scaled(value: float, step: int, units: tuple[str, ...]) -> str:
    place = 0
    while value >= step and place + 1 < len(units):
        value, place = value / step, place + 1
    return f"{value:.3g}{units[place]}"
