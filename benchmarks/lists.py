"""Lists of similar articles beside what else people use, on articles whose headlines are hidden.

Two articles that had the same headline, but not the same text, are about the same thing: that
one of them finds the other is what is counted. Headlines are hidden from everybody. Ours go
the whole way: `leitong train`, `produce`, `run`, `export similar`; the others get the same
words of the same texts, and compare everything with everything.

LEITONG_CORPORA names the folder of the corpora; the pairs are looked for beside it.

    python benchmarks/lists.py [--articles FILE] [--pairs FILE] [--scratch DIR] [--train WORD ...]
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import orjson
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

from benchmarks.bars import Bar, bars
from benchmarks.measuring import RESULTS, versions, write
from producers.sources import open_items
from streaming.events import Event, parser_of
from streaming.settings import Settings
from streaming.similar.models import Models
from streaming.similar.registry import Registry
from streaming.similar.words import counted, word_hash
from streaming.text.loading import load_stop_words
from streaming.text.pipeline import TextPipeline
from streaming.times import write_time
from tests.newsfeed import CORPORA

LEITONG = Path(sys.executable).with_name("leitong")
PEERS = ("scikit-learn", "pyspark")
CHANNEL = "news"
COPIES = 0.9
"""From this share of common runs of five characters on, two articles are copies."""
KEYWORDS = 20
K = 10

Lists = Mapping[str, Sequence[str]]
Partners = dict[str, set[str]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--articles", type=Path, default=CORPORA / "chinanews_2023.jsonl.gz")
    parser.add_argument(
        "--pairs", type=Path, default=CORPORA.parent / "pairs/same_title_2023.jsonl"
    )
    parser.add_argument("--scratch", type=Path, help="keep what is made here")
    parser.add_argument("--train", nargs="*", default=[], help="options of `leitong train`")
    arguments = parser.parse_args()
    for file in (arguments.articles, arguments.pairs):
        if not file.exists():
            sys.exit(f"{file}: is not there; LEITONG_CORPORA, --articles and --pairs say where")
    with tempfile.TemporaryDirectory(prefix="leitong-bench-") as directory:
        return compare(arguments, arguments.scratch or Path(directory))


def compare(arguments: argparse.Namespace, scratch: Path) -> int:
    scratch.mkdir(parents=True, exist_ok=True)
    articles = read(arguments.articles)
    good, copies = partners(arguments.pairs, set(articles))
    ours = by_leitong(articles, scratch, arguments.train)
    registry = Registry(str(scratch / "models"))
    models = Models.open(scratch / "models" / str(registry.active().active))
    asked = sorted(good)
    found: dict[str, Lists] = {"leitong": ours} | by_peers(articles, asked, models)
    told = {who: score(lists, good, copies) for who, lists in found.items()}
    for who, scores in told.items():
        line = "  ".join(f"{kind} {figure:.3f}" for kind, figure in scores.items())
        sys.stdout.write(f"{who:28} {line}\n")
    figures = {"articles": len(articles), "queries": len(good), "scores": told}
    write("lists", {"versions": versions(*PEERS), **figures})
    kinds = list(next(iter(told.values())))
    drawn = [Bar(who, list(scores.values())) for who, scores in told.items()]
    (RESULTS / "lists.svg").write_text(bars("Found by its content", kinds, drawn))
    return 0


def read(file: Path) -> dict[str, dict[str, Any]]:
    """Read articles as events of one channel, without their headlines."""
    parser = parser_of(Settings())
    articles: dict[str, dict[str, Any]] = {}
    for item in open_items(str(file)):
        if item.record is None:
            continue
        event = parser.parse(item.record.value, item.record.key, item.record.headers)
        if isinstance(event, Event) and event.body:
            articles[event.article_id] = {
                "event": "created",
                "article_id": event.article_id,
                "channel": CHANNEL,
                "title": "",
                "body": event.body,
                "published_at": write_time(event.published_ms or 0),
            }
    return articles


def partners(file: Path, known: set[str]) -> tuple[Partners, Partners]:
    """Give whom each article should find, and whose text is a copy of its own."""
    good: Partners = defaultdict(set)
    copies: Partners = defaultdict(set)
    for line in file.read_bytes().splitlines():
        pair = orjson.loads(line)
        one, other = pair["id1"], pair["id2"]
        if pair["src1"] == pair["src2"] and {one, other} <= known:
            kind = copies if pair["jaccard5"] >= COPIES else good
            kind[one].add(other)
            kind[other].add(one)
    return good, copies


def by_leitong(
    articles: Mapping[str, Any], scratch: Path, options: Sequence[str]
) -> dict[str, list[str]]:
    events = scratch / "events.jsonl"
    events.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in articles.values()))
    models, store = scratch / "models", f"sqlite:{scratch / 'index.db'}"
    if not models.exists():
        run("train", "--from", events, "--models", models, "--activate", *options)
    for left in (scratch / "log", scratch / "checkpoint", scratch / "views"):
        shutil.rmtree(left, ignore_errors=True)
    for left in scratch.glob("index.db*"):
        left.unlink()
    log = f"file:{scratch / 'log'}"
    run("produce", "--from", events, "--to", log, "--timestamps", "published")
    run("run", "--source", log, "--store", store, "--checkpoint", scratch / "checkpoint",
        "--models", models, "--set", f"query.views={scratch / 'views'}",
        "--until-caught-up")  # fmt: skip
    lists = scratch / "similar.jsonl"
    lists.unlink(missing_ok=True)
    run("export", "similar", "--store", store, "--to", lists)
    rows = map(orjson.loads, lists.read_bytes().splitlines())
    return {row["article_id"]: [other for other, _ in row["similar"]] for row in rows}


def run(*words: Any) -> None:
    subprocess.run([LEITONG, *map(str, words)], check=True)


def by_peers(articles: Mapping[str, Any], asked: Sequence[str], models: Models) -> dict[str, Lists]:
    ids, pipeline = list(articles), TextPipeline(Settings().text)
    stop_words = load_stop_words(Settings().text)
    texts = [
        [word for token in pipeline.words(each["body"]) if (word := counted(token, stop_words))]
        for each in articles.values()
    ]
    places = [ids.index(each) for each in asked]
    counting = CountVectorizer(analyzer=lambda words: words)
    counts = counting.fit_transform(texts).astype(np.float64)
    frequent = TfidfTransformer().fit_transform(counts)
    okapi, known = bm25(counts)
    tables = models.tables(CHANNEL)
    hashes = np.array([word_hash(name) for name in counting.get_feature_names_out()], np.uint64)
    rows = np.searchsorted(tables.words, hashes).clip(max=len(tables.words) - 1)
    vectors = tables.vectors[rows] * (tables.words[rows] == hashes)[:, None]
    few = frequent.copy()
    for row in range(few.shape[0]):
        own = few.data[few.indptr[row] : few.indptr[row + 1]]
        if len(own) > KEYWORDS:
            own[own < np.partition(own, -KEYWORDS)[-KEYWORDS]] = 0

    def listed(of_place: Callable[[int], Any]) -> dict[str, list[str]]:
        lists = {}
        for name, place in zip(asked, places, strict=True):
            scores = np.asarray(of_place(place), np.float64).ravel()
            scores[place] = -np.inf
            best = np.argsort(-scores, kind="stable")[: 5 * K]
            lists[name] = [ids[other] for other in best]
        return lists

    def by_vectors(weighed: Any) -> dict[str, list[str]]:
        means = weighed @ vectors
        means = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
        return listed(lambda place: means @ means[place])

    return {
        "TF-IDF cosine": listed(lambda place: (frequent @ frequent[place].T).toarray()),
        "BM25": listed(lambda place: (okapi @ known[place].T).toarray()),
        "Word2Vec, of 20 keywords": by_vectors(few),
        "Word2Vec, averaged": by_vectors(counts),
    }


def bm25(counts: Any, k1: float = 1.5, b: float = 0.75) -> tuple[Any, Any]:
    """Give what every word is worth in every article (Robertson and others), and who has which."""
    lengths = np.asarray(counts.sum(axis=1)).ravel()
    having = np.bincount(counts.indices, minlength=counts.shape[1])
    rarity = np.log(1 + (counts.shape[0] - having + 0.5) / (having + 0.5))
    long = np.repeat(k1 * (1 - b + b * lengths / lengths.mean()), np.diff(counts.indptr))
    worth, present = counts.copy(), counts.copy()
    worth.data = rarity[counts.indices] * counts.data * (k1 + 1) / (counts.data + long)
    present.data[:] = 1
    return worth, present


def score(lists: Lists, good: Partners, copies: Partners) -> dict[str, float]:
    """Give means over all who should find somebody; copies neither help nor harm."""
    first, top, reciprocal = 0.0, 0.0, 0.0
    for name, partners_of_it in good.items():
        wanted = partners_of_it - copies[name]
        found = [other for other in lists.get(name, ()) if other not in copies[name]]
        places = [place for place, other in enumerate(found) if other in wanted]
        if places:
            reciprocal += 1 / (1 + places[0])
            first += places[0] == 0
            top += sum(place < K for place in places) / len(wanted)
    count = max(1, len(good))
    return {
        "mean reciprocal rank": reciprocal / count,
        "found first": first / count,
        f"found among {K}": top / count,
    }


if __name__ == "__main__":
    sys.exit(main())
