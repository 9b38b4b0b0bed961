"""What projects of this kind say of their speed, done again beside ours, all in one run.

They say: a million Hamming comparisons take 100 ms, ten million 300 ms; copies are told by the
edit distance of two titles or texts; and a look-up among 2^37 documents takes 33.55 million
comparisons. Each is done in plain Python as they do it, in numpy, and with what Leitong
uses, in turns; seconds are of the processor. For the look-up, how many comparisons there
are comes from the measured crowding of real fingerprints and from a Monte Carlo.

Edit distance has nothing in Leitong that gives the same number: verification compares hashes of
word bigrams that are stored with both texts. Its time is that of the whole verdict on a pair.

    python benchmarks/claims.py [--repetitions N] [--quick]
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import spread, versions, write
from benchmarks.plan import QUERIES, shared_bands
from streaming.fingerprints.bands import hamming_many
from streaming.matching.evidence import Pair
from streaming.matching.verification import DEFAULT_THRESHOLDS, verify
from streaming.offline import crowd
from streaming.offline.crowding import Values
from streaming.offline.plan import SCHEMES, label_of
from streaming.offline.plan_costs import default_costs
from streaming.offline.plan_profile import default_profile
from streaming.settings import load
from streaming.text.pipeline import TextPipeline

DOCUMENTS = 2**37
CLAIMED = {"1 M Hamming comparisons": 100, "10 M Hamming comparisons": 300}
CLAIMED_COMPARISONS = 33_550_000
MILLION = 1_000_000
TITLE, TEXT = 24, 900
EDITED = 0.05
PAIRS = 200

Contestants = dict[str, Callable[[], Any]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a Monte Carlo of 10^6")
    arguments = parser.parse_args()
    profile = default_profile()
    made = crowd.fit(profile.crowding["newsroom"])
    told: dict[str, Any] = {"versions": versions("numpy", "numba")}
    values = made.draw(10 * MILLION)
    for count, name in zip((MILLION, 10 * MILLION), CLAIMED, strict=True):
        told[name] = {"claimed_ms": CLAIMED[name]} | in_turns(
            name, comparisons(values, count), arguments.repetitions
        )
    for name, length in (("edit distance of titles", TITLE), ("edit distance of texts", TEXT)):
        told[name] = in_turns(name, distances(length), arguments.repetitions)
    told["look-up in 2^37"] = look_ups(
        made, values, 10**6 if arguments.quick else 10**8, arguments.repetitions
    )
    write("claims", told)
    return 0


def in_turns(name: str, contestants: Contestants, repetitions: int) -> dict[str, Any]:
    """Time each once per round; milliseconds."""
    times: dict[str, list[float]] = {who: [] for who in contestants}
    for _ in range(repetitions):
        for who, work in contestants.items():
            begin = time.process_time()
            work()
            times[who].append((time.process_time() - begin) * 1000)
    told = {who: spread(each) for who, each in times.items()}
    for who, each in told.items():
        print(f"{name}, {who}: {each['median']:.4g} ms ({each['least']:.4g} to {each['most']:.4g})")
    return told


def comparisons(values: Values, count: int) -> Contestants:
    """Compare one fingerprint with so many."""
    one, others = int(values[0]), values[:count]
    # Ten times the same million: as many objects of Python would fill the memory.
    listed, times = others[:MILLION].tolist(), count // MILLION
    table = np.array([value.bit_count() for value in range(1 << 16)], dtype=np.uint8)

    def by_text() -> None:
        for _ in range(times):
            for other in listed:
                bin(one ^ other).count("1")  # noqa: FURB161 - as they do it

    def by_integers() -> None:
        for _ in range(times):
            for other in listed:
                (one ^ other).bit_count()

    return {
        "python, bin().count": by_text,
        "python, bit_count": by_integers,
        "numpy, table of 16 bits": lambda: table[
            (np.uint64(one) ^ others).view(np.uint16).reshape(-1, 4)
        ].sum(1, dtype=np.uint8),
        "leitong": lambda: hamming_many(one, others),
    }


def distances(length: int) -> Contestants:
    """Compare two texts of this length, one of which was edited."""
    one, other = texts(length)
    pipeline = TextPipeline(load(environment={}).settings.text)
    stored = [each.evidence for each in pipeline.analyse([(one, "", ""), (other, "", "")])]

    def verified() -> None:
        for _ in range(PAIRS):
            verify(Pair(stored[0], stored[1]), DEFAULT_THRESHOLDS)

    return {
        "python": lambda: levenshtein(one, other),
        "numpy": lambda: levenshtein_by_rows(one, other),
        f"leitong, {PAIRS} pairs verified": verified,
    }


def texts(length: int) -> tuple[str, str]:
    draw = np.random.default_rng(1)
    characters = [chr(code) for code in range(0x4E00, 0x4E00 + 3_000)]
    one = draw.choice(characters, length)
    other = np.where(draw.random(length) < EDITED, draw.choice(characters, length), one)
    return "".join(one), "".join(other)


def levenshtein(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for place, mine in enumerate(one, 1):
        previous, row[0] = row[0], place
        for at, theirs in enumerate(other, 1):
            previous, row[at] = (
                row[at],
                min(row[at] + 1, row[at - 1] + 1, previous + (mine != theirs)),
            )
    return row[-1]


def levenshtein_by_rows(one: str, other: str) -> int:
    """The same, a row at a time: insertions are a running minimum."""
    codes = np.array([ord(each) for each in other])
    steps = np.arange(len(other) + 1)
    row = steps.copy()
    for mine in one:
        changed = np.concatenate(
            [[row[0] + 1], np.minimum(row[1:] + 1, row[:-1] + (codes != ord(mine)))]
        )
        row = np.minimum.accumulate(changed - steps) + steps
    return int(row[-1])


def look_ups(made: crowd.Crowd, values: Values, size: int, repetitions: int) -> dict[str, Any]:
    """How many fingerprints one look-up gives, and how long it takes to compare them."""
    crowding = default_profile().crowding["newsroom"]
    counted = shared_bands(made, made.draw(QUERIES, seed=2), size)
    price = default_costs("hbase").read
    told: dict[str, Any] = {"claimed_comparisons": CLAIMED_COMPARISONS, "monte_carlo": size}
    told["as claimed"] = in_turns(
        f"{CLAIMED_COMPARISONS:,} comparisons", scanned(values, CLAIMED_COMPARISONS), repetitions
    )
    for scheme, matches in zip(SCHEMES, counted, strict=True):
        expected = crowding.candidates(scheme, DOCUMENTS)
        by_crowd = matches / QUERIES / size * DOCUMENTS
        label = label_of(scheme)
        print(
            f"look-up in 2^37, {label}: {expected.mean:,.0f} candidates by the plan"
            f" ({expected.low:,.0f} to {expected.high:,.0f}), {by_crowd:,.0f} by Monte Carlo"
        )
        told[label] = {
            "candidates": {
                "plan": expected.mean,
                "low": expected.low,
                "high": expected.high,
                "monte_carlo": by_crowd,
                "uniform": DOCUMENTS * sum(2.0**-bits for bits in scheme.band_bits()),
            },
            "compared_ms": in_turns(
                f"look-up in 2^37, {label}, compared",
                scanned(values, round(expected.mean)),
                repetitions,
            ),
            "read_from_hbase_ms": price.of(scheme.bands, expected.mean) / 1000,
        }
        print(
            f"look-up in 2^37, {label}: {told[label]['read_from_hbase_ms']:,.0f} ms to read them"
            " from HBase, at the measured price of a cell"
        )
    return told


def scanned(values: Values, count: int) -> Contestants:
    """Compare one fingerprint with so many, a part at a time if there are more than are here."""
    one = int(values[0])
    parts = [len(values)] * (count // len(values)) + [count % len(values)]
    listed = values[:MILLION].tolist()

    def plain() -> None:
        left = count
        while left > 0:
            for other in listed[:left]:
                (one ^ other).bit_count()
            left -= len(listed)

    def ours() -> None:
        for part in parts:
            hamming_many(one, values[:part])

    return {"python, bit_count": plain, "leitong": ours}


if __name__ == "__main__":
    sys.exit(main())
