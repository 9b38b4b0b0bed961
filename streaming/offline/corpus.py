"""Files of articles as the rules see them: enriched by the query's own code, in order of time.

The place of an article is the time at which it was published, then its place in the files:
there is no log whose time stamps could say what came first.
"""

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from producers.sources import Item, open_items
from streaming.engine.events import Logged, LoggedOverride
from streaming.enrichment import Enricher
from streaming.errors import SourceError
from streaming.events import parser_of
from streaming.filelog import LogRecord
from streaming.matching.content import Content
from streaming.position import Position, encode
from streaming.reasons import Rejected
from streaming.settings import Settings

_TOPIC = "articles"
_CHUNK = 200

_Event = tuple[Position, str, Content | None]


@dataclass(frozen=True, slots=True)
class Article:
    """An article of the files: where it first stands, what it is now, and what it was.

    ``content`` is None if it was deleted. ``versions`` are all its contents in order.
    """

    name: str
    first: Position
    content: Content | None
    versions: tuple[Content, ...]


@dataclass(slots=True)
class Corpus:
    """What was found in the files.

    ``articles`` are in the order of ``first``. ``read`` counts lines, ``refused`` those that
    are no valid event, by reason; ``overrides`` those of editors, which are passed over
    since it is the rules that are looked at. ``passed_over`` those of
    articles that were not in the sample.
    """

    articles: list[Article] = field(default_factory=list)
    read: int = 0
    enriched: int = 0
    passed_over: int = 0
    overrides: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def read_corpus(
    files: Sequence[Path],
    settings: Settings,
    *,
    wanted: Collection[str] = (),
    sample: int | None = None,
    seed: int = 1,
    on_progress: Callable[[Corpus], None] = lambda _corpus: None,
) -> Corpus:
    """Read and enrich files of articles, in any form that ``leitong produce`` takes.

    With ``sample``, only the ``wanted`` articles and so many others, drawn by ``seed``. An
    article without a time has that of the one before it in its file, the first ones that of
    the epoch. Raises SourceError if a file cannot be read or holds no article.
    """
    reader = _Reader(settings)
    if sample is not None:
        names = (reader.name_of(item) for file in files for item in open_items(str(file)))
        reader.kept = _sample(filter(None, names), frozenset(wanted), sample, seed)
    corpus = reader.corpus
    for file in files:
        reader.moment = 0
        items = open_items(str(file))
        while chunk := list(islice(items, _CHUNK)):
            reader.read(chunk)
            on_progress(corpus)
    corpus.articles = _articles(reader.events)
    if not corpus.articles:
        told = ", ".join(f"{reason} {count}" for reason, count in corpus.refused.most_common())
        raise SourceError(
            f"{', '.join(map(str, files))}: no article is left"
            + (f"; refused: {told}" if told else "")
            + "; articles are what leitong produce --from takes"
        )
    return corpus


class _Reader:
    """Turns items into events; ``kept`` are the articles that are wanted, None for all."""

    def __init__(self, settings: Settings) -> None:
        self.corpus = Corpus()
        self.events: list[_Event] = []
        self.kept: Collection[str] | None = None
        self.moment = 0
        self._parser = parser_of(settings)
        self._enricher = Enricher(settings)

    def name_of(self, item: Item) -> str | None:
        """Give the article that an item is about, None if it is no event."""
        if item.record is None:
            return None
        event = self._parser.parse(item.record.value, item.record.key, item.record.headers)
        return None if isinstance(event, Rejected) else event.article_id

    def read(self, items: Sequence[Item]) -> None:
        """Enrich items and keep what became of them."""
        records = []
        for item in items:
            place = self.corpus.read
            self.corpus.read += 1
            if item.record is None:
                if item.problem is not None:
                    self.corpus.refused[item.problem.reason.value] += 1
            elif self.kept is None or self.name_of(item) in self.kept:
                key, value, headers = item.record.key, item.record.value, item.record.headers
                records.append(LogRecord(_TOPIC, 0, place, 0, key, value, tuple(headers)))
            else:
                self.corpus.passed_over += 1
        for record, answer in zip(records, self._enricher.enrich(records), strict=True):
            self._keep(record.offset, answer)

    def _keep(self, place: int, answer: Logged | Rejected) -> None:
        if isinstance(answer, Rejected):
            self.corpus.refused[answer.reason.value] += 1
            return
        self.corpus.enriched += 1
        if isinstance(answer, LoggedOverride):
            self.corpus.overrides += 1
            return
        content = answer.content
        if content is not None and content.published_ms is not None:
            self.moment = content.published_ms
        position = encode(self.moment, _TOPIC, 0, place)
        self.events.append((position, answer.article, content))


def _articles(events: Iterable[_Event]) -> list[Article]:
    histories: dict[str, list[tuple[Position, Content | None]]] = {}
    for position, name, content in sorted(events, key=lambda each: each[0]):
        histories.setdefault(name, []).append((position, content))
    return sorted(_folded(histories), key=lambda article: article.first)


def _folded(histories: dict[str, list[tuple[Position, Content | None]]]) -> Iterator[Article]:
    for name, history in histories.items():
        contents = [(position, content) for position, content in history if content is not None]
        if contents:
            versions = tuple(content for _, content in contents)
            yield Article(name, contents[0][0], history[-1][1], versions)


def _sample(names: Iterable[str], wanted: frozenset[str], count: int, seed: int) -> frozenset[str]:
    others = sorted(set(names) - wanted)
    chosen = random.Random(seed).sample(others, min(count, len(others)))  # noqa: S311 - a sample
    return wanted | frozenset(chosen)
