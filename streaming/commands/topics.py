"""``leitong topics``: the topics of articles, verdicts and dead letters."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from streaming.commands.options import configured, read_settings

if TYPE_CHECKING:
    from streaming.settings import Settings
    from streaming.topicspecs import TopicSpec

Command = TypeVar("Command", bound=Callable[..., Any])


class _Kept(click.ParamType[int]):
    """A duration in milliseconds; 0 is for ever."""

    name = "DURATION"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read 90d; 0 needs no unit."""
        from streaming.durations import parse  # noqa: PLC0415

        if isinstance(value, int) or value == "0":
            return int(value)
        try:
            return parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _topic_options(command: Command) -> Command:
    for option in reversed(
        (
            click.option("--source", metavar="URL", help="The log. [default: query.source]"),
            click.option("--verdicts", metavar="URL", help="[default: query.verdicts]"),
            click.option("--dead-letters", metavar="URL", help="[default: query.dead_letters]"),
            click.option(
                "--partitions",
                type=click.IntRange(1),
                default=4,
                show_default=True,
                help="Partitions of each topic. They are part of the log: choose once.",
            ),
            click.option(
                "--replication",
                type=click.IntRange(1),
                help="Copies of each topic, of which all but one have to be there to write."
                " [default: the broker's]",
            ),
            click.option(
                "--articles-retention",
                type=_Kept(),
                default="0",
                show_default=True,
                help="How long articles are kept; 0: for ever, as a replay from the beginning"
                " needs it.",
            ),
            click.option(
                "--verdicts-retention",
                type=_Kept(),
                default="0",
                show_default=True,
                help="How long verdicts are kept; 0: for ever.",
            ),
            click.option(
                "--dead-letters-retention",
                type=_Kept(),
                default="90d",
                show_default=True,
                help="How long dead letters are kept; the store keeps them as well.",
            ),
            click.option(
                "--compact-verdicts",
                is_flag=True,
                help="Keep the last verdict of each article only.",
            ),
            configured,
        )
    ):
        command = option(command)
    return command


@click.group()
def topics() -> None:
    """Make and look at the topics that the settings name."""


@topics.command()
@_topic_options
def commands(**given: Any) -> None:
    """Print the commands of Kafka's own tool that make the topics. No broker is asked."""
    from streaming.topicspecs import command  # noqa: PLC0415

    settings, wanted = _wanted(**given)
    for spec in wanted:
        click.echo(command(spec, settings.kafka))


@topics.command()
@_topic_options
def show(**given: Any) -> None:
    """Say of each topic whether it is there, and how it differs from what it should be.

    One line each; ends with status 1 if something is wrong. Changes nothing.
    """
    _examine(*_wanted(**given), create=False)


@topics.command()
@_topic_options
def create(**given: Any) -> None:
    """Create the topics that are missing.

    One that is there is never changed: what it differs in is said, and the status is 1.

    \b
      leitong topics create --source kafka://127.0.0.1:9092/articles --replication 1
      leitong topics create --config leitong.toml --replication 3 --compact-verdicts
    """  # noqa: D301 - click wants the character, not its escape
    _examine(*_wanted(**given), create=True)


def _wanted(
    *,
    source: str | None,
    verdicts: str | None,
    dead_letters: str | None,
    partitions: int,
    replication: int | None,
    articles_retention: int,
    verdicts_retention: int,
    dead_letters_retention: int,
    compact_verdicts: bool,
    file: Path | None,
    assignments: tuple[str, ...],
) -> tuple["Settings", list["TopicSpec"]]:
    from streaming.topicspecs import Keeping, specs  # noqa: PLC0415 - Kafka, only when needed

    settings = read_settings(
        file,
        assignments,
        query__source=source,
        query__verdicts=verdicts,
        query__dead_letters=dead_letters,
    )
    keeping = Keeping(
        partitions,
        replication,
        articles_retention,
        verdicts_retention,
        dead_letters_retention,
        compact_verdicts,
    )
    return settings, specs(settings, keeping)


def _examine(settings: "Settings", wanted: list["TopicSpec"], *, create: bool) -> None:
    from streaming.topics import describe_topic, ensure_topic  # noqa: PLC0415
    from streaming.topicspecs import differences  # noqa: PLC0415

    wrong = False
    for spec in wanted:
        found = describe_topic(spec.url, settings.kafka)
        if found is None and create:
            found = ensure_topic(
                spec.url,
                settings.kafka,
                partitions=spec.partitions,
                replication=spec.replication,
                config=spec.config,
            )
        if found is None:
            told = ["it is not there; leitong topics create makes it"]
        else:
            told = differences(spec, found)
        wrong |= bool(told)
        mark = click.style("BAD ", fg="red") if told else click.style("ok  ", fg="green")
        made = "created, " if found is not None and found.created else ""
        size = f"{made}{spec.partitions} partitions"
        click.echo(f"{mark} {spec.url}: {'; '.join(told) or size}")
    if wrong:
        sys.exit(1)
