"""What tests of several files need to know of what is shipped to run Leitong with."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import parse

import click
import yaml

from streaming.cli import leitong
from streaming.settings import Settings, load

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
_MAVEN = {"m": "http://maven.apache.org/POM/4.0.0"}


def parsed(arguments: list[str]) -> dict[str, Any]:
    """Give the options of a command line as the program itself reads it; nothing is run.

    UsageError if it would be refused.
    """
    command: click.Command = leitong
    context = click.Context(leitong, info_name="leitong", **leitong.context_settings)
    rest = list(arguments)
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None, name
        if not isinstance(found, click.Group):
            context = found.make_context(name, rest, parent=context)
        command = found
    assert context.command is command
    return context.params


def settings_at(file: Path) -> Settings:
    """Load a settings file as a process would that has nothing else."""
    return load(file, environment={}).settings


def version_in_pom(jar_set: str, artifact: str) -> str:
    """Give the version that the local stack runs."""
    for each in parse(DEPLOY / "stack" / jar_set / "pom.xml").iterfind(".//m:dependency", _MAVEN):  # noqa: S314 - our own file
        if each.findtext("m:artifactId", namespaces=_MAVEN) == artifact:
            return each.findtext("m:version", "", namespaces=_MAVEN)
    raise AssertionError(artifact)


def kustomize(directory: Path) -> subprocess.CompletedProcess[str]:
    """Render a directory; what is wrong is in the answer."""
    # kubectl is beside the interpreter: it came with the packages.
    program = Path(sys.executable).with_name("kubectl")
    return subprocess.run(
        [program, "kustomize", directory], capture_output=True, text=True, check=False, timeout=60
    )


def render(directory: Path) -> list[dict[str, Any]]:
    """Give the objects that a directory makes."""
    told = kustomize(directory)
    assert told.returncode == 0, told.stderr
    # Something that is deprecated is told there.
    assert told.stderr == ""
    return list(yaml.safe_load_all(told.stdout))


def names_no_registry(image: str) -> bool:
    """Whether an image is named without a host, and with a tag."""
    first, slash, _ = image.partition("/")
    host = slash and (re.search(r"[.:]", first) or first == "localhost")
    return not host and re.search(r":[\w.-]+$", image) is not None and not image.endswith(":latest")
