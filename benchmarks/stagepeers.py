"""Other implementations of single stages, behind functions of the same shape as ours.

Importing this module wants them installed; see requirements.txt.
"""

import importlib.util
import logging
import re
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import faiss
import jieba
import numpy as np
import rjieba
from datasketch import MinHash
from numpy.typing import NDArray
from rapidfuzz import fuzz
from rensa import RMinHash
from simhash import Simhash, SimhashIndex

PERMUTATIONS = 128
RADIUS = 3
_GRAM = 5

Words = Sequence[str]


def segmenters() -> dict[str, Callable[[str], Words]]:
    jieba.setLogLevel(60)
    jieba.initialize()
    return {"jieba": jieba.lcut, "rjieba": rjieba.cut}


def simhashes() -> dict[str, Callable[[dict[str, int]], int]]:
    """By features and their weights; simhash-pybind takes no weights, so it has less to do."""
    found: dict[str, Callable[[dict[str, int]], int]] = {
        "simhash": lambda features: int(Simhash(features).value)
    }
    compiled = _beside("simhash")
    if compiled is not None:
        found["simhash-pybind, unweighted"] = lambda features: int(
            compiled.compute([compiled.unsigned_hash(each.encode()) for each in features])
        )
    return found


def sketches() -> dict[str, Callable[[Words], Any]]:
    """Sketches of the set of a text's word bigrams."""

    def minhash(words: Words) -> Any:
        made = MinHash(num_perm=PERMUTATIONS)
        made.update_batch([each.encode() for each in bigrams(words)])
        return made

    def rminhash(words: Words) -> Any:
        made = RMinHash(num_perm=PERMUTATIONS, seed=42)
        made.update(bigrams(words))
        return made

    return {"datasketch MinHash": minhash, "rensa RMinHash": rminhash}


def bigrams(words: Words) -> list[str]:
    return [f"{one} {other}" for one, other in pairwise(words)]


def lookups(
    fingerprints: NDArray[np.uint64],
) -> dict[str, Callable[[NDArray[np.uint64]], int]]:
    """Searches for fingerprints within 3 bits; each gives the number of those found."""
    # It warns of every large bucket at every look-up.
    logging.getLogger("simhash").setLevel(logging.ERROR)
    index = SimhashIndex([], k=RADIUS)
    for number, value in enumerate(fingerprints.tolist()):
        index.add(str(number), Simhash(value))
    octets = fingerprints.view(np.uint8).reshape(-1, 8)
    hashed = faiss.IndexBinaryMultiHash(64, RADIUS + 1, 64 // (RADIUS + 1))
    hashed.add(octets)

    def by_faiss(wanted: NDArray[np.uint64]) -> int:
        # Within the radius is what is nearer than one more.
        limits, _, _ = hashed.range_search(wanted.view(np.uint8).reshape(-1, 8), RADIUS + 1)
        return int(limits[-1])

    return {
        "SimhashIndex": lambda wanted: sum(
            len(index.get_near_dups(Simhash(value))) for value in wanted.tolist()
        ),
        "faiss IndexBinaryMultiHash": by_faiss,
    }


def verifiers() -> dict[str, Callable[[str, str], float]]:
    """How alike two texts are; Jaccard of 5-grams is how text-dedup checks what it found."""

    def jaccard(one: str, other: str) -> float:
        mine, theirs = grams(one), grams(other)
        return len(mine & theirs) / len(mine | theirs) if mine or theirs else 1

    return {
        "Jaccard of 5-grams": jaccard,
        "rapidfuzz ratio": lambda one, other: fuzz.ratio(one, other) / 100,
    }


def grams(text: str) -> set[str]:
    joined = "".join(re.findall(r"\w+", text))
    return {joined[n : n + _GRAM] for n in range(max(len(joined) - _GRAM + 1, 1))}


def _beside(package: str) -> Any:
    """Load a package that cannot be installed, since another one has its name."""
    place = Path(sys.prefix) / "peers" / package
    if not place.exists():
        return None
    name = f"{package}_beside"
    spec = importlib.util.spec_from_file_location(
        name, place / "__init__.py", submodule_search_locations=[str(place)]
    )
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
