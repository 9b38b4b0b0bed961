"""What commands share that make versions of the models: options, and memory."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from streaming.durations import parse, show
from streaming.settings import Settings
from streaming.similar.scoring import Ranking

Command = TypeVar("Command", bound=Callable[..., Any])

_DEFAULT = Ranking()
_DRIVER_MEMORY = "4g"
"""A gigabyte, Spark's own choice, is not enough for 20 000 articles."""
_NAMES = ("scope", "window", "half_life", "vector_weight", "size", "per_story")


class Span(click.ParamType[int]):
    """A duration on the command line, in milliseconds."""

    name = "DURATION"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read 30d, 36h and the like; 0 as well."""
        if isinstance(value, int):
            return value
        try:
            return 0 if value.strip() == "0" else parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def ranking_options(command: Command) -> Command:
    """Add the options of `Ranking`; `ranking_of` reads them."""
    for option in reversed(
        (
            click.option(
                "--scope",
                type=click.Choice(("channel", "newsroom")),
                default=_DEFAULT.scope,
                show_default=True,
                help="Compare within a channel, or across the newsroom (one model for all).",
            ),
            click.option(
                "--window",
                type=Span(),
                default=_DEFAULT.window_ms,
                help="How far back an article is compared, by the log's time."
                f" [default: {show(_DEFAULT.window_ms)}]",
            ),
            click.option(
                "--half-life",
                type=Span(),
                default=_DEFAULT.half_life_ms,
                help="Halve a score for every so much between the publications; 0: never."
                f" [default: {show(_DEFAULT.half_life_ms)}]",
            ),
            click.option(
                "--vector-weight",
                type=click.FloatRange(0, 1),
                default=_DEFAULT.vector_weight,
                show_default=True,
                help="Share of the vectors in a score; the rest is the keywords'.",
            ),
            click.option(
                "--size",
                type=click.IntRange(1, 1000),
                default=_DEFAULT.size,
                show_default=True,
                help="Articles in a list.",
            ),
            click.option(
                "--per-story",
                type=click.IntRange(1, 1000),
                default=_DEFAULT.per_story,
                show_default=True,
                help="Copies of one story in a list, at most.",
            ),
        )
    ):
        command = option(command)
    return command


def with_memory(settings: Settings) -> Settings:
    """Give Spark more memory than it takes by itself, unless the settings say how much."""
    spark = {"driver.memory": _DRIVER_MEMORY, **settings.spark}
    return settings.model_copy(update={"spark": spark})


def ranking_of(options: Mapping[str, Any]) -> Ranking:
    """Give the ranking of a command's options, whatever else is among them."""
    chosen = {name: options[name] for name in _NAMES}
    return Ranking(
        chosen["scope"],
        chosen["window"],
        chosen["half_life"],
        chosen["vector_weight"],
        chosen["size"],
        chosen["per_story"],
    )


def registry_option(command: Command) -> Command:
    """Add ``--models``."""
    return click.option(
        "--models",
        "models",
        required=True,
        metavar="URL",
        help="Where versions are kept: a directory, or any URL that fsspec understands.",
    )(command)


def keywords_option(command: Command) -> Command:
    """Add ``--keywords``."""
    return click.option(
        "--keywords",
        type=click.Choice(("tfidf", "textrank")),
        default="tfidf",
        show_default=True,
        help="Weigh words by how often they occur, or by their rank among their neighbours.",
    )(command)
