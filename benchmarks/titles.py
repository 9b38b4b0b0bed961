"""Catalogues of made-up titles: words of the dictionary by Zipf's law, brands, model names.

Nobody ever wrote one of them; a seed gives the same ones everywhere.
"""

import random
from bisect import bisect
from collections.abc import Iterator, Sequence
from importlib.resources import files
from itertools import accumulate
from pathlib import Path

import orjson

_TAGS = frozenset({"n", "nz", "v", "vn", "a"})
_LENGTHS = range(2, 5)
_LEAST_FREQUENCY = 20
_WORDS_OF_CATEGORY = 6_000
_FLATTENING = 10.0
"""Weight of a word is 1 / (rank + this), as Zipf and Mandelbrot have it."""
_BRANDS_MEAN = 40
_EDITED = 0.3
"""Share of right titles that are edited copies of left ones."""
_RENUMBERED = 0.2

Pair = tuple[list[str], list[str]]


class TitleMill:
    """Makes the titles of one category after the other, left and right."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._words = _dictionary()
        weights = (1 / (rank + _FLATTENING) for rank in range(_WORDS_OF_CATEGORY))
        self._shares = list(accumulate(weights))
        syllables = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
        self._brands = sorted({a + b for a in syllables for b in syllables})[::7]

    def categories(self, sizes: Sequence[int]) -> Iterator[Pair]:
        for size in sizes:
            # Every category prefers words of its own.
            words = self._random.sample(self._words, _WORDS_OF_CATEGORY)
            left = [self._title(words) for _ in range(size)]
            copied = self._random.sample(range(size), int(_EDITED * size))
            right = [self._edited(left[number], words) for number in copied]
            right += [self._title(words) for _ in range(size - len(copied))]
            yield [" ".join(title) for title in left], [" ".join(title) for title in right]

    def _word(self, words: Sequence[str]) -> str:
        return words[bisect(self._shares, self._random.random() * self._shares[-1])]

    def _title(self, words: Sequence[str]) -> list[str]:
        rank = int(self._random.expovariate(1 / _BRANDS_MEAN))
        brand = self._brands[min(len(self._brands) - 1, rank)]
        rest = [self._word(words) for _ in range(self._random.randint(5, 10))]
        return [brand, f"{brand[:2].upper()}{self._random.randint(1, 98)}", *rest]

    def _edited(self, title: list[str], words: Sequence[str]) -> list[str]:
        edited = list(title)
        for _ in range(self._random.randint(0, 2)):
            edited[self._random.randrange(2, len(edited))] = self._word(words)
        if self._random.random() < _RENUMBERED:
            edited[1] = f"{edited[1][:2]}{self._random.randint(1, 98)}"
        return edited


def skewed(titles: int, categories: int, share: float) -> list[int]:
    """Give sizes of categories the first of which has a share of all titles."""
    first = int(share * titles)
    return [first, *even(titles - first, categories - 1)]


def even(titles: int, categories: int) -> list[int]:
    """Give sizes that differ by one at most."""
    return [titles // categories + (n < titles % categories) for n in range(categories)]


def write_catalogues(directory: Path, seed: int, sizes: Sequence[int]) -> tuple[Path, Path]:
    """Write both catalogues as JSON lines, shuffled."""
    rows: tuple[list[bytes], list[bytes]] = ([], [])
    for number, pair in enumerate(TitleMill(seed).categories(sizes)):
        for lines, side, titles in zip(rows, "lr", pair, strict=True):
            for title in titles:
                line = {"id": f"{side}{len(lines)}", "category": f"c{number}", "title": title}
                lines.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    paths = directory / "left.jsonl", directory / "right.jsonl"
    for path, lines in zip(paths, rows, strict=True):
        random.Random(seed).shuffle(lines)
        path.write_bytes(b"".join(lines))
    return paths


def _dictionary() -> list[str]:
    text = files("jieba").joinpath("dict.txt").read_text(encoding="utf-8")
    found = []
    for line in text.splitlines():
        word, frequency, tag = line.split()
        usable = tag in _TAGS and len(word) in _LENGTHS and int(frequency) >= _LEAST_FREQUENCY
        if usable:
            found.append(word)
    return sorted(found)
