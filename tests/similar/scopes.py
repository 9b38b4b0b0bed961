"""Small scopes for tests of views: rows, and the neighbours found by scoring every pair."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from streaming.position import Position, encode, timestamp_ms
from streaming.similar.description import SCALE, Description, rounded
from streaming.similar.entries import GONE, Neighbours, Row, Standing
from streaming.similar.lists import Member, best_of
from streaming.similar.scoring import Ranking, comparable, score
from streaming.similar.view import Challenger

HOUR = 3_600_000
TOPICS = ["news", "new", "wire"]


def describe(
    vector: list[int], weights: dict[int, int], cells: tuple[int, ...] = (0,)
) -> Description:
    """Give a description of a vector and keywords of any length: both are scaled."""
    keywords = np.array(sorted(weights), np.uint64)
    scaled = rounded(np.array([weights[word] for word in sorted(weights)], float))
    whole = rounded(np.array(vector, float))
    return Description(whole, keywords, scaled, cells if whole.any() else ())


def moment(hour: float, offset: int = 0, topic: str = "news") -> Position:
    return encode(int(hour * HOUR), topic, 0, offset)


def standing(position: Position, first: Position | None = None, story: str = "") -> Standing:
    first = first or position
    return Standing(position, first, timestamp_ms(first), story)


def row(
    article: str, token: int, stands: Standing | None = None, text: Description | None = None
) -> Row:
    """Give a row of an article that stands, and is its own story if nothing else is said."""
    if stands is not None and not stands.story:
        stands = dataclasses.replace(stands, story=article)
    described = None if text is None or stands is None else (stands.position, text)
    return Row(article, token.to_bytes(8), judged=True, standing=stands, described=described)


@dataclass
class Reference:
    """What a view has to say, by brute force."""

    ranking: Ranking
    rows: dict[str, list[Row]] = field(default_factory=dict)
    reached: bytes = b""
    known: dict[str, tuple[Standing, Description]] | None = None

    def apply(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self.rows.setdefault(row.article, []).append(row)
            self.reached = max(self.reached, row.token)
        self.known = None

    def standing(self, article: str) -> Standing | None:
        judged = [row for row in self.rows.get(article, []) if row.judged]
        return max(judged, key=lambda row: row.token).standing if judged else GONE

    def neighbours(self, article: str) -> Neighbours | None:
        ranked = [row for row in self.rows.get(article, []) if row.neighbours is not None]
        return max(ranked, key=lambda row: row.token).neighbours if ranked else None

    def description(self, article: str) -> Description | None:
        own = [row.described for row in self.rows.get(article, []) if row.described]
        stands = self.standing(article)
        if not own or stands is None:
            return None
        position, described = max(own, key=lambda pair: pair[0])
        return described if position == stands.position else None

    def articles(self) -> dict[str, tuple[Standing, Description]]:
        if self.known is None:
            self.known = found = {}
            for article in self.rows:
                stands, described = self.standing(article), self.description(article)
                if stands is not None and described is not None:
                    found[article] = (stands, described)
        return self.known

    def naming(self, article: str) -> set[tuple[str, int]]:
        found = set()
        for other in self.rows:
            found |= {(other, n) for named, n in self.neighbours(other) or () if named == article}
        return found

    def unranked(self) -> list[str]:
        articles = self.articles()
        new = [article for article in articles if self.neighbours(article) is None]
        return sorted(new, key=lambda article: articles[article][0].first)

    def best(self, article: str) -> Neighbours:
        stands, described = self.articles()[article]
        return self.best_for(described, stands.first, stands.published_ms, article)

    def best_for(
        self, text: Description, first: Position, published_ms: int, exclude: str | None
    ) -> Neighbours:
        window, found = self.ranking.window_ms, []
        for other, (stands, described) in self.articles().items():
            if other == exclude or not stands.first < first:
                continue
            if timestamp_ms(stands.first) < timestamp_ms(first) - window:
                continue
            alike = score(self.ranking, text, described, published_ms - stands.published_ms)
            if comparable(text, described) and alike > 0:
                found.append((alike, stands.first, other, stands.story))
        taken: list[tuple[str, int]] = []
        stories: list[str] = []
        for alike, _, other, story in sorted(found, reverse=True):
            if stories.count(story) < self.ranking.per_story and len(taken) < self.ranking.size:
                stories.append(story)
                taken.append((other, alike))
        return tuple(taken)

    def lists(
        self, articles: Iterable[str], renewed: Mapping[str, Neighbours]
    ) -> dict[str, Neighbours]:
        known = self.articles()
        neighbours = {other: self.neighbours(other) or () for other in known}
        neighbours |= {other: found for other, found in renewed.items() if other in known}
        lists: dict[str, Neighbours] = {}
        for article in articles:
            scored = [*neighbours.get(article, ())]
            scored += [
                (other, n)
                for other, found in neighbours.items()
                for named, n in found
                if named == article and article in known
            ]
            members = [
                Member(other, n, known[other][0].first, known[other][0].story)
                for other, n in scored
                if other in known
            ]
            lists[article] = best_of(self.ranking, members)
        return lists

    def challenged(self, challengers: Iterable[Challenger]) -> set[str]:
        return {
            article
            for article, (stands, described) in self.articles().items()
            for challenger in challengers
            if self._challenges(challenger, article, stands, described)
        }

    def _challenges(
        self, challenger: Challenger, article: str, stands: Standing, described: Description
    ) -> bool:
        known = self.neighbours(article)
        if known is None or article == challenger.article or stands.first <= challenger.first:
            return False
        if timestamp_ms(stands.first) > challenger.until_ms:
            return False
        if not comparable(described, challenger.described):
            return False
        bound = known[-1][1] if len(known) == self.ranking.size else 1
        apart = stands.published_ms - challenger.published_ms
        return score(self.ranking, described, challenger.described, apart) >= bound


def scattered(count: int, seed: int, hours: float) -> list[Row]:
    """Give rows of many articles that appeared in so many hours, with few common keywords."""
    draw = np.random.default_rng(seed)
    vectors, rows = unit(count, 8, seed), []
    for number in range(count):
        words = np.unique(np.minimum(draw.zipf(1.3, 12), 2_000)).astype(np.uint64)
        weights = rounded(draw.random(len(words)) + 0.2)
        cells = (int(draw.integers(4)), int(draw.integers(4, 6)))
        article, position = f"{number:05d}", moment(hours * number / count, number)
        story = f"{number - number % int(draw.integers(1, 4)):05d}"
        published = timestamp_ms(position) - int(draw.integers(3)) * HOUR
        stands = Standing(position, position, published, story)
        text = Description(vectors[number], words, weights, cells)
        token = (1 + number // 100).to_bytes(8)
        described = (position, text)
        rows.append(Row(article, token, judged=True, standing=stands, described=described))
    return rows


ARTICLES = ["a", "b", "c", "d", "e", "f", "g", "h"]

descriptions = st.builds(
    describe,
    st.lists(st.integers(-1, 1), min_size=2, max_size=2),
    st.dictionaries(st.sampled_from([1, 2, 3, 2**63, 2**64 - 1]), st.integers(1, 2), max_size=3),
    st.lists(st.integers(0, 2), min_size=1, max_size=2, unique=True).map(tuple),
)

rankings = st.builds(
    Ranking,
    st.just("channel"),
    st.sampled_from([0, HOUR, 3 * HOUR, 9 * HOUR]),
    st.sampled_from([0, HOUR, 5 * HOUR]),
    st.sampled_from([0, 0.1, 0.5, 1]),
    st.integers(1, 4),
    st.integers(1, 3),
)


@st.composite
def logs(draw: st.DrawFn, ranking: Ranking) -> list[Row]:
    """Draw rows of a log: contents, edits, deletions, late rows, lists; some of them twice.

    What the log says of an article and a token, and of a position, is one thing only.
    """
    firsts = {
        article: moment(draw(st.sampled_from([0, 0.5, 1, 1.5, 3, 6])), 1, topic)
        for article, topic in zip(ARTICLES, TOPICS * 3, strict=False)
    }
    for number, article in enumerate(ARTICLES):
        time, topic = timestamp_ms(firsts[article]), TOPICS[number % 3]
        firsts[article] = encode(time, topic, number % 2, number)
    texts: dict[Position, Description] = {}
    rows: dict[tuple[str, int], Row] = {}
    for _ in range(draw(st.integers(0, 24))):
        article, token = draw(st.sampled_from(ARTICLES)), draw(st.integers(1, 6))
        if (article, token) in rows:
            continue
        first = firsts[article]
        edited = draw(st.sampled_from([0, 0, 1, 2]))
        position = first if not edited else encode(timestamp_ms(first) + edited, "news", 0, 99)
        if position not in texts:
            texts[position] = draw(descriptions)
        stands = Standing(
            position,
            first,
            timestamp_ms(first) + draw(st.sampled_from([0, 0, 2 * HOUR])),
            draw(st.sampled_from([article, "a", "b"])),
        )
        judged = draw(st.sampled_from([True, True, True, False]))
        neighbours = None
        if draw(st.booleans()):
            named = draw(st.lists(st.sampled_from(ARTICLES), unique=True, max_size=ranking.size))
            scores = draw(
                st.lists(
                    st.sampled_from([1, 90_000, 500_000, 1_000_000]),
                    min_size=len(named),
                    max_size=len(named),
                )
            )
            neighbours = tuple(zip(named, sorted(scores, reverse=True), strict=True))
        rows[article, token] = Row(
            article,
            token.to_bytes(8),
            judged=judged,
            standing=draw(st.sampled_from([stands, stands, stands, GONE])) if judged else GONE,
            described=draw(st.sampled_from([(position, texts[position])] * 4 + [None])),
            neighbours=neighbours,
        )
    plain = list(rows.values())
    again = draw(st.lists(st.sampled_from(plain), max_size=5)) if plain else []
    return draw(st.permutations(plain + again))


def unit(count: int, dimensions: int, seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    """Give random described vectors."""
    vectors = rounded(np.random.default_rng(seed).normal(size=(count, dimensions)))
    assert abs(np.linalg.norm(vectors.astype(float), axis=1) - SCALE).max() < SCALE / 100
    return vectors
