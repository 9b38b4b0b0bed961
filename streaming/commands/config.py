"""``leitong config``: what is set, and where."""

from pathlib import Path
from typing import Any

import click
import orjson

from streaming.commands.options import configured, read_origins


@click.group()
def config() -> None:
    """Look at the settings."""


@config.command()
@configured
def show(*, file: Path | None, assignments: tuple[str, ...]) -> None:
    """Print the settings in force as TOML, each with where it came from."""
    loaded = read_origins(file, assignments)
    for group, value in loaded.settings.model_dump(mode="json").items():
        click.echo(f"[{group}]")
        for key, each in value.items():
            origin = loaded.origins.get(f"{group}.{key}", "default")
            comment = "" if origin == "default" else f"  # {origin}"
            if each is None:
                click.echo(f"# {key} is not set{comment}")
            else:
                click.echo(f"{_key(key)} = {_toml(each)}{comment}")
        click.echo()


def _key(name: str) -> str:
    bare = name.replace("_", "").replace("-", "")
    return name if bare.isascii() and bare.isalnum() else orjson.dumps(name).decode()


def _toml(value: Any) -> str:
    """Write a value as TOML; for text, numbers, lists and flat tables JSON is nearly that."""
    if isinstance(value, dict):
        inner = ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{', '.join(_toml(each) for each in value)}]"
    return orjson.dumps(value).decode()
