"""The single source of every field: JSON Schema 2020-12 documents and a typed loader.

`article-event`, `verdict` and `dead-letter` are what Leitong exchanges with others;
`log-record` is one line of a file log. Validation, Spark columns and documentation
are derived from them. Four keywords of ours ride along as annotations, which other
validators ignore: ``x-alias-of`` (another name of a field), ``x-column`` (its SQL type
where the JSON type does not say it), ``x-reason`` (what a broken rule counts as) and
``x-messages`` with ``x-path`` (how a broken rule is told, without the offending text).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs

NAMES = ("article-event", "verdict", "dead-letter", "log-record")
"""The documents there are, by the name `load` takes."""

_DEFINITIONS = "#/$defs/"
_SQL_TYPES = {"string": "STRING", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a document.

    `types` are its JSON types without null; `sql` the type of its column; `aliases`
    the names read when the field itself is missing, in order. `branch` names the one of
    the ``$defs`` that has it where instances of two kinds differ, "" if both have it.
    """

    name: str
    types: tuple[str, ...]
    sql: str
    nullable: bool
    required: bool
    aliases: tuple[str, ...]
    description: str
    branch: str


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule of a document that an instance breaks.

    `path` names the field, `rule` says what is wrong with it; neither quotes the
    instance. `reason` is what the rule counts as, "schema" unless it says otherwise.
    """

    path: str
    rule: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.rule}"


@cache
def load(name: str) -> Mapping[str, Any]:
    """Return a document of `NAMES` as parsed JSON, shared between callers: do not change it."""
    if name not in NAMES:
        raise ValueError(f"no schema {name!r}; there are {', '.join(NAMES)}")
    document: dict[str, Any] = json.loads(
        files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8")
    )
    return document


@cache
def fields(name: str) -> tuple[Field, ...]:
    """Return the fields of a document in its order, aliases folded into the field they name.

    Fields of every instance come first, then those of the branches ``then`` and ``else``
    where these refer to one of the ``$defs``.
    """
    document = load(name)
    found = list(_declared(document))
    aliases: dict[str, list[str]] = {}
    for field, declared, _ in found:
        if "x-alias-of" in declared:
            aliases.setdefault(declared["x-alias-of"], []).append(field)
    return tuple(
        _field(
            field,
            _resolve(document, declared),
            required=field in document.get("required", ()),
            aliases=tuple(aliases.get(field, ())),
            branch=branch,
        )
        for field, declared, branch in found
        if "x-alias-of" not in declared
    )


@cache
def columns(name: str) -> str:
    """Return the fields of a document as a SQL schema, such as Spark's readers take it."""
    return ", ".join(f"`{field.name}` {field.sql}" for field in fields(name))


@cache
def validator(name: str, definition: str | None = None) -> jsonschema_rs.Validator:
    """Return the compiled validator of a document, or of one of its ``$defs``.

    Patterns run on an engine without backtracking: linear time on any input.
    """
    document = dict(load(name))
    if definition is not None:
        document = {
            "$schema": document["$schema"],
            "$defs": document["$defs"],
            "$ref": f"{_DEFINITIONS}{definition}",
        }
    return jsonschema_rs.Draft202012Validator(
        document, pattern_options=jsonschema_rs.RegexOptions()
    )


def violations(name: str, instance: Any, definition: str | None = None) -> Iterator[Violation]:
    """Yield the rules of a document that an instance breaks, in the order of the document.

    Raises ValueError when the instance nests more than some 250 levels deep.
    """
    document = load(name)
    for error in validator(name, definition).iter_errors(instance):
        keyword = error.kind.name
        path = ".".join(str(step) for step in error.instance_path)
        holder: dict[str, Any] = _follow(document, error.schema_path[:-1])
        message = holder.get("x-messages", {}).get(keyword)
        if message is None:
            if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Required):
                path = f"{path}.{error.kind.property}" if path else error.kind.property
                message = "is required"
            elif isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Type):
                message = f"is not of type {' or '.join(sorted(error.kind.types))}"
            else:
                message = f"breaks the rule {keyword}"
        yield Violation(
            holder.get("x-path", path or "document"), message, holder.get("x-reason", "schema")
        )


def _follow(document: Mapping[str, Any], path: list[str | int]) -> dict[str, Any]:
    node: Any = document
    for step in path:
        node = node[step]
    return node if isinstance(node, dict) else {}


def _declared(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield the properties of a document and of its branches: name, declaration, branch."""
    for field, declared in document["properties"].items():
        yield field, declared, ""
    for keyword in ("then", "else"):
        reference = document.get(keyword, {}).get("$ref")
        if reference is not None:
            branch = reference.removeprefix(_DEFINITIONS)
            for field, declared in document["$defs"][branch]["properties"].items():
                yield field, declared, branch


def _resolve(document: Mapping[str, Any], declared: dict[str, Any]) -> dict[str, Any]:
    reference = declared.get("$ref")
    if reference is None:
        return declared
    definition: dict[str, Any] = document["$defs"][reference.removeprefix(_DEFINITIONS)]
    return definition | declared


def _field(
    name: str,
    declared: dict[str, Any],
    *,
    required: bool,
    aliases: tuple[str, ...],
    branch: str,
) -> Field:
    kinds = declared.get("type", [])
    if "enum" in declared:
        kinds = ["string", "null"] if None in declared["enum"] else ["string"]
    if isinstance(kinds, str):
        kinds = [kinds]
    types = tuple(kind for kind in kinds if kind != "null")
    return Field(
        name=name,
        types=types,
        sql=declared.get("x-column") or _SQL_TYPES[types[0]],
        nullable="null" in kinds,
        required=required,
        aliases=aliases,
        description=declared["description"],
        branch=branch,
    )
