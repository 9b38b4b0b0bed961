"""Each stage beside the best of its kind: articles, look-ups or pairs a second on one core.

All take turns with the same real articles in one process; times are of the processor. Stages
that every article goes through: cutting into words, SimHash of weighed features, keys of
shingles (beside MinHash, which is what others take for that), and all of the text stage. Then
look-ups within 3 bits among many fingerprints, in memory, SQLite and HBase, and the verification
of pairs. Vectors and lists are measured in ranking.py, verdicts of other tools in quality.py.
LEITONG_CORPORA names the folder of the corpora.

    python benchmarks/stages.py [--articles N] [--indexed N] [--stores sqlite,hbase] [--quick]

With --quick few articles are taken, and the exit code is 1 if one of the tools of the tutorials
(jieba, simhash and its index, datasketch) is faster than we are. The fastest there are, written
for one stage and one alone, are measured as well, and who is ahead of us is told.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import stagepeers
from benchmarks.filling import Fingerprints, band_cells, crowd, into_sqlite, through
from benchmarks.measuring import in_turns, on_one_core, spread, times, versions, write
from benchmarks.prepared import enrich, records
from benchmarks.servers import hbase
from streaming import collecting
from streaming.matching.content import Content, Key, Tier, pair_of
from streaming.matching.rules import Rules
from streaming.matching.verification import verify
from streaming.settings import Settings, load
from streaming.store.contract import Store
from streaming.store.index import BANDS, Index
from streaming.store.tables import TABLES
from streaming.store.urls import open_store
from streaming.text.features import FeatureExtractor
from streaming.text.lexemes import Lexemes
from streaming.text.loading import load_contrasts, load_segmenter, load_stop_words
from streaming.text.pipeline import TextPipeline
from streaming.text.reading import read_features
from streaming.text.segment import Segmenter, Tokens
from streaming.text.settings import TextSettings
from streaming.text.shingling import Passage, shingle
from streaming.text.tables import read_jieba_idf

OURS = "leitong"
TURNS = 6
ASKED = 500
"""Fingerprints that are looked up at once, as a task of a micro-batch does."""
PEERS = ("jieba", "rjieba", "simhash", "datasketch", "rensa", "faiss-cpu", "rapidfuzz")

AHEAD_OF = frozenset(
    {
        "segmentation: jieba",
        "SimHash: simhash",
        "shingle keys: datasketch MinHash",
        "text stage: jieba and simhash",
        "verification: Jaccard of 5-grams",
        "look-up: SimhashIndex",
    }
)

Units = Callable[[], int]
Contestants = Mapping[str, Units]


@dataclass(frozen=True)
class Texts:
    """Articles, and what each stage is given of them."""

    raw: Sequence[tuple[str, str, str]]
    plain: Sequence[str]
    words: Sequence[Sequence[str]]
    features: Sequence[dict[str, int]]
    contents: Sequence[Content]
    pipeline: TextPipeline
    segmenter: Segmenter
    extractor: FeatureExtractor
    lexemes: Lexemes
    tokens: Sequence[Tokens]

    @classmethod
    def read(cls, settings: Settings, count: int) -> "Texts":
        taken = records(count, 1_700_000_000_000)
        pipeline = TextPipeline(settings.text)
        events = [orjson.loads(each.value or b"{}") for each in taken]
        raw = [(event["title"], event["body"], event["channel"]) for event in events]
        plain = [each.text for each in pipeline.analyse(raw)]
        segmenter = load_segmenter(settings.text)
        extractor = FeatureExtractor(read_jieba_idf(), load_stop_words(settings.text))
        lexemes, tokens = Lexemes(segmenter.dictionary, extractor), segmenter.tokens(plain)
        lexemes.meet(tokens)
        return cls(
            raw,
            plain,
            [pipeline.words(text, normalised=True) for text in plain],
            [pipeline.features(*each) for each in raw],
            [each.content for each in enrich(settings, taken) if each.content],
            pipeline,
            segmenter,
            extractor,
            lexemes,
            tokens,
        )


def main() -> int:
    on_one_core()
    collecting.seldom()  # as workers do
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--articles", type=int, default=3_000)
    parser.add_argument("--indexed", type=int, default=1_000_000)
    parser.add_argument("--stores", default="sqlite,hbase", help="beside memory")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.articles, arguments.indexed, arguments.stores = 600, 100_000, "sqlite"
    settings = load(environment={}).settings
    texts = Texts.read(settings, arguments.articles)
    told = {
        "segmentation": compare(segmentation(texts)),
        "SimHash": compare(simhash(texts)),
        "shingle keys": compare(shingle_keys(texts)),
        "text stage": compare(text_stage(texts)),
        "verification": compare(verification(texts)),
    }
    with tempfile.TemporaryDirectory(prefix="leitong-bench-") as directory, ExitStack() as stack:
        rules = settings.matching.rules()
        indexes = {"memory": "memory:stages"}
        if "sqlite" in arguments.stores:
            indexes["SQLite"] = f"sqlite:{directory}/stages.db"
        if "hbase" in arguments.stores:
            servers = stack.enter_context(hbase(Path(directory)))
            indexes["HBase"] = f"hbase://{servers.hbase}/stages?admin={servers.admin}"
        told["look-up"] = look_up(texts, rules, indexes, arguments.indexed)
    slower = [
        f"{stage}: {name}"
        for stage, of_stage in told.items()
        for name, times_as_fast in of_stage["ours_against"].items()
        if times_as_fast["median"] < 1
    ]
    results = {
        "articles": len(texts.raw),
        "indexed": arguments.indexed,
        "mean_characters": float(np.mean([len(text) for text in texts.plain])),
        "stages": told,
        "slower_than": slower,
        "versions": versions(*PEERS, "numba", "numpy"),
    }
    write("stages-quick" if arguments.quick else "stages", results)
    for each in slower:
        print(f"slower than {each}")
    return int(arguments.quick and not AHEAD_OF.isdisjoint(slower))


def compare(contestants: Contestants) -> dict[str, Any]:
    rates = in_turns(contestants)
    ours = [name for name in rates if name.startswith(OURS)]
    told = {
        "per_processor_second": {name: spread(each) for name, each in rates.items()},
        # The first of ours is the one that is compared; the others tell what a store costs.
        "ours_against": {
            name: times(rates[ours[0]], each) for name, each in rates.items() if name not in ours
        },
    }
    print({name: round(spread(each)["median"]) for name, each in rates.items()}, flush=True)
    return told


def each_of(work: Callable[[Any], Any], items: Sequence[Any]) -> Units:
    """Do something with a part of the items, another one at each turn."""
    parts = parts_of(items)

    def turn() -> int:
        part = next(parts)
        for item in part:
            work(item)
        return len(part)

    return turn


def parts_of(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[at::TURNS] for at in range(TURNS))


def segmentation(texts: Texts) -> Contestants:
    """Ours gives words as the text stage takes them, by number, and as strings like the others."""
    segmenter = texts.segmenter
    found: dict[str, Units] = {
        OURS: each_of(lambda text: segmenter.tokens([text]), texts.plain),
        f"{OURS}, as strings": each_of(segmenter.cut, texts.plain),
    }
    peers = stagepeers.segmenters()
    return found | {name: each_of(cut, texts.plain) for name, cut in peers.items()}


def simhash(texts: Texts) -> Contestants:
    """Ours begins with words by number and has to weigh them; the others are given weights."""
    known = texts.lexemes
    room = np.empty(max(len(each.numbers) for each in texts.tokens), np.int32)
    weights, found = known.weights(""), np.empty(1, np.uint64)

    def ours(tokens: Tokens) -> None:
        read_features(tokens.numbers, weights, known.digests, known.counts, room, found)

    peers = stagepeers.simhashes()
    return {OURS: each_of(ours, texts.tokens)} | {
        name: each_of(make, texts.features) for name, make in peers.items()
    }


def shingle_keys(texts: Texts) -> Contestants:
    """Ours makes keys of clauses as well, and evidence; the others' sketches are no keys yet."""
    settings = TextSettings()
    extractor, contrasts = texts.extractor, load_contrasts(settings)
    (untitled,) = texts.segmenter.tokens([""])
    title = Passage.read(untitled, titled=True)

    def ours(tokens: Tokens) -> None:
        shingle(title, Passage.read(tokens), texts.lexemes, extractor, contrasts)

    peers = stagepeers.sketches()
    return {OURS: each_of(ours, texts.tokens)} | {
        name: each_of(make, texts.words) for name, make in peers.items()
    }


def text_stage(texts: Texts) -> Contestants:
    """From a raw article to fingerprint, keys and evidence; the tutorials stop at a fingerprint."""
    parts = parts_of(texts.raw)

    def ours() -> int:
        return len(texts.pipeline.analyse(next(parts)))

    make = stagepeers.simhashes()["simhash"]

    def tutorial(cut: Callable[[str], Sequence[str]]) -> Units:
        return each_of(lambda text: make(dict.fromkeys(cut(text), 1)), texts.plain)

    cutters = stagepeers.segmenters()
    return {OURS: ours} | {f"{name} and simhash": tutorial(cut) for name, cut in cutters.items()}


def verification(texts: Texts) -> Contestants:
    """Pairs of articles that follow each other: most are no duplicates, as most candidates."""
    thresholds = Rules().thresholds
    pairs = list(zip(texts.contents, texts.contents[1:], strict=False))
    of_texts = list(zip(texts.plain, texts.plain[1:], strict=False))

    def beside(alike: Callable[[str, str], float]) -> Units:
        return each_of(lambda pair: alike(*pair), of_texts)

    peers = stagepeers.verifiers()
    found = {OURS: each_of(lambda pair: verify(pair_of(*pair), thresholds), pairs)}
    return found | {name: beside(alike) for name, alike in peers.items()}


def look_up(texts: Texts, rules: Rules, indexes: Mapping[str, str], count: int) -> dict[str, Any]:
    known = [each.fingerprint for each in texts.contents if each.fingerprint is not None]
    indexed = crowd(count, 1)
    # Half of them have somebody near, half are as new articles are.
    drawn = np.random.default_rng(2)
    near = indexed[drawn.integers(0, count, ASKED // 2)] ^ np.uint64(1 << 17 | 1 << 40)
    wanted = np.concatenate([near, np.array(known[: ASKED - len(near)], dtype=np.uint64)])
    contestants: dict[str, Units] = {}
    answers: dict[str, int] = {}
    for name, url in indexes.items():
        store = open_store(url)
        store.ensure_tables(TABLES)
        begin = time.perf_counter()
        file = url.partition(":")[2]
        load_cells = into_sqlite(store, Path(file)) if name == "SQLite" else through(store)
        load_cells(BANDS, band_cells(rules, indexed))
        print(f"{count:,} in {name} in {time.perf_counter() - begin:.0f} s", flush=True)
        contestants[f"{OURS}, {name}"] = asking(ours(store, rules), wanted, answers, name)
    for name, search in stagepeers.lookups(indexed).items():
        contestants[name] = asking(search, wanted, answers, name)
    told = compare(contestants)
    # Ours names itself too, whether or not it is indexed.
    told["found"] = answers
    return told


def ours(store: Store, rules: Rules) -> Callable[[Fingerprints], int]:
    index = Index(store, rules)

    def search(wanted: Fingerprints) -> int:
        keys = [Key("", Tier.SIMHASH, value) for value in wanted.tolist()]
        return sum(map(len, index.near(keys).values())) - len(keys)

    return search


def asking(
    search: Callable[[Fingerprints], int], wanted: Fingerprints, answers: dict[str, int], name: str
) -> Units:
    def turn() -> int:
        answers[name] = search(wanted)
        return len(wanted)

    return turn


if __name__ == "__main__":
    sys.exit(main())
