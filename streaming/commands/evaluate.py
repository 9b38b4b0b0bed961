"""``leitong evaluate``: how the verdicts over a corpus fit labelled pairs."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from streaming.commands.options import articles_option, configured, pairs_option, read_settings

if TYPE_CHECKING:
    from streaming.offline.corpus import Corpus

_FIGURES = ("pairs", "precision", "recall", "f1", "wrong", "missed")


@click.command()
@articles_option
@pairs_option
@click.option(
    "--sample",
    type=click.IntRange(min=0),
    help="Judge only the articles of the pairs and so many others. [default: all]",
)
@click.option("--seed", default=1, show_default=True, help="Of the sample.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of tables.")
@click.option(
    "--wrong",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the pairs that were answered wrongly there, as JSON Lines.",
)
@configured
def evaluate(
    *,
    articles: tuple[Path, ...],
    pairs: Path,
    sample: int | None,
    seed: int,
    as_json: bool,
    wrong: Path | None,
    file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Judge a corpus in this process and compare the verdicts with labelled pairs.

    The verdicts are those of the query under the same settings, had the articles come in
    the order in which they were published; those without a time come in the order of their
    files, so one corpus without times is better not mixed with another. What editors said is
    passed over. Pairs labelled dup are one text; any other label says that they are not.

    Read precision here as that of the pairs: what a stream holds are not these shares.
    """
    from streaming.offline.corpus import read_corpus  # noqa: PLC0415
    from streaming.offline.evaluation import evaluate as judge  # noqa: PLC0415
    from streaming.offline.pairs import articles_of, read_pairs  # noqa: PLC0415
    from streaming.showing import progress_on  # noqa: PLC0415

    settings = read_settings(file, assignments)
    labelled = read_pairs(pairs)
    with progress_on(sys.stderr, reading) as progress:
        corpus = read_corpus(
            articles,
            settings,
            wanted=articles_of(labelled),
            sample=sample,
            seed=seed,
            on_progress=progress.show,
        )
    whole = len(corpus.articles)

    def judging(done: int) -> str:
        return f"{done:,} of {whole:,} articles judged"

    with progress_on(sys.stderr, judging) as told:
        found = judge(corpus, labelled, settings.matching.rules(), told.show)
    if wrong is not None:
        lines = (orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE) for each in found.wrong)
        wrong.write_bytes(b"".join(lines))
    if as_json:
        click.echo(orjson.dumps(found.report, option=orjson.OPT_INDENT_2).decode())
    else:
        _show(found.report)
    if wrong is not None:
        click.echo(f"{len(found.wrong):,} wrong pairs in {wrong}", err=True)


def reading(corpus: "Corpus") -> str:
    """Say in one line how far the articles are read."""
    return f"{corpus.read:,} lines read, {corpus.enriched:,} articles enriched"


def _show(report: dict[str, Any]) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    console = Console(highlight=False, markup=False)
    rows = {"all": report["all"]}
    if report["clear"]:
        rows["clear"] = report["clear"]
    rows |= {f"{name} ideographs": each for name, each in report["by_length"].items()}
    scores = Table("", *_FIGURES)
    for name, each in rows.items():
        scores.add_row(name, *(figure(each[key]) for key in _FIGURES))
    console.print(scores)
    shares = Table("label or kind", "one text", "pairs", "flagged", "share")
    for name, each in (report["by_label"] | report["by_kind"]).items():
        truth = "yes" if each["duplicates"] else "no"
        shares.add_row(
            name, truth, figure(each["pairs"]), figure(each["flagged"]), figure(each["share"])
        )
    console.print(shares)
    costs = Table("per article", "mean", "p50", "p90", "p99", "max")
    for name, each in report["per_article"].items():
        costs.add_row(name.replace("_", " "), *map(figure, each.values()))
    console.print(costs)
    for line in _lines(report):
        click.echo(line)


def _lines(report: dict[str, Any]) -> list[str]:
    articles, cluster, keyless = (
        report[name] for name in ("articles", "largest_cluster", "without_a_key")
    )
    counts = (
        f"{articles['judged']:,} articles judged, {report['marked_duplicate']:,} duplicates,"
        f" {report['templates']:,} templates"
    )
    recall = (
        f"candidate recall {figure(report['candidate_recall'])}: the share of the duplicates"
        " that were compared at all"
    )
    clusters = (
        f"largest of {cluster['clusters']:,} clusters: {cluster['size']:,} articles"
        + _examples(cluster["first"])
    )
    without = f"{keyless['count']:,} articles without any key, which match nothing" + _examples(
        keyless["first"]
    )
    lines = [counts, recall, clusters, without]
    if missing := report["pairs"]["with_an_article_that_is_not_there"]:
        lines.append(f"{missing:,} pairs left out: an article of them is not in the files")
    if articles["refused"]:
        told = ", ".join(f"{reason} {count:,}" for reason, count in articles["refused"].items())
        lines.append(f"refused: {told}")
    return lines


def _examples(names: list[str]) -> str:
    return f" ({', '.join(names)} ...)" if names else ""


def figure(value: float | None) -> str:
    """Write a count or a share for people."""
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"
