"""`leitong plan` against what it foretells: real fingerprints, and 10^8 that crowd like them.

Three streams of real articles: two in the order in which they were published, and one shuffled
from two corpora, where copies are as far apart as anything. Of each, the mean number of
fingerprints that the bands of an article give among the N before it is counted exactly, and
set beside what the model says that measured all of it, and beside what it says that saw the
first 4 000 only. Then a crowd is drawn that is fitted to the profile of the package, of
which the model sees 36 000, and has to foretell 10^8.

LEITONG_CORPORA names the folder of the corpora; without one, simulated articles take their place.

    python benchmarks/plan.py [--quick]
"""

import argparse
import resource
import sys
import time
from collections.abc import Iterable, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numba import types

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import versions, write
from streaming.compiled import array, compiled
from streaming.engine.events import LoggedContent
from streaming.enrichment import Enricher
from streaming.filelog import LogRecord
from streaming.fingerprints.bands import BandScheme
from streaming.fingerprints.hashing import ODD
from streaming.offline import crowd
from streaming.offline.crowding import Estimate, Values, measure
from streaming.offline.plan import SCHEMES, label_of
from streaming.offline.plan_profile import default_profile
from streaming.settings import load
from tests.newsfeed import CORPORA, Message, corpus, simulated

SIZES = (1_000, 2_000, 4_000, 8_000, 11_000, 18_000, 24_000, 30_000, 36_000)
SEEN, SAMPLE = 4_000, 36_000
FEWEST_MATCHES = 30
"""A curve that counted fewer tells nothing."""
WITHIN = 1.5
QUERIES = 10_000
CHUNK = 4_000_000
FILTER_BITS = 18
LARGE = {"10^9": 10**9, "2^37": 2**37, "10^11": 10**11}
_SHIFT = np.uint64(64 - FILTER_BITS)
_3, _7 = np.uint64(3), np.uint64(7)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one stream, and a crowd of 10^6")
    arguments = parser.parse_args()
    told: dict[str, Any] = {"versions": versions("numpy", "numba")}
    told["streams"] = {
        name: against_real(name, values) for name, values in streams(quick=arguments.quick)
    }
    size = 10**6 if arguments.quick else 10**8
    told["monte_carlo"] = against_crowd(size)
    told["projections"] = projections()
    told["peak_memory_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    outside = [line for part in (*told["streams"].values(), told["monte_carlo"])
               for line in part["outside"]]  # fmt: skip
    for line in outside:
        print(f"not within {WITHIN} x: {line}")
    write("plan", told)
    return bool(outside)


def streams(*, quick: bool) -> Iterable[tuple[str, Values]]:
    if not (CORPORA / "chinanews_2023.jsonl.gz").exists():
        yield "simulated, in order", fingerprints(simulated(8_000))
        return
    agency = fingerprints(corpus("chinanews_2023"))
    yield "agency, in order", agency
    if quick:
        return
    yield "broadcasts, in order", fingerprints(corpus("xinwenlianbo_to_2024"))
    both = np.concatenate([agency, fingerprints(corpus("sogouc_reduced"))])
    yield "agency and portal, shuffled", np.random.default_rng(1).permutation(both)


def fingerprints(messages: Iterable[Message]) -> Values:
    enricher, found, feed = Enricher(load(environment={}).settings), [], iter(messages)
    while chunk := list(islice(feed, 500)):
        records = [LogRecord("articles", 0, 0, 0, None, each.value, ()) for each in chunk]
        answers = enricher.enrich(records)
        contents = [each.content for each in answers if isinstance(each, LoggedContent)]
        found += [each.fingerprint for each in contents if each and each.fingerprint is not None]
    return np.array(found, dtype=np.uint64)


def against_real(name: str, values: Values) -> dict[str, Any]:
    _, firsts = np.unique(values, return_index=True)
    values = values[np.sort(firsts)]
    whole, seen = measure(values), measure(values[:SEEN])
    sizes = [size for size in SIZES if size <= len(values)]
    told: dict[str, Any] = {"fingerprints": len(values), "outside": [], "schemes": {}}
    for scheme in SCHEMES:
        rows = []
        for size, (counted, matches) in zip(sizes, curve(values, scheme, sizes), strict=True):
            row: dict[str, Any] = {"size": size, "counted": counted, "matches": matches}
            for model, crowding in (("whole", whole), ("first_4000", seen)):
                expected = crowding.candidates(scheme, size)
                row[model] = {
                    "expected": expected.mean,
                    "low": expected.low,
                    "high": expected.high,
                    "ratio": expected.mean / counted if counted else None,
                }
                foretold = model == "whole" or size > SEEN
                if (
                    foretold
                    and matches >= FEWEST_MATCHES
                    and (verdict := judged(expected, counted))
                ):
                    told["outside"].append(
                        f"{name}, {label_of(scheme)}, {size:,} fingerprints, model of {model}:"
                        f" {verdict}"
                    )
            rows.append(row)
            print(
                f"{name}, {label_of(scheme)}, {size:,}: counted {counted:.4g} ({matches} pairs);"
                f" expected {row['whole']['expected']:.4g},"
                f" by the first {SEEN:,} {row['first_4000']['expected']:.4g}",
                flush=True,
            )
        told["schemes"][label_of(scheme)] = rows
    return told


def judged(expected: Estimate, counted: float) -> str | None:
    """Say how far the model is off; None if it is as near as it should be."""
    if counted / WITHIN <= expected.mean <= counted * WITHIN:
        return None
    inside = expected.low <= counted <= expected.high
    return (
        f"{expected.mean:.3g} expected ({expected.low:.3g} to {expected.high:.3g}),"
        f" {counted:.3g} counted, {'within' if inside else 'outside'} the interval"
    )


def curve(values: Values, scheme: BandScheme, sizes: Sequence[int]) -> Iterable[tuple[float, int]]:
    """Mean number of bands shared with the ``size`` fingerprints before, and pairs counted.

    A pair that lies ``lag`` apart stands for one article in all that have one so far before.
    """
    found = []
    for band in scheme.values(values):
        order = np.argsort(band, kind="stable")
        ordered = band[order]
        step = 1
        while (same := ordered[step:] == ordered[:-step]).any():
            found.append((order[step:] - order[:-step])[same])
            step += 1
    lags = np.concatenate([np.zeros(0, np.int64), *found])
    for size in sizes:
        near = lags[lags <= size]
        yield float((1 / (len(values) - near)).sum()), len(near)


def against_crowd(size: int) -> dict[str, Any]:
    profile = default_profile()
    made = crowd.fit(profile.crowding["newsroom"])
    asked = made.draw(QUERIES, seed=2)
    seen = measure(made.draw(SAMPLE, seed=3))
    begin = time.perf_counter()
    counted = shared_bands(made, asked, size)
    told: dict[str, Any] = {
        "size": size,
        "queries": QUERIES,
        "seconds": round(time.perf_counter() - begin, 1),
        "outside": [],
        "schemes": {},
    }
    for scheme, matches in zip(SCHEMES, counted, strict=True):
        mean = matches / QUERIES
        row: dict[str, Any] = {"counted": mean, "matches": matches}
        for model, crowding in (
            ("profile", profile.crowding["newsroom"]),
            ("sample_of_36000", seen),
        ):
            expected = crowding.rate(scheme).times(size)
            ratio = expected.mean / mean if mean else None
            row[model] = {
                "expected": expected.mean,
                "low": expected.low,
                "high": expected.high,
                "ratio": ratio,
            }
            if matches >= FEWEST_MATCHES and (verdict := judged(expected, mean)):
                told["outside"].append(
                    f"crowd of {size:,}, {label_of(scheme)}, model of {model}: {verdict}"
                )
        told["schemes"][label_of(scheme)] = row
        print(
            f"crowd of {size:,}, {label_of(scheme)}: counted {mean:.4g} per query; expected"
            f" {row['profile']['expected']:.4g} by the profile it is fitted to,"
            f" {row['sample_of_36000']['expected']:.4g} by {SAMPLE:,} of it",
            flush=True,
        )
    print(f"crowd of {size:,}: {told['seconds']} s for {QUERIES:,} queries in all schemes")
    return told


def shared_bands(made: crowd.Crowd, asked: Values, size: int) -> list[int]:
    """Count the bands that ``size`` fingerprints share with those asked for, per scheme."""
    bands = [band for scheme in SCHEMES for band in scheme.band_places()]
    masks = np.array([sum(1 << place for place in band) for band in bands], dtype=np.uint64)
    keys = np.sort(asked[None, :] & masks[:, None], axis=1)
    filters = np.zeros((len(masks), (1 << FILTER_BITS) // 8), dtype=np.uint8)
    for number, own in enumerate(keys):
        hashed = (own * ODD) >> _SHIFT
        np.bitwise_or.at(filters[number], (hashed >> _3).astype(np.int64),
                         (1 << (hashed & _7).astype(np.int64)).astype(np.uint8))  # fmt: skip
    counts = np.zeros(len(masks), np.int64)
    for start in range(0, size, CHUNK):
        count_shared(made.draw(min(CHUNK, size - start), start), masks, keys, filters, counts)
    places = np.cumsum([0, *(scheme.bands for scheme in SCHEMES)])
    return [int(counts[low:high].sum()) for low, high in pairwise(places)]


@compiled(
    types.void,
    array(np.uint64),
    array(np.uint64),
    array(np.uint64, 2),
    array(np.uint8, 2),
    array(np.int64, written=True),
)
def count_shared(values: Any, masks: Any, keys: Any, filters: Any, counts: Any) -> None:
    """Add to ``counts`` how many queries have each value's bits of each band."""
    for band in range(len(masks)):
        own = keys[band]
        for value in values:
            key = value & masks[band]
            hashed = (key * ODD) >> _SHIFT
            if filters[band, types.int64(hashed >> _3)] >> (hashed & _7) & 1:
                place = np.searchsorted(own, key)
                while place < len(own) and own[place] == key:
                    counts[band] += 1
                    place += 1


def projections() -> dict[str, Any]:
    profile = default_profile()
    told: dict[str, Any] = {"figures": profile.origin}
    for label, size in LARGE.items():
        told[label] = {}
        for scheme in SCHEMES:
            row = {}
            for scope, crowding in profile.crowding.items():
                found = crowding.candidates(scheme, size)
                strangers = crowding.candidates(scheme, size, beyond=3)
                row[scope] = {
                    "candidates": found.mean,
                    "low": found.low,
                    "high": found.high,
                    "strangers": strangers.mean,
                    "uniform": size * sum(2.0**-bits for bits in scheme.band_bits()),
                }
            told[label][label_of(scheme)] = row
            told_of = row["newsroom"]
            print(
                f"{label}, {label_of(scheme)}: {told_of['candidates']:,.0f} candidates"
                f" ({told_of['low']:,.0f} to {told_of['high']:,.0f}),"
                f" {told_of['strangers']:,.0f} of them strangers;"
                f" uniform bits would say {told_of['uniform']:,.0f}"
            )
    return told


if __name__ == "__main__":
    sys.exit(main())
