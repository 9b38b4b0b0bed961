"""Verdicts on labelled pairs, beside those of other tools for near-duplicates, in one run.

Every tool gets the same normalised texts and says of each pair how alike the two are. It is
scored at a threshold that is usual for it, and at the one that does best on these very
pairs: that favours the peers, since Leitong is scored by cross-validation, at thresholds that
were learned without the pair's articles. Nobody has to find the pairs among other articles
here; `leitong evaluate` says what that costs.

text-dedup is not among them: its releases pin older versions of what this project needs
(rich, click), and its MinHash is the estimator that datasketch and rensa have as well.

LEITONG_CORPORA names the folder of the corpora; the labelled pairs are looked for beside it.

    python benchmarks/quality.py [--pairs FILE] [--articles FILE ...]
"""

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import versions, write
from producers.sources import open_items
from streaming.events import Event, parser_of
from streaming.fingerprints.bands import hamming
from streaming.matching.verification import DEFAULT_THRESHOLDS
from streaming.offline.calibration import calibrate
from streaming.offline.corpus import Corpus, read_corpus
from streaming.offline.measures import Measured, measure
from streaming.offline.pairs import articles_of, read_pairs
from streaming.offline.scoring import Tally, tally
from streaming.settings import Settings
from streaming.text import normalise
from streaming.text.pipeline import TextPipeline
from streaming.text.settings import TextSettings
from tests.newsfeed import CORPORA

if TYPE_CHECKING:
    from benchmarks.peers import Peer

NAMES = ("chinanews_2023", "sogouc_reduced", "xinwenlianbo_to_2024")
PEERS = ("datasketch", "rensa", "simhash")
FOLDS, SEED = 5, 1

Answers = list[bool]


@dataclass(frozen=True)
class Row:
    """A line of the table: answers at a threshold, and what it took to get them."""

    name: str
    setting: str
    threshold: float | None
    answers: Answers
    milliseconds: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--pairs", type=Path, default=CORPORA.parents[1] / "evaluate/judged_dev.jsonl"
    )
    parser.add_argument("--articles", type=Path, nargs="+",
                        default=[CORPORA / f"{name}.jsonl.gz" for name in NAMES])  # fmt: skip
    arguments = parser.parse_args()
    for file in (arguments.pairs, *arguments.articles):
        if not file.exists():
            sys.exit(f"{file}: is not there; LEITONG_CORPORA, --pairs and --articles say where")
    missing = [name for name in PEERS if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(
            f"no {', '.join(missing)}:"
            " pip install -c constraints.txt -r benchmarks/requirements.txt"
        )

    # They are imported once it is known that they are there.
    from benchmarks.peers import peers  # noqa: PLC0415

    labelled = read_pairs(arguments.pairs)
    corpus = read_corpus(arguments.articles, Settings(), wanted=articles_of(labelled), sample=0)
    pairs = measure(corpus.articles, labelled)
    texts = read_texts(arguments.articles, {each.name for each in corpus.articles})
    rows = ours(corpus, pairs, texts)
    for peer in peers():
        rows += scored(peer, pairs, texts)
    results = {
        "versions": versions(*PEERS, "leitong"),
        "pairs": len(pairs),
        "duplicates": sum(each.label.duplicate for each in pairs),
        "articles": len(texts),
        "rows": [fields(row, pairs) for row in rows],
    }
    write("quality", results)
    print(markdown(results))
    return 0


def ours(corpus: Corpus, pairs: Sequence[Measured], texts: dict[str, str]) -> list[Row]:
    pipeline = TextPipeline(TextSettings())
    pipeline.analyse([("", "预热", "")])
    begin = time.perf_counter()
    pipeline.analyse([("", text, "") for text in texts.values()])
    spent = 1000 * (time.perf_counter() - begin) / len(texts)
    learned = calibrate(pairs, FOLDS, SEED)
    now = [each.flagged(DEFAULT_THRESHOLDS) for each in pairs]
    best = [each.flagged(learned.thresholds) for each in pairs]
    rows = [
        Row("leitong", f"learned in {FOLDS} folds", None, list(learned.validation.flagged), spent),
        Row("leitong", "default, found on these pairs", None, now, spent),
        Row("leitong", "learned on the same pairs", None, best, spent),
    ]
    prints = {each.name: each.content.fingerprint or 0 for each in corpus.articles if each.content}
    bits = [-hamming(prints[each.label.one], prints[each.label.other]) for each in pairs]
    name = "leitong, fingerprints alone"
    rows.append(Row(name, "default", 3, [each >= -3 for each in bits], spent))
    limit = tuned(bits, [each.label.duplicate for each in pairs])
    rows.append(Row(name, "best on the same pairs", -limit, [b >= limit for b in bits], spent))
    return rows


def scored(peer: "Peer", pairs: Sequence[Measured], texts: dict[str, str]) -> list[Row]:
    peer.sketch("预热")
    begin = time.perf_counter()
    sketches = {name: peer.sketch(text) for name, text in texts.items()}
    spent = 1000 * (time.perf_counter() - begin) / len(texts)
    alike = [peer.alike(sketches[each.label.one], sketches[each.label.other]) for each in pairs]
    best = tuned(alike, [each.label.duplicate for each in pairs])
    return [
        Row(peer.name, setting, abs(limit), [each >= limit for each in alike], spent)
        for setting, limit in (("default", peer.default), ("best on the same pairs", best))
    ]


def tuned(alike: Sequence[float], truth: Sequence[bool]) -> float:
    """The threshold with the best F1 on these very pairs, which the peers may use."""

    def f1(limit: float) -> float:
        return tally(zip(truth, (each >= limit for each in alike), strict=True)).f1 or 0.0

    return max(sorted(set(alike)), key=f1)


def read_texts(files: Sequence[Path], wanted: set[str]) -> dict[str, str]:
    """Normalised bodies, or titles where there is no body."""
    parser = parser_of(Settings())
    found = {}
    for file in files:
        for item in open_items(str(file)):
            if item.record is None:
                continue
            event = parser.parse(item.record.value, item.record.key, item.record.headers)
            if isinstance(event, Event) and event.article_id in wanted:
                found[event.article_id] = normalise.normalise(event.body or event.title)
    return found


def fields(row: Row, pairs: Sequence[Measured]) -> dict[str, Any]:
    def of(chosen: Callable[[Measured], bool]) -> Tally:
        return tally(
            (each.label.duplicate, flagged)
            for each, flagged in zip(pairs, row.answers, strict=True)
            if chosen(each)
        )

    labels = {each.label.label for each in pairs if not each.label.duplicate}
    return {
        "tool": row.name,
        "setting": row.setting,
        "threshold": row.threshold,
        **of(lambda _each: True).fields(),
        "clear": of(lambda each: each.label.clear).fields(),
        "flagged": {
            name: of(lambda each, name=name: each.label.label == name).wrong  # type: ignore[misc]
            for name in sorted(labels)
        },
        "milliseconds_per_article": round(row.milliseconds, 2),
    }


def markdown(results: dict[str, Any]) -> str:
    labels = sorted({name for row in results["rows"] for name in row["flagged"]})
    heads = ["tool", "thresholds", "precision", "recall", "F1", "F1, clear pairs"]
    heads += [f"{name} flagged" for name in labels] + ["ms per article"]
    lines = [
        f"{results['pairs']} pairs, {results['duplicates']} of them duplicates.",
        "",
        f"| {' | '.join(heads)} |",
        f"|{'---|' * len(heads)}",
    ]
    for row in results["rows"]:
        limit = row["threshold"]
        cells = [row["tool"], row["setting"] + ("" if limit is None else f": {limit:.3g}")]
        cells += [figure(row[name]) for name in ("precision", "recall", "f1")]
        cells += [figure(row["clear"]["f1"]), *(str(row["flagged"][name]) for name in labels)]
        cells.append(f"{row['milliseconds_per_article']:.1f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    sys.exit(main())
