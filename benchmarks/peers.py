"""Other tools for near-duplicates, each with usual features and with some that suit Chinese.

Importing this module wants them installed.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jieba.analyse
import rjieba
from datasketch import MinHash
from rensa import RMinHash
from simhash import Simhash

from streaming.text.tables import read_stop_words

PERMUTATIONS = 128
STOP_WORDS = read_stop_words(None)

Features = Callable[[str], list[str]]
Sketch = Callable[[str], Any]


@dataclass(frozen=True)
class Peer:
    """A tool with one set of features; `default` is the least likeness that is usual for it."""

    name: str
    sketch: Sketch
    alike: Callable[[Any, Any], float]
    default: float


def peers() -> list[Peer]:
    jieba.setLogLevel(60)
    return [
        Peer("simhash, 3 characters", lambda t: Simhash(characters(t, 3)), bits, -3),
        Peer("simhash, words without stop words", telling, bits, -3),
        Peer("simhash, words weighed by TF-IDF", weighed, bits, -3),
        Peer("datasketch MinHash, words", minhash(words), jaccard, 0.5),
        Peer("datasketch MinHash, 5 characters", minhash(fives), jaccard, 0.5),
        Peer("rensa RMinHash, words", rminhash(words), jaccard, 0.8),
        Peer("rensa RMinHash, 5 characters", rminhash(fives), jaccard, 0.8),
    ]


def characters(text: str, size: int) -> list[str]:
    joined = "".join(re.findall(r"\w+", text.lower()))
    return [joined[n : n + size] for n in range(max(len(joined) - size + 1, 1))]


def fives(text: str) -> list[str]:
    return characters(text, 5)


def words(text: str) -> list[str]:
    return [word for word in rjieba.cut(text) if re.search(r"\w", word)]


def telling(text: str) -> Any:
    return Simhash([word for word in words(text) if word not in STOP_WORDS])


def weighed(text: str) -> Any:
    return Simhash(dict(jieba.analyse.extract_tags(text, topK=None, withWeight=True)))


def minhash(features: Features) -> Sketch:
    def sketch(text: str) -> Any:
        made = MinHash(num_perm=PERMUTATIONS)
        made.update_batch([each.encode() for each in set(features(text))])
        return made

    return sketch


def rminhash(features: Features) -> Sketch:
    def sketch(text: str) -> Any:
        made = RMinHash(num_perm=PERMUTATIONS, seed=42)
        made.update(features(text))
        return made

    return sketch


def bits(one: Any, other: Any) -> float:
    return -float(one.distance(other))


def jaccard(one: Any, other: Any) -> float:
    return float(one.jaccard(other))
