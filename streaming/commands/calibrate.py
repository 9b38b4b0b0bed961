"""``leitong calibrate``: learn from labelled pairs what verification asks for."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streaming.commands.evaluate import figure, reading
from streaming.commands.options import articles_option, configured, pairs_option, read_settings

if TYPE_CHECKING:
    from streaming.matching.verification import Thresholds
    from streaming.offline.calibration import Calibration
    from streaming.offline.measures import Measured


@click.command()
@articles_option
@pairs_option
@click.option(
    "--to",
    "target",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write: TOML, or JSON if it is called .json.",
)
@click.option("--folds", type=click.IntRange(2, 100), default=5, show_default=True)
@click.option("--seed", default=1, show_default=True, help="Of the folds and of the search.")
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw precision over recall to this SVG file.",
)
@configured
def calibrate(
    *,
    pairs: Path,
    articles: tuple[Path, ...],
    target: Path,
    folds: int,
    seed: int,
    picture: Path | None,
    file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Learn the thresholds of verification from labelled pairs.

    The figures that count are those of the cross-validation: each pair is judged under
    thresholds that were learned without its articles. What is written was learned from all
    pairs. Pairs are taken as they are: whether the index would have brought the two together
    is what leitong evaluate tells.

    \b
      leitong calibrate --pairs pairs.jsonl --articles articles.jsonl --to thresholds.toml
      leitong replay --into learned --set matching.thresholds_file=thresholds.toml
    """  # noqa: D301 - click wants the character, not its escape
    from streaming.offline.calibration import calibrate as find  # noqa: PLC0415
    from streaming.offline.corpus import read_corpus  # noqa: PLC0415
    from streaming.offline.measures import measure  # noqa: PLC0415
    from streaming.offline.pairs import articles_of, read_pairs  # noqa: PLC0415
    from streaming.showing import progress_on  # noqa: PLC0415
    from streaming.thresholds import write_thresholds  # noqa: PLC0415

    settings = read_settings(file, assignments)
    labelled = read_pairs(pairs)
    with progress_on(sys.stderr, reading) as progress:
        wanted = articles_of(labelled)
        corpus = read_corpus(articles, settings, wanted=wanted, sample=0, on_progress=progress.show)
    measured = measure(corpus.articles, labelled)

    def learning(step: str) -> str:
        return f"learning from {step}"

    with progress_on(sys.stderr, learning) as steps:
        learned = find(measured, folds, seed, steps.show)
    left_out = len(labelled) - len(measured)
    write_thresholds(
        target, learned.thresholds, learned.sections(measured, left_out, [pairs, *articles])
    )
    in_force = settings.matching.rules().thresholds
    _show(measured, learned, in_force)
    _draw(measured, learned.thresholds, picture)
    if left_out:
        click.echo(f"{left_out:,} pairs left out: an article of them is not in the files", err=True)
    click.echo(
        f"thresholds in {target}; in force with matching.thresholds_file, in a generation of"
        " their own",
        err=True,
    )


def _show(pairs: "list[Measured]", learned: "Calibration", in_force: "Thresholds") -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from streaming.offline.calibration import by_length  # noqa: PLC0415

    console = Console(highlight=False, markup=False)
    validated = by_length(pairs, learned.validation.flagged)
    now = by_length(pairs, [each.flagged(in_force) for each in pairs])
    scores = Table("ideographs", "pairs", "precision", "recall", "f1", "in force: f1")
    for name, each in validated.items():
        figures = (each.pairs, each.precision, each.recall, each.f1, now[name].f1)
        scores.add_row(name, *map(figure, figures))
    console.print(scores)
    click.echo(
        f"precision, recall and f1 in {learned.folds} folds; those in force were not learned in"
        " folds, and may have been found on these very pairs"
    )
    table = Table("threshold", "learned", "in the folds", "in force")
    folds = [each.listed() for each in learned.validation.learned]
    for name, value in learned.thresholds.listed().items():
        values = [each[name] for each in folds]
        table.add_row(
            name,
            f"{value:g}",
            f"{min(values):g} to {max(values):g}",
            f"{in_force.listed()[name]:g}",
        )
    console.print(table)


def _draw(pairs: "list[Measured]", thresholds: "Thresholds", picture: Path | None) -> None:
    from streaming.offline import curve  # noqa: PLC0415

    points = curve.curve(pairs, thresholds)
    for line in curve.lines(points):
        click.echo(line)
    if picture is not None:
        chosen = curve.at_value(pairs, thresholds, thresholds.listed()[curve.OVER])
        drawn = curve.picture(points, chosen, f"{len(pairs):,} labelled pairs")
        picture.write_text(drawn, encoding="utf-8")
