"""`leitong stack`: a real Kafka and a real HBase on this machine, for trying things out."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

import click
from rich.console import Console
from rich.table import Table

from streaming.stack.jars import Progress, resolve
from streaming.stack.settings import Options, Ports, StackSettings
from streaming.stack.stack import DEFAULT_DIRECTORY, START_SECONDS, LocalStack
from streaming.stack.supervisor import ServiceStatus

_directory = click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_DIRECTORY,
    show_default=True,
    help="Where the servers keep their data, logs and pid files.",
)
_port = click.IntRange(1, 65_535)


@click.group("stack")
def stack_commands() -> None:
    """Run Kafka and HBase on this machine, without containers.

    They need Java 17 and, the first time, Maven and a network. They listen on 127.0.0.1 only and
    go on running until `leitong stack down`. The servers are kafka, hbase, thrift (rows are
    written and read through it) and admin, a Thrift 2 server through which tables are made.
    """


@stack_commands.command()
@_directory
@click.option("--kafka/--no-kafka", default=True, show_default=True, help="Start Kafka.")
@click.option(
    "--hbase/--no-hbase",
    default=True,
    show_default=True,
    help="Start HBase and its Thrift servers.",
)
@click.option("--kafka-port", type=_port, help="[default: as the last time, or 9092]")
@click.option(
    "--thrift-port",
    type=click.IntRange(1, 65_534),
    help="The port after it is admin's. [default: as the last time, or 9090]",
)
@click.option("--zookeeper-port", type=_port, help="[default: as the last time, or 2181]")
@click.option("--kafka-memory", help="Java heap. [default: as the last time, or 512m]")
@click.option("--hbase-memory", help="Java heap. [default: as the last time, or 1g]")
@click.option("--thrift-memory", help="Java heap. [default: as the last time, or 512m]")
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=START_SECONDS,
    show_default=True,
    help="Seconds to wait for the servers to work, once their jars are there.",
)
def up(
    directory: Path,
    *,
    kafka: bool,
    hbase: bool,
    kafka_port: int | None,
    thrift_port: int | None,
    zookeeper_port: int | None,
    kafka_memory: str | None,
    hbase_memory: str | None,
    thrift_memory: str | None,
    timeout: float,
) -> None:
    """Start what does not run yet, and wait until it works."""
    saved = StackSettings.load(directory.absolute())
    ports = Ports(
        kafka=kafka_port or saved.ports.kafka,
        thrift=thrift_port or saved.ports.thrift,
        zookeeper=zookeeper_port or saved.ports.zookeeper,
    )
    options: Options = replace(
        saved.options,
        kafka_heap=kafka_memory or saved.options.kafka_heap,
        hbase_heap=hbase_memory or saved.options.hbase_heap,
        thrift_heap=thrift_memory or saved.options.thrift_heap,
    )
    stack = LocalStack(directory, ports, options)
    with _progress() as progress:
        statuses = stack.up(kafka=kafka, hbase=hbase, timeout=timeout, progress=progress)
    _show(statuses)
    if hbase:
        click.echo(f"store   hbase://{stack.hbase}/leitong")
    if kafka:
        click.echo(f"source  kafka://{stack.kafka}/<topic>")


@stack_commands.command()
@_directory
@click.option("--erase", is_flag=True, help="Remove the directory with all data afterwards.")
def down(directory: Path, *, erase: bool) -> None:
    """Stop the servers of the directory, and no other process."""
    with _progress() as progress:
        stopped = LocalStack(directory).down(erase=erase, progress=progress)
    if stopped:
        _show(stopped)
    else:
        click.echo(f"nothing of {directory} was running")


@stack_commands.command()
@_directory
def status(directory: Path) -> None:
    """Ask every server for real work; exit 0 if all of them did it, else 1."""
    statuses = LocalStack(directory).status()
    _show(statuses)
    if any(status.state != "running" for status in statuses):
        sys.exit(1)


@stack_commands.command()
@click.argument("of", metavar="kafka|hbase", type=click.Choice(["kafka", "hbase"]))
def jars(of: Literal["kafka", "hbase"]) -> None:
    """Print a class path of the servers' jars, which hold their clients for Java."""
    with _progress() as progress:
        directory = resolve(of, progress)
    click.echo(f"{directory}/*")


def _show(statuses: list[ServiceStatus]) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    for status in statuses:
        seconds = "" if status.seconds is None else f"{status.seconds:.1f} s"
        pid = "" if status.pid is None else f"pid {status.pid}"
        table.add_row(status.name, status.address, status.state, seconds, pid, status.detail)
    Console().print(table)


@contextmanager
def _progress() -> Iterator[Progress]:
    """Show the latest news and the seconds on a terminal, every piece of news elsewhere.

    On a terminal, what Maven does stays one line however many jars there are.
    """
    console = Console(stderr=True)
    began = time.monotonic()
    if not console.is_terminal:
        yield lambda message: console.print(message, highlight=False, soft_wrap=True)
        return
    with console.status("") as spinner:

        def show(message: str) -> None:
            spinner.update(f"{time.monotonic() - began:5.1f} s  {message}")

        yield show
