"""The verdicts of a whole corpus, without a query: keys in memory, the rules as they are.

Every article is judged against those before it, as the index would show them: the earliest
of its window under each key. It is for measuring, and holds everything in memory.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from streaming.fingerprints.bands import hamming
from streaming.matching.content import Content, Key, Tier
from streaming.matching.rules import Rules
from streaming.matching.verdict import Candidate, Verdict, decide
from streaming.offline.corpus import Article
from streaming.position import Position, at, timestamp_ms

_Carriers = list[tuple[bytes, str]]
_NO_KEYS: frozenset[Key] = frozenset()


@dataclass(frozen=True, slots=True)
class Judged:
    """A live article with its verdict, and whom it was compared with."""

    article: Article
    content: Content
    verdict: Verdict
    candidates: frozenset[str]


def judge_all(articles: Iterable[Article], rules: Rules) -> Iterator[Judged]:
    """Judge articles, which come in the order of their ``first``; yields the live ones."""
    index = _Index(rules)
    known: dict[str, tuple[Article, frozenset[Key]]] = {}
    for article in articles:
        if article.content is not None:
            candidates = list(_candidates(article, article.content, index, known, rules))
            verdict = decide(article.content, candidates, rules)
            names = frozenset(candidate.article for candidate in candidates)
            yield Judged(article, article.content, verdict, names)
        known[article.name] = article, article.content.keys(rules) if article.content else _NO_KEYS
        # An edit takes no slot from an article that came later: every key ever carried counts.
        index.add(article, frozenset().union(*(each.keys(rules) for each in article.versions)))


def _candidates(
    article: Article,
    content: Content,
    index: "_Index",
    known: Mapping[str, tuple[Article, frozenset[Key]]],
    rules: Rules,
) -> Iterator[Candidate]:
    seen: set[str] = set()
    for own in content.keys(rules):
        for key in index.near(own):
            for name in index.visible(key, article.first):
                other, carried = known[name]
                if name not in seen and other.content is not None and key in carried:
                    seen.add(name)
                    yield Candidate(name, other.first, other.content)


class _Index:
    """Which articles carry a key, in order, and which fingerprints are near one."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._carriers: dict[Key, _Carriers] = defaultdict(list)
        self._bands: dict[tuple[str, bytes], list[Key]] = defaultdict(list)

    def add(self, article: Article, keys: Iterable[Key]) -> None:
        """Add an article that comes after all that are there."""
        for key in keys:
            carriers = self._carriers[key]
            if not carriers and key.tier is Tier.SIMHASH:
                for band in self._rules.bands.keys(key.value):
                    self._bands[key.scope, band].append(key)
            carriers.append((article.first, article.name))

    def near(self, key: Key) -> Iterable[Key]:
        """Give the carried keys that a look-up under this one finds."""
        if key.tier is not Tier.SIMHASH:
            return (key,)
        return {
            other
            for band in self._rules.bands.keys(key.value)
            for other in self._bands.get((key.scope, band), ())
            if hamming(key.value, other.value) <= self._rules.k
        }

    def visible(self, key: Key, first: Position) -> Iterator[str]:
        """Give the earliest articles of the window that ever carried the key."""
        carriers = self._carriers.get(key, [])
        begin = bisect_left(carriers, (at(timestamp_ms(first) - self._rules.window_ms), ""))
        return (name for _, name in islice(carriers, begin, begin + self._rules.visible))
