"""``leitong models``: the versions of the models of similar articles."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
import orjson

from streaming.commands.models_import import import_
from streaming.commands.versions import registry_option
from streaming.durations import show as show_duration

if TYPE_CHECKING:
    from streaming.similar.comparison import Comparison
    from streaming.similar.manifest import Manifest, Model
    from streaming.similar.registry import Registry

_CHECKSUM = 12
_json = click.option("--json", "as_json", is_flag=True, help="Write JSON.")


@click.group()
def models() -> None:
    """Look at the versions of the models; choose the one that readers follow.

    A version is made by leitong train, or by leitong models import from models that Spark
    saved, and never changes. Articles are described, and lists of similar articles kept, by
    version; readers follow the active one.

    \b
      leitong train --from articles.jsonl --models models/
      leitong models list --models models/
      leitong models compare v0001 v0002 --models models/
      leitong models activate v0002 --models models/
      leitong models rollback --models models/
    """  # noqa: D301 - click wants the character, not its escape


models.add_command(import_)


@models.command("list")
@registry_option
@_json
def list_(*, models: str, as_json: bool) -> None:
    """List the versions: which is active, what they were made from, and how large they are."""
    registry = _registry(models)
    active = registry.active().active
    found = [registry.read(name) for name in registry.versions()]
    if as_json:
        _write([_summary(each, active) for each in found])
        return
    if not found:
        click.echo("there is no version yet; leitong train makes the first")
        return
    rows: list[tuple[str, ...]] = [
        ("version", "", "created", "channels", "articles", "words", "scope", "checksum")
    ]
    rows += [
        (
            each.version,
            "active" if each.version == active else "",
            each.created,
            f"{len(each.models) - 1:,}",
            f"{each.fallback.articles:,}" if each.fallback.articles else "-",
            f"{each.fallback.words:,}",
            each.ranking.scope,
            each.checksum[:_CHECKSUM],
        )
        for each in found
    ]
    _table(rows)


@models.command()
@click.argument("version", required=False)
@registry_option
@click.option("--verify", is_flag=True, help="Compare every file with its checksum.")
@_json
def show(*, version: str | None, models: str, verify: bool, as_json: bool) -> None:
    """Show a version, by default the active one: its rules, its source, and its models."""
    registry = _registry(models)
    told = registry.verify(version) if verify else registry.read(version)
    if as_json:
        _write(told.model_dump(mode="json"))
        return
    ranking = told.ranking
    click.echo(f"version   {told.version}, checksum {told.checksum[:_CHECKSUM]}")
    click.echo(f"created   {told.created} from {_pairs(told.source)}")
    click.echo(
        f"ranking   within the {ranking.scope}, window {show_duration(ranking.window_ms)},"
        f" half-life {show_duration(ranking.half_life_ms)}, vectors {ranking.vector_weight:g},"
        f" {ranking.size} articles, {ranking.per_story} per story"
    )
    click.echo(f"keywords  {told.keywords}")
    if told.settings:
        click.echo(f"settings  {_pairs(told.settings)}")
    rows: list[tuple[str, ...]] = [
        ("model", "articles", "words", "dimensions", "coverage", "cells", "probed", "recall")
    ]
    rows += [_model_row(model) for model in told.models]
    _table(rows)
    if verify:
        click.echo(f"all {len(told.files())} files are as they were published")


@models.command()
@click.argument("version")
@registry_option
def activate(*, version: str, models: str) -> None:
    """Let readers follow VERSION, once all its files were verified."""
    registry = _registry(models)
    before = registry.active().active
    registry.activate(version)
    if before == version:
        click.echo(f"{version} is active already")
    else:
        click.echo(f"{version} is active" + (f"; before it was {before}" if before else ""))


@models.command()
@registry_option
def rollback(*, models: str) -> None:
    """Go back to the version that was active before this one."""
    registry = _registry(models)
    before = registry.chosen()
    click.echo(f"{registry.rollback()} is active again, in place of {before}")


@models.command()
@click.argument("a")
@click.argument("b")
@registry_option
@_json
def compare(*, a: str, b: str, models: str, as_json: bool) -> None:
    """Compare two versions: words, neighbours of words, settings and figures.

    "Nearest alike" is how many of the ten nearest words are the same, for words that are
    frequent in both. Vectors of two versions never compare, but what is near should stay near.
    """
    from streaming.similar.comparison import compare as run  # noqa: PLC0415
    from streaming.similar.models import open_models  # noqa: PLC0415

    registry = _registry(models)
    found = run(*(open_models(registry.handle(version)) for version in (a, b)))
    if as_json:
        _write(asdict(found))
        return
    _show_comparison(a, b, found)


def _registry(models: str) -> "Registry":
    from streaming.similar.registry import Registry  # noqa: PLC0415 - fsspec takes its time

    return Registry(models)


def _summary(told: "Manifest", active: str | None) -> dict[str, Any]:
    return {
        "version": told.version,
        "active": told.version == active,
        "created": told.created,
        "checksum": told.checksum,
        "source": told.source,
        "scope": told.ranking.scope,
        "keywords": told.keywords,
        "models": [
            model.model_dump(include={"channel", "articles", "words", "cells", "coverage"})
            for model in told.models
        ],
    }


def _show_comparison(a: str, b: str, found: "Comparison") -> None:
    if found.same:
        click.echo(f"{a} and {b} hold the same models and rules")
    rows: list[tuple[str, ...]] = [
        ("model", f"words {a}", f"words {b}", "shared", "words alike", "nearest alike")
    ]
    rows += [
        (
            each.name,
            *(f"{count:,}" for count in each.words),
            f"{each.shared:,}",
            "same files" if each.same else f"{each.vocabulary:.1%}",
            "-" if each.nearest is None else f"{each.nearest:.1%}",
        )
        for each in found.models
    ]
    _table(rows)
    for version, names in zip((a, b), found.only, strict=True):
        if names:
            click.echo(f"only in {version}: {', '.join(names)}")
    if found.differences:
        click.echo()
        _table(
            [("differs", a, b)]
            + [(each.name, _shown(each.one), _shown(each.other)) for each in found.differences]
        )


def _model_row(model: "Model") -> tuple[str, ...]:
    return (
        _name(model),
        f"{model.articles:,}" if model.articles else "-",
        f"{model.words:,}",
        f"{model.dimensions}",
        "-" if model.coverage is None else f"{model.coverage:.1%}",
        f"{model.cells:,}",
        f"{model.probes:,}",
        "-" if model.recall is None else f"{model.recall:.3f}",
    )


def _name(model: "Model") -> str:
    from streaming.similar.comparison import name_of  # noqa: PLC0415

    return name_of(model)


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_shown(value)}" for name, value in values.items())


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(round(value, 4)) if isinstance(value, float) else str(value)


def _table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _write(document: Any) -> None:
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    click.echo(orjson.dumps(document, option=options).decode(), nl=False)
