"""Write the parts of these pages that the program knows better: settings, commands, packages.

A part stands between two comments, ``<!-- NAME: written by docs/generate.py -->`` and
``<!-- end of NAME -->``; what is around it is written by hand.
"""

import types
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import click
import orjson
from annotated_types import Ge, Le
from packaging.utils import canonicalize_name
from pydantic import BaseModel, PlainSerializer
from pydantic.fields import FieldInfo

import schemas
from streaming.cli import leitong
from streaming.kafkasettings import KafkaProperties
from streaming.packing import distributions
from streaming.settings import ENVIRONMENT_PREFIX, Settings
from streaming.stamping import stamp

HERE = Path(__file__).resolve().parent
WIDTH = 96
_LONGEST_DEFAULT = 60
_TYPES = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
    KafkaProperties: "text",
}
_ENVIRONMENTS = {
    "kafka": f"`{ENVIRONMENT_PREFIX}KAFKA__NAME`, with underscores for dots",
    "spark": "none",
}
"""Of groups whose keys have dots, which no shell takes in the name of a variable."""
_EDITORS = "override"
_STAMPED_IF_SET = frozenset({"matching.thresholds_file", "events.debezium"})
"""Not in the stamp of the defaults; what a file of thresholds holds has names of its own there."""


def settings_part() -> str:
    """Give a table per group of settings."""
    defaults = Settings().model_dump(mode="json")
    stamped = {*stamp(Settings()), *_STAMPED_IF_SET}
    parts = []
    for group, field in Settings.model_fields.items():
        parts.append(f"### `[{group}]`\n")
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            parts.append(f"{(kind.__doc__ or '').splitlines()[0]}\n")
            parts += _HEAD
            parts += [
                _row(group, key, each, defaults[group][key], f"{group}.{key}" in stamped)
                for key, each in kind.model_fields.items()
            ]
            parts += [
                line
                for key, each in kind.model_fields.items()
                if (inner := _table(each.annotation))
                for line in _inner_group(f"{group}.{key}", inner)
            ]
        else:
            parts += _HEAD
            parts.append(_row(group, "NAME", field, defaults[group], group in stamped))
        parts.append("")
    return "\n".join(parts)


def _table(kind: Any) -> type[BaseModel] | None:
    """Give the model of a setting that is a table of settings itself."""
    for each in (kind, *get_args(kind)):
        if isinstance(each, type) and issubclass(each, BaseModel):
            return each
    return None


def _inner_group(name: str, kind: type[BaseModel]) -> Iterator[str]:
    yield f"\n#### `[{name}]`\n"
    yield f"{(kind.__doc__ or '').splitlines()[0]} All of it decides verdicts.\n"
    yield "| key | type | default | meaning |"
    yield "|---|---|---|---|"
    for key, field in kind.model_fields.items():
        told = (field.description or "").replace("|", r"\|")
        yield f"| `{key}` | {_type(field)} | {_default(field.default)} | {told} |"


_HEAD = [
    "| key | type | default | decides verdicts | meaning | environment |",
    "|---|---|---|---|---|---|",
]


def _row(group: str, key: str, field: FieldInfo, default: Any, stamped: bool) -> str:  # noqa: FBT001
    environment = f"`{ENVIRONMENT_PREFIX}{group.upper()}__{key.upper()}`"
    cells = (
        f"`{group}.{key}`",
        _type(field),
        _default(default),
        "yes" if stamped else "no",
        (field.description or "").replace("|", r"\|"),
        _ENVIRONMENTS.get(group, environment),
    )
    return f"| {' | '.join(cells)} |"


def _type(field: FieldInfo) -> str:
    if any(isinstance(each, PlainSerializer) for each in field.metadata):
        return "duration"
    least = next((each.ge for each in field.metadata if isinstance(each, Ge)), None)
    most = next((each.le for each in field.metadata if isinstance(each, Le)), None)
    name = _named(field.annotation)
    if least is not None and most is not None:
        return f"{name}, {least} to {most}"
    return name if least is None else f"{name}, at least {least}"


def _named(kind: Any) -> str:
    """Name a type as somebody who writes TOML would."""
    arguments = [each for each in get_args(kind) if each not in {type(None), Ellipsis}]
    match get_origin(kind):
        case None:
            return "table" if _table(kind) else _TYPES.get(kind, "path")
        case origin if origin is Literal:
            return " or ".join(f"`{each}`" for each in arguments)
        case origin if origin in {Union, types.UnionType}:
            return _named(arguments[0])
        case origin if origin is tuple:
            return f"list of {_named(arguments[0])}s"
        case origin if origin is dict:
            return f"table of {_several(arguments[1])}"
        case _:
            # An annotated type: its metadata says how a path is read.
            return _named(arguments[0])


def _several(kind: Any) -> str:
    name = _named(kind)
    return f"lists{name.removeprefix('list')}" if name.startswith("list ") else f"{name}s"


def _default(value: Any) -> str:
    if value is None:
        return "not set"
    text = orjson.dumps(value).decode()
    return f"`{text}`" if len(text) <= _LONGEST_DEFAULT else "see `leitong config show`"


def commands_part() -> str:
    """Give what every command says of itself."""
    return "\n".join(_told(leitong, "leitong", None))


def _told(command: click.Command, name: str, parent: click.Context | None) -> Iterator[str]:
    context = click.Context(
        command,
        info_name=name,
        parent=parent,
        terminal_width=WIDTH,
        # A command keeps the help option that it was first asked for.
        **command.context_settings,
    )
    path = context.command_path
    level = "#" * min(path.count(" ") + 2, 4)
    yield f"{level} `{path}`\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
    if isinstance(command, click.Group):
        for each in sorted(command.list_commands(context)):
            inner = command.get_command(context, each)
            if inner is not None:
                yield from _told(inner, each, context)


def fields_part(schema: str) -> str:
    """Give a table of the fields of a schema."""
    rows = ["| field | type | what it is |", "|---|---|---|"]
    for field in schemas.fields(schema):
        kind = " or ".join([*field.types, *(["null"] if field.nullable else [])])
        told = field.description.replace("|", r"\|")
        if field.branch == _EDITORS:
            told = f"Of an editor's event. {told}"
        names = ", ".join(f"`{name}`" for name in (field.name, *field.aliases))
        rows.append(f"| {names} | {kind} | {told} |")
    return "\n".join(rows)


def packages_part() -> str:
    """Give a table of the packages that are needed to run, with their licences."""
    rows = ["| package | version | licence |", "|---|---|---|"]
    for each in distributions():
        told = each.metadata
        classified = [
            line.rpartition(" :: ")[2]
            for line in told.get_all("Classifier", [])
            if line.startswith("License :: ")
        ]
        named = "License-Expression" if "License-Expression" in told else "License"
        licence = told[named] if named != "License" or not classified else ", ".join(classified)
        rows.append(f"| {canonicalize_name(each.name)} | {each.version} | {licence} |")
    return "\n".join(rows)


PARTS: Mapping[str, tuple[str, Callable[[], str]]] = {
    "configuration.md": ("settings", settings_part),
    "commands.md": ("commands", commands_part),
    "dependencies.md": ("packages", packages_part),
    "events.md": ("fields", partial(fields_part, "article-event")),
    "verdicts.md": ("fields", partial(fields_part, "verdict")),
    "dead-letters.md": ("fields", partial(fields_part, "dead-letter")),
}
"""What is written into which page, and by which name."""


def renewed(page: str, name: str, part: str) -> str:
    """Put a part into the text of a page; ValueError if the page has no place for it."""
    begin, end = f"<!-- {name}: written by docs/generate.py -->\n", f"<!-- end of {name} -->"
    before, found, rest = page.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"no place for {name}: {begin.strip()} ... {end}")
    return f"{before}{begin}\n{part.strip()}\n\n{end}{after}"


def pages() -> Mapping[Path, str]:
    """Give the pages with a written part, as they have to be."""
    made = {}
    for page, (name, part) in PARTS.items():
        path = HERE / page
        made[path] = renewed(path.read_text(encoding="utf-8"), name, part())
    return made


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
