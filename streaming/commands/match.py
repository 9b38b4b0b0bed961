"""``leitong match``: which title of one catalogue is which of another."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import click
import orjson

from streaming.commands.options import configured, read_settings
from streaming.errors import SettingsError
from streaming.interrupts import INTERRUPTED, interruptible
from streaming.showing import progress_on

_file = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("left", type=_file)
@click.argument("right", type=_file)
@click.option("--to", "target", type=_file, required=True, help="Write matches to this file.")
@click.option(
    "--by",
    default="channel",
    show_default=True,
    metavar="FIELD",
    help="Compare titles with the same value of this field; those without one are compared too.",
)
@click.option(
    "--thresholds",
    type=_file,
    help="JSON file with the scores that match, by length of title.",
)
@click.option(
    "--doubtful",
    is_flag=True,
    help="Write best matches that score less than best as well, to look at and to label.",
)
@click.option("--rejects", type=_file, help="Write refused lines there. [default: TO.rejects]")
@click.option("--report", type=_file, help="Write the report there too, as JSON.")
@click.option(
    "--tasks",
    type=click.IntRange(1, 100_000),
    help="Tasks to share the work. [default: 4 per core]",
)
@configured
@click.pass_context
def match(
    context: click.Context,
    *,
    left: Path,
    right: Path,
    target: Path,
    by: str,
    thresholds: Path | None,
    doubtful: bool,
    rejects: Path | None,
    report: Path | None,
    tasks: int | None,
    file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Find for each title of LEFT its best match in RIGHT.

    Both are JSON lines, compressed (.gz) or not, with article_id or id, title, and the
    field to compare within. Words count by how rare they are in both catalogues, a short
    title inside a long one is no match for it, and titles that differ in a figure (iPhone
    14, iPhone 15) are far apart. The best match is that of comparing all pairs, whatever
    the number of tasks.

    \b
      leitong match shop.jsonl supplier.jsonl.gz --by category --to matches.jsonl
    writes lines like
      {"left": "s17", "right": "k4", "score": 0.913, "relation": "match"}

    A match scores max of the thresholds or more, a probable one best or more:

    \b
      {"version": 1, "classes": [
        {"up_to": 3,    "min": 0.6, "best": 0.8, "max": 0.95},
        {"up_to": null, "min": 0.5, "best": 0.7, "max": 0.9}]}

    for pairs whose shorter title has at most 3 words, and for others. Lines that hold no
    title, or an id that was there before, are written to TO.rejects with their numbers.
    """  # noqa: D301 - click wants the character, not its escape
    settings = read_settings(file, assignments)
    rejects = rejects or target.with_name(f"{target.name}.rejects")
    sources = [path for path in (left, right, thresholds) if path]
    _check_targets(sources, [path for path in (target, rejects, report) if path])
    from streaming.matching.title_thresholds import TITLE_DEFAULTS, read_thresholds  # noqa: PLC0415

    limits = read_thresholds(thresholds) if thresholds else TITLE_DEFAULTS
    from streaming.offline.background import (  # noqa: PLC0415 - Spark, only when it is needed
        Background,
        JobStopped,
    )
    from streaming.offline.catalogues import check_catalogue  # noqa: PLC0415
    from streaming.offline.match import MatchOptions, match_catalogues  # noqa: PLC0415
    from streaming.query.session import open_session  # noqa: PLC0415

    for path in (left, right):
        check_catalogue(path)
    options = MatchOptions(left, right, by, limits, settings.text, tasks)
    spark = open_session(settings)
    try:
        with interruptible() as stop, progress_on(sys.stderr, str) as progress:
            job = Background(spark, lambda stage: match_catalogues(spark, options, stage))
            matched = job.run(stop, progress.show)
    except JobStopped as stopped:
        click.echo(f"leitong: {stopped}", err=True)
        context.exit(INTERRUPTED)
    finally:
        spark.stop()
    written = _write(target, _lines(matched.matches, doubtful=doubtful))
    refused = _write(rejects, _rejects(matched.refused, (left, right)))
    if report:
        _write(report, [matched.report.fields()])
    for line in matched.report.lines():
        click.echo(line)
    click.echo(f"{written:,} lines in {target}", err=True)
    if refused:
        click.echo(f"{refused:,} refused lines in {rejects}", err=True)


def _check_targets(sources: Iterable[Path], targets: list[Path]) -> None:
    """Find out before the work, not after it, that something cannot be written."""
    taken = {path.resolve() for path in sources}
    for path in targets:
        if path.resolve() in taken:
            raise SettingsError(f"{path}: is read or written already; name another file")
        taken.add(path.resolve())
        if not path.parent.is_dir():
            raise SettingsError(f"{path}: there is no directory {path.parent}; make it first")
        try:
            _partial(path).touch()
            _partial(path).unlink()
        except OSError as error:
            raise _unwritable(path, error) from error


def _lines(matches: Any, *, doubtful: bool) -> Iterator[dict[str, Any]]:
    from streaming.matching.title_thresholds import TitleRelation  # noqa: PLC0415
    from streaming.matching.titles import ONE  # noqa: PLC0415

    lowest = TitleRelation.DOUBTFUL if doubtful else TitleRelation.PROBABLE
    columns = (matches.column(name).to_pylist() for name in ("left", "right", "score", "relation"))
    for left, right, score, relation in zip(*columns, strict=True):
        if relation >= lowest:
            yield {
                "left": left,
                "right": right,
                "score": score / ONE,
                "relation": TitleRelation(relation).name.lower(),
            }


def _rejects(refused: Iterable[Any], files: tuple[Path, Path]) -> Iterator[dict[str, Any]]:
    for each in refused:
        yield {
            "file": str(files[each.side]),
            "line": each.line,
            "reason": each.reason,
            "detail": each.detail,
        }


def _write(path: Path, lines: Iterable[dict[str, Any]]) -> int:
    written = 0
    with _put_in_place(path) as out:
        for line in lines:
            out.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
            written += 1
    return written


@contextmanager
def _put_in_place(path: Path) -> Iterator[BinaryIO]:
    """Write a file that appears when it is complete; SettingsError if it cannot be written."""
    partial = _partial(path)
    try:
        with partial.open("wb") as out:
            yield out
        partial.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        partial.unlink(missing_ok=True)


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.partial")


def _unwritable(path: Path, error: OSError) -> SettingsError:
    return SettingsError(
        f"{path}: cannot be written ({error.strerror}); make room there, or name another file"
    )
