"""The decision core beside what tutorials build: articles a second on one core, and where it goes.

Both take the same articles in turns, a batch at a time, in one process without Spark: ours
segments, fingerprints, puts into SQLite and judges; the tutorials' is `jieba.cut`, `Simhash`
of all words, and a look-up in a `SimhashIndex`. Times are of the processor, so a busy machine
does no harm to the comparison. LEITONG_CORPORA names the folder of the corpora; without one,
simulated articles take their place.

    python benchmarks/core.py [--articles N] [--batch N]
"""

import argparse
import json
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jieba
import orjson
from simhash import Simhash, SimhashIndex

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import spread, times, versions, write
from streaming import collecting
from streaming.engine.events import Logged, by_article
from streaming.engine.judge import judge
from streaming.engine.put import put
from streaming.enrichment import Enricher
from streaming.filelog import LogRecord
from streaming.reasons import Rejected
from streaming.settings import load
from streaming.store.tables import tables
from streaming.store.urls import open_store
from tests.newsfeed import messages

RADIUS = 3
LIBRARIES = ("jieba", "simhash", "numba", "numpy")

Batch = Sequence[LogRecord]


class Ours:
    """The decision core over SQLite, and the seconds of each of its stages."""

    def __init__(self, directory: Path, name: str, *, shingles: bool) -> None:
        told = [
            ("store.url", f"sqlite:{directory}/{name}.db", "benchmark"),
            ("matching.shingles", str(shingles).lower(), "benchmark"),
        ]
        settings = load(overrides=told, environment={}).settings
        self.store = open_store(settings.store.url, "")
        self.store.ensure_tables(tables(0))
        self.enricher, self.rules = Enricher(settings), settings.matching.rules()
        self.stages: dict[str, float] = dict.fromkeys(("enrich", "put", "judge"), 0.0)
        self.flagged = 0
        self._batches = 0
        collecting.seldom()

    def take(self, batch: Batch) -> None:
        enriched = self._timed("enrich", lambda: self.enricher.enrich(batch))
        logged: list[Logged] = [each for each in enriched if not isinstance(each, Rejected)]
        self._timed("put", lambda: put(self.store, self.rules, logged))
        self._batches += 1
        token, mark = self._batches.to_bytes(8), b"\0"
        events = by_article(logged)
        judged = self._timed("judge", lambda: judge(self.store, self.rules, events, token, mark))
        self.flagged += sum(
            each.verdict.duplicate_of is not None for each in judged if each.verdict
        )

    def _timed(self, stage: str, work: Callable[[], Any]) -> Any:
        begin = time.process_time()
        answer = work()
        self.stages[stage] += time.process_time() - begin
        return answer


class Tutorials:
    """jieba, simhash and its index."""

    def __init__(self) -> None:
        logging.getLogger("simhash").setLevel(logging.ERROR)
        jieba.setLogLevel(logging.ERROR)
        jieba.initialize()
        self.index = SimhashIndex([], k=RADIUS)
        self.flagged = 0

    def take(self, batch: Batch) -> None:
        for record in batch:
            event = orjson.loads(record.value or b"{}")
            fingerprint = Simhash(list(jieba.cut(f"{event['title']}\n{event['body']}")))
            self.flagged += bool(self.index.get_near_dups(fingerprint))
            self.index.add(str(record.offset), fingerprint)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--articles", type=int, default=6_000)
    parser.add_argument("--batch", type=int, default=500)
    arguments = parser.parse_args()
    feed = messages(arguments.articles)
    records = [
        LogRecord("articles", 0, number, 1_700_000_000_000 + number, None, message.value, ())
        for number, message in enumerate(feed)
    ]
    batches = [records[at : at + arguments.batch] for at in range(0, len(records), arguments.batch)]
    with tempfile.TemporaryDirectory(prefix="leitong-bench-") as directory:
        both = Ours(Path(directory), "both", shingles=True)
        alone = Ours(Path(directory), "alone", shingles=False)
        contestants = compare(both, alone, Tutorials(), batches)
    lengths = [len(orjson.loads(message.value)["body"]) for message in feed]
    told = {
        "articles": len(records),
        "mean_characters": statistics.mean(lengths),
        "batch": arguments.batch,
        "contestants": contestants,
        "versions": versions(*LIBRARIES),
    }
    write("core", told)
    return 0


def compare(
    both: Ours, alone: Ours, tutorials: Tutorials, batches: Sequence[Batch]
) -> dict[str, Any]:
    contestants: dict[str, Ours | Tutorials] = {
        "both tiers": both,
        "SimHash alone": alone,
        "tutorials": tutorials,
    }
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    for number, batch in enumerate(batches):
        for name, contestant in contestants.items():
            begin = time.process_time()
            contestant.take(batch)
            # The first batch loads dictionaries, which none is asked to do again.
            if number:
                rates[name].append(len(batch) / (time.process_time() - begin))
            elif isinstance(contestant, Ours):
                contestant.stages = dict.fromkeys(contestant.stages, 0.0)
    told: dict[str, Any] = {}
    for name, contestant in contestants.items():
        told[name] = {
            "per_processor_second": spread(rates[name]),
            "times_the_tutorials": times(rates[name], rates["tutorials"]),
            "flagged": contestant.flagged,
        }
        if isinstance(contestant, Ours):
            total = sum(contestant.stages.values())
            told[name]["share"] = {k: round(v / total, 3) for k, v in contestant.stages.items()}
        print(name, json.dumps(told[name]), flush=True)
    return told


if __name__ == "__main__":
    sys.exit(main())
