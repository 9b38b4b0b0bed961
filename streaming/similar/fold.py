"""The fold of a scope's log in columns: what `view` answers from and `search` reads.

Articles have numbers, and so have descriptions. A description, once written, never changes;
an article's record says which one is its own, and is written in place. So an application of
rows has two halves: first what only adds (names, descriptions), and a note of how much there
is; then the records, and a note of how far the log was read. Whoever dies half way leaves
records that the same rows, applied again, make whole.

One article takes about 400 bytes and its id, a description with 50 keywords and 100
dimensions about 1 050 more: 500 for its keywords, 300 for their inversion, 200 for its vector.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streaming.similar import postings
from streaming.similar.columns import Column
from streaming.similar.description import Description
from streaming.similar.entries import Row, Standing
from streaming.similar.names import Names
from streaming.similar.places import PLACE, Topics, same
from streaming.similar.postings import LARGEST_WEIGHT, Postings
from streaming.similar.progress import Progress, forget
from streaming.similar.scoring import Ranking

ARTICLE = np.dtype(
    [
        ("position", PLACE),
        ("first", PLACE),
        ("published", "<i8"),
        ("judged", "<u8"),
        ("ranked", "<u8"),
        ("story", "<u4"),
        ("described", "<u4"),
        ("judged_size", "u1"),
        ("ranked_size", "u1"),
        ("present", "u1"),
        ("neighbours", "<u2"),
    ],
    align=True,
)
"""``judged`` and ``ranked`` are tokens; their sizes are 1 larger, 0 where there is none.

``described`` is the number of the article's description, 1 larger, too.
"""

DESCRIBED = np.dtype(
    [
        ("position", PLACE),
        ("keywords", "<i8"),
        ("cells", "<i8"),
        ("article", "<u4"),
        ("cell", "<i4"),
        ("keyword_count", "<u2"),
        ("cell_count", "<u2"),
    ],
    align=True,
)
"""``keywords`` and ``cells`` are where those begin; ``cell`` is the own one, -1 for none."""

NEVER = int(np.iinfo(np.int64).min)
"""In place of a time: the description is not, or no longer, that of an article that stands."""

BLOCK = 512
"""So many descriptions have their times summed up together."""

_CHUNK = 8_192
_SEALED = 2_048
_LARGEST = 1 << 18
_TOKEN_BYTES = 8

Numbers = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Fold:
    """What the rows of a log add up to, in a directory or in memory.

    Nobody else may write to the directory meanwhile. `appeared` tells of each description
    when its article appeared for the first time, in milliseconds, or `NEVER` if that is not
    rankable by it; `published` when it was published; `blocks` has bounds of both.
    """

    def __init__(self, ranking: Ranking, directory: Path | None) -> None:
        self.ranking = ranking
        self.directory = directory
        progress = Progress() if directory is None else Progress.read(directory, ranking)
        if progress is None and directory is not None:
            forget(directory)
        self.progress = progress = progress or Progress()
        self.names = Names(directory, progress.names, progress.text, progress.entered)
        self.topics = Topics(progress.topics)
        self.articles = self._column("articles", ARTICLE)
        self.neighbours = self._column("neighbours", np.uint32, ranking.size)
        self.scores = self._column("scores", np.int32, ranking.size)
        self.described = self._column("described", DESCRIBED)
        self.vectors = self._vectors()
        self.keywords = self._column("keywords", np.uint64)
        self.weights = self._column("weights", np.int16)
        self.cells = self._column("cells", np.int32)
        self._make_room()
        self._fresh: Postings | None = None
        self._sealed = self._open_segments()
        self.appeared, self.published = np.full((2, len(self.described.data)), NEVER)
        self.blocks = Blocks()
        self._revive(np.arange(progress.descriptions))

    def apply(self, rows: Iterable[Row]) -> None:
        """See `View.apply`."""
        known: dict[str, int] = {}
        left = iter(rows)
        while chunk := list(islice(left, _CHUNK)):
            self._apply(_Latest(chunk, self.ranking.size), known)

    def segments(self) -> list[Postings]:
        """Give the inversion of all descriptions, in order."""
        sealed = self._sealed[-1].end if self._sealed else 0
        if sealed == self.progress.descriptions:
            return self._sealed
        if self._fresh is None:
            self._fresh = self._invert(sealed, self.progress.descriptions)
        return [*self._sealed, self._fresh]

    def description(self, number: int) -> Description:
        """Give a description that was kept."""
        record = self.described.data[number]
        words = slice(record["keywords"], record["keywords"] + record["keyword_count"])
        cells = slice(record["cells"], record["cells"] + record["cell_count"])
        return Description(
            self.vectors.data[number],
            self.keywords.data[words],
            self.weights.data[words],
            tuple(self.cells.data[cells].tolist()),
        )

    def own(self, article: int) -> int:
        """Give the number of the description by which an article is rankable, or -1."""
        number = int(self.articles.data[article]["described"]) - 1 if article >= 0 else -1
        return number if number >= 0 and self.appeared[number] != NEVER else -1

    def _column(self, name: str, dtype: Any, *shape: int) -> Column:
        path = self.directory and self.directory / f"{name}.column"
        return Column(path, dtype, shape)

    def _vectors(self) -> Column:
        dimensions = self.progress.dimensions or 0
        vectors = self._column(f"vectors-{dimensions}", np.int16, dimensions)
        vectors.reserve(self.progress.descriptions)
        return vectors

    def _apply(self, rows: "_Latest", known: dict[str, int]) -> None:
        before = self.progress.reached
        if rows.least < before:
            # Rows of long ago, changed half and no more, would not be read again otherwise.
            self._note(_just_before(rows.least))
        self._number(rows.ids(), known)
        described = self._describe(rows, known)
        if described or self.names.count > self.progress.names:
            self._note(self.progress.reached)
        self.names.enter()
        touched = [self._own(described), self._judge(rows, known)]
        self._rank(rows, known)
        self._revive(np.concatenate(touched))
        self._seal()
        self.progress.entered = self.names.count
        self._note(max(before, rows.largest))

    def _note(self, reached: bytes) -> None:
        self.progress.reached = reached
        self.progress.names, self.progress.text = self.names.count, self.names.size
        self.progress.topics = self.topics.names
        if self.directory is not None:
            self.progress.write(self.directory, self.ranking)

    def _number(self, ids: Iterable[str], known: dict[str, int]) -> None:
        asked = [each for each in dict.fromkeys(ids) if each not in known]
        found = self.names.find(asked)
        missing = np.flatnonzero(found < 0)
        found[missing] = self.names.add([asked[place] for place in missing.tolist()])
        known.update(zip(asked, found.tolist(), strict=True))
        self._make_room()

    def _make_room(self) -> None:
        for column in (self.articles, self.neighbours, self.scores):
            column.reserve(self.names.count)

    def _describe(self, rows: "_Latest", known: dict[str, int]) -> list[tuple[int, int]]:
        """Add descriptions that are newer than those kept; give articles and their numbers."""
        new = []
        for article, (position, description) in rows.described.items():
            number = known[article]
            kept = int(self.articles.data[number]["described"])
            if kept:
                place = self.described.data[kept - 1]["position"]
                if position <= self.topics.position(place):
                    continue
            new.append((number, position, description))
        if not new:
            return []
        progress, texts = self.progress, [description for _, _, description in new]
        dimensions = {len(text.vector) for text in texts} | {progress.dimensions} - {None}
        if len(dimensions) > 1:
            raise ValueError(f"descriptions of one model, not of vectors of {dimensions} numbers")
        weights = np.concatenate([text.weights for text in texts])
        if len(weights) and not 0 < weights.min() <= weights.max() <= LARGEST_WEIGHT:
            raise ValueError(f"weights of keywords are from 1 to {LARGEST_WEIGHT}")
        if progress.dimensions is None:
            progress.dimensions = dimensions.pop()
            self.vectors = self._vectors()
        records = np.zeros(len(new), DESCRIBED)
        records["article"] = [number for number, _, _ in new]
        records["position"] = self.topics.places([position for _, position, _ in new])
        words = np.array([len(text.keywords) for text in texts])
        cells = np.array([len(text.cells) for text in texts])
        records["keywords"] = progress.keywords + np.cumsum(words) - words
        records["cells"] = progress.cells + np.cumsum(cells) - cells
        records["keyword_count"], records["cell_count"] = words, cells
        records["cell"] = [text.cells[0] if text.cells else -1 for text in texts]
        start = progress.descriptions
        self.described.put(start, records)
        self.vectors.put(start, np.stack([text.vector for text in texts]))
        self.keywords.put(progress.keywords, np.concatenate([text.keywords for text in texts]))
        self.weights.put(progress.keywords, weights)
        flat = [cell for text in texts for cell in text.cells]
        self.cells.put(progress.cells, np.array(flat, np.int32))
        progress.descriptions += len(new)
        progress.keywords += int(words.sum())
        progress.cells += int(cells.sum())
        self._fresh = None
        return [(number, start + place) for place, (number, _, _) in enumerate(new)]

    def _own(self, described: list[tuple[int, int]]) -> Numbers:
        if not described:
            return np.zeros(0, np.int64)
        articles, numbers = np.array(described).T
        before = self.articles.data["described"][articles].astype(np.int64) - 1
        self.articles.data["described"][articles] = numbers + 1
        return np.concatenate((before[before >= 0], numbers))

    def _judge(self, rows: "_Latest", known: dict[str, int]) -> Numbers:
        articles = np.array([known[article] for article in rows.judged], np.int64)
        tokens, sizes = _tokens([row.token for row in rows.judged.values()])
        counts = self._newer(articles, tokens, sizes, "judged")
        chosen = [row for row, newer in zip(rows.judged.values(), counts, strict=True) if newer]
        articles = articles[counts]
        standings = [row.standing for row in chosen]
        present = np.array([standing is not None for standing in standings], np.bool_)
        there = [standing for standing in standings if standing is not None]
        data = self.articles.data
        data["present"][articles] = present
        if there:
            of = articles[present]
            data["position"][of] = self.topics.places([standing.position for standing in there])
            data["first"][of] = self.topics.places([standing.first for standing in there])
            data["published"][of] = [standing.published_ms for standing in there]
            data["story"][of] = [known[standing.story] for standing in there]
        data["judged"][articles], data["judged_size"][articles] = tokens[counts], sizes[counts]
        numbers = data["described"][articles].astype(np.int64) - 1
        return numbers[numbers >= 0]

    def _rank(self, rows: "_Latest", known: dict[str, int]) -> None:
        articles = np.array([known[article] for article in rows.ranked], np.int64)
        tokens, sizes = _tokens([row.token for row in rows.ranked.values()])
        counts = self._newer(articles, tokens, sizes, "ranked")
        lists = [
            row.neighbours or ()
            for row, newer in zip(rows.ranked.values(), counts, strict=True)
            if newer
        ]
        articles = articles[counts]
        lengths = np.array([len(each) for each in lists], np.int64)
        owners = np.repeat(articles, lengths)
        places = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        flat = [pair for each in lists for pair in each]
        self.neighbours.data[owners, places] = [known[article] for article, _ in flat]
        self.scores.data[owners, places] = [score for _, score in flat]
        data = self.articles.data
        data["neighbours"][articles] = lengths
        data["ranked"][articles], data["ranked_size"][articles] = tokens[counts], sizes[counts]

    def _newer(
        self, articles: Numbers, tokens: NDArray[np.uint64], sizes: NDArray[np.uint8], kind: str
    ) -> Bools:
        """Tell which rows count; an equal token does, since what is kept may be half of it."""
        kept, kept_sizes = (self.articles.data[name][articles] for name in (kind, f"{kind}_size"))
        newer: Bools = (tokens > kept) | ((tokens == kept) & (sizes >= kept_sizes))
        return newer

    def _revive(self, numbers: Numbers) -> None:
        """Find out again whether descriptions are those of articles that stand."""
        missing = len(self.described.data) - len(self.appeared)
        if missing:
            none = np.full(missing, NEVER)
            self.appeared = np.concatenate((self.appeared, none))
            self.published = np.concatenate((self.published, none))
        records = self.described.data[numbers]
        articles = self.articles.data[records["article"]]
        alive = (
            (articles["present"] > 0)
            & (articles["described"] == numbers + 1)
            & same(articles["position"], records["position"])
        )
        first = articles["first"]["time"]
        self.appeared[numbers] = np.where(alive, first, NEVER)
        self.published[numbers] = articles["published"]
        self.blocks.widen(numbers[alive], first[alive], articles["published"][alive])

    def _invert(self, first: int, end: int) -> Postings:
        records = self.described.data[first:end]
        begin = int(records["keywords"][0])
        words = slice(begin, begin + int(records["keyword_count"].sum(dtype=np.int64)))
        return Postings.build(
            first, records["keyword_count"], self.keywords.data[words], self.weights.data[words]
        )

    def _owned(self, first: int, end: int) -> Bools:
        """Tell which descriptions are still the newest of their articles."""
        articles = self.described.data["article"][first:end]
        owned: Bools = self.articles.data["described"][articles] == np.arange(first, end) + 1
        return owned

    def _open_segments(self) -> list[Postings]:
        if self.directory is None:
            return []
        names = {name for _, _, name in self.progress.segments}
        for path in self.directory.glob("*.postings"):
            if path.name not in names:
                path.unlink()
        return [
            Postings.read(self.directory / name, first, end)
            for first, end, name in self.progress.segments
        ]

    def _seal(self) -> None:
        sealed = self._sealed[-1].end if self._sealed else 0
        if self.progress.descriptions - sealed < _SEALED:
            return
        parts = [*self._sealed, self._invert(sealed, self.progress.descriptions)]
        self._fresh = None
        stay = self._owned(parts[0].first, parts[-1].end)
        begin = parts[0].first
        sizes = [
            (part.end - part.first, int(stay[part.first - begin : part.end - begin].sum()))
            for part in parts
        ]
        merged = postings.due(sizes, _LARGEST)
        if merged:
            kept = stay[parts[-merged].first - begin :]
            parts[-merged:] = [Postings.merge(parts[-merged:], kept)]
        if self.directory is None:
            self._sealed = parts
            return
        new = parts[-1]
        name = f"{new.first}-{new.end}.postings"
        scratch = self.directory / f"{name}.scratch"
        new.write(scratch)
        scratch.rename(self.directory / name)
        parts[-1] = Postings.read(self.directory / name, new.first, new.end)
        before = self.progress.segments
        left = before[: len(parts) - 1]
        self.progress.segments = [*left, (new.first, new.end, name)]
        self._sealed = parts
        self._note(self.progress.reached)
        for _, _, old in before[len(left) :]:
            (self.directory / old).unlink(missing_ok=True)


class Blocks:
    """Bounds of ``first`` and of the publication, of the living in every `BLOCK` descriptions.

    They only widen: those who have died since may still be within them.
    """

    def __init__(self) -> None:
        self.first_least, self.first_most = np.zeros((2, 0), np.int64)
        self.published_least, self.published_most = np.zeros((2, 0), np.int64)

    def widen(self, numbers: Numbers, first: Numbers, published: Numbers) -> None:
        """Take in these descriptions."""
        if not len(numbers):
            return
        blocks = numbers // BLOCK
        missing = int(blocks.max()) + 1 - len(self.first_least)
        if missing > 0:
            for name in ("first_least", "published_least"):
                empty = np.full(missing, np.iinfo(np.int64).max)
                setattr(self, name, np.concatenate((getattr(self, name), empty)))
            for name in ("first_most", "published_most"):
                empty = np.full(missing, NEVER)
                setattr(self, name, np.concatenate((getattr(self, name), empty)))
        np.minimum.at(self.first_least, blocks, first)
        np.maximum.at(self.first_most, blocks, first)
        np.minimum.at(self.published_least, blocks, published)
        np.maximum.at(self.published_most, blocks, published)


class _Latest:
    """Of some rows, those that count: the largest token's, of each kind of cell."""

    def __init__(self, rows: Sequence[Row], size: int) -> None:
        self.judged: dict[str, Row] = {}
        self.ranked: dict[str, Row] = {}
        self.described: dict[str, tuple[bytes, Description]] = {}
        for row in rows:
            if row.judged:
                _keep(self.judged, row)
            if row.neighbours is not None:
                _keep(self.ranked, row)
            if row.described is not None:
                kept = self.described.get(row.article)
                if kept is None or kept[0] < row.described[0]:
                    self.described[row.article] = row.described
        self.least = min(row.token for row in rows)
        self.largest = max(row.token for row in rows)

        self._check(size)

    def _check(self, size: int) -> None:
        rows = (*self.judged.values(), *self.ranked.values())
        if any(len(row.token) > _TOKEN_BYTES for row in rows):
            raise ValueError(f"a token has at most {_TOKEN_BYTES} bytes")
        if any(len(row.neighbours or ()) > size for row in rows):
            raise ValueError(f"a list has at most {size} neighbours")

    def ids(self) -> Iterable[str]:
        """Give all ids that these rows name, some of them more than once."""
        yield from self.judged
        yield from self.ranked
        yield from self.described
        for row in self.judged.values():
            if isinstance(row.standing, Standing):
                yield row.standing.story
        for row in self.ranked.values():
            for article, _ in row.neighbours or ():
                yield article


def _keep(rows: dict[str, Row], row: Row) -> None:
    kept = rows.get(row.article)
    if kept is None or kept.token <= row.token:
        rows[row.article] = row


def _tokens(tokens: Sequence[bytes]) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
    padded = b"".join([token.ljust(_TOKEN_BYTES, b"\0") for token in tokens])
    sizes = np.array([len(token) + 1 for token in tokens], np.uint8)
    return np.frombuffer(padded, ">u8").astype(np.uint64), sizes


def _just_before(token: bytes) -> bytes:
    """Give bytes that are smaller, and at least as large as every smaller token of that size."""
    number = int.from_bytes(token)
    return (number - 1).to_bytes(len(token)) if number else b""
