"""What is like an article of the index: the list that is served, and other ways to say it.

The list is what readers get. Beside it, for editors to compare: the nearest by one part of
its score alone, by the TF-IDF weights of the whole texts, and by SimHash. Nothing is written.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from heapq import nlargest
from typing import Any

import numpy as np
import orjson

from streaming.errors import ModelsError, SettingsError
from streaming.fingerprints.bands import hamming
from streaming.fingerprints.simhash import BITS
from streaming.followed import Followed, followed_name, open_followed, open_view
from streaming.matching.content import Content
from streaming.position import decode, timestamp_ms
from streaming.settings import Settings
from streaming.sharedwords import SharedKeywords, tfidf_cosines
from streaming.similar.description import SCALE
from streaming.similar.scoring import ONE
from streaming.similar.words import Floats
from streaming.store import articles
from streaming.store.articles import ArticleRow
from streaming.store.contract import Store
from streaming.store.similar import read_lists
from streaming.text.pipeline import TextPipeline
from streaming.texts import Text, current_texts
from streaming.times import write_time

READ_TEXTS = 300
"""Texts that are compared by TF-IDF, at most: those of the best by keywords."""


class By(StrEnum):
    """What says how alike two articles are."""

    LISTS = "lists"
    """The list that readers follow."""
    VECTOR = "vector"
    """The cosine of their vectors alone."""
    KEYWORDS = "keywords"
    """The cosine of their keywords alone."""
    SIMHASH = "simhash"
    """The bits in which their fingerprints differ."""
    TFIDF = "tfidf"
    """The cosine of the TF-IDF weights of all their words."""


_UNDER_MODELS = frozenset({By.VECTOR, By.KEYWORDS, By.TFIDF})


@dataclass(frozen=True, slots=True)
class Alike:
    """An article that is like the one asked about.

    ``points`` are its score in millionths, None where only the ``distance`` of fingerprints,
    in bits, says it. ``keywords`` are those that both share, the heaviest first; None where
    that cannot be told: without models, or without one of the texts.
    """

    article: str
    row: ArticleRow
    points: int | None
    distance: int | None
    title: str | None
    keywords: tuple[str, ...] | None

    def fields(self) -> dict[str, Any]:
        """Give it as values for JSON."""
        content, verdict = self.row.current, _verdict(self.row)
        return {
            "article_id": self.article,
            "score": None if self.points is None else self.points / ONE,
            "distance": self.distance,
            "channel": content and content.channel,
            "source": (content and content.source) or None,
            "published_at": published_at(self.row),
            "first_seen": None if self.row.first is None else decode(self.row.first).sortable(),
            "title": self.title,
            "relation": verdict.get("relation"),
            "duplicate_of": verdict.get("duplicate_of"),
            "keywords": None if self.keywords is None else list(self.keywords),
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What is like an article, the most alike first; ``model`` is None where none was asked.

    ``warning`` says what had to be left out.
    """

    article: str
    row: ArticleRow
    title: str | None
    by: By
    model: str | None
    alike: tuple[Alike, ...]
    warning: str | None

    def fields(self) -> dict[str, Any]:
        """Give it as values for JSON."""
        content = self.row.current
        return {
            "article_id": self.article,
            "channel": content and content.channel,
            "published_at": published_at(self.row),
            "title": self.title,
            "by": self.by,
            "model": self.model,
            "similar": [
                {"rank": rank, **each.fields()} for rank, each in enumerate(self.alike, start=1)
            ],
            "warning": self.warning,
        }


def similar(store: Store, settings: Settings, article: str, by: By, count: int) -> Answer:
    """Say what is like an article; ``settings`` name the generation, and the models if any.

    SettingsError if the article is not in the index, is deleted, or has not got what the
    question needs; ModelsError if there are no lists yet, or models are needed and are not
    there.
    """
    row = articles.read(store, [article])[article]
    content = _live(article, row)
    text = current_texts(store, {article: row}).get(article)
    asked = _Asked(store, settings, article, content, text)
    followed, warning = _models(asked, needed=by in _UNDER_MODELS)
    if by is By.LISTS:
        name = followed_name(store)
        near = read_lists(store, name, [article])[article]
    elif by is By.SIMHASH:
        name, near = None, _by_simhash(asked)
    elif followed is None:
        raise ModelsError("no models: name them with --models, or set query.models")
    else:
        name, near = followed.name, _by_model(asked, followed, by)
    best = _best(store, near, count)
    texts = current_texts(store, {other: its_row for other, its_row, _ in best})
    shared = None
    if followed is not None and text is not None:
        shared = SharedKeywords(followed.models, asked.pipeline, content.channel, text)

    def alike(other: str, its_row: ArticleRow, nearness: int) -> Alike:
        its_text, its_content, keywords = texts.get(other), its_row.current, None
        if shared and its_content and its_text:
            keywords = shared.of(its_content.channel, its_text)
        return Alike(
            other,
            its_row,
            None if by is By.SIMHASH else nearness,
            BITS - nearness if by is By.SIMHASH else None,
            its_text.title if its_text else None,
            keywords,
        )

    title = text.title if text else None
    return Answer(article, row, title, by, name, tuple(alike(*each) for each in best), warning)


def published_at(row: ArticleRow) -> str | None:
    """Give when an article was published, by its own account if it gives one."""
    said = row.current.published_ms if row.current else None
    if said is None and row.first is not None:
        said = timestamp_ms(row.first)
    return None if said is None else write_time(said)


@dataclass(frozen=True)
class _Asked:
    store: Store
    settings: Settings
    article: str
    content: Content
    text: Text | None

    @cached_property
    def pipeline(self) -> TextPipeline:
        return TextPipeline(self.settings.text)


def _live(article: str, row: ArticleRow) -> Content:
    if row.first is None:
        raise SettingsError(
            f"there is no article {article!r} in the index: is the query behind, or is it in"
            " another generation (--generation)?"
        )
    if row.current is None:
        deleted = write_time(timestamp_ms(row.current_position or b""))
        raise SettingsError(
            f"article {article!r} was deleted at {deleted}: it has no list, and is in none;"
            " leitong check --models tells what is like a text that is not in the index"
        )
    return row.current


def _models(asked: _Asked, *, needed: bool) -> tuple[Followed | None, str | None]:
    """Open the models, if any are named; if they are not needed, say what goes without them."""
    url = asked.settings.query.models
    if url is None:
        return None, None
    try:
        return open_followed(asked.store, url), None
    except ModelsError as error:
        if needed:
            raise
        return None, f"shared keywords are left out: {error}"


def _best(store: Store, near: Mapping[str, int], count: int) -> list[tuple[str, ArticleRow, int]]:
    """Give the nearest; of equally near ones those that appeared later, as in the lists."""
    least = min(nlargest(count, near.values()), default=0)
    kept = {name: nearness for name, nearness in near.items() if nearness >= least}
    rows = articles.read(store, kept)
    order = sorted(kept, key=lambda each: (kept[each], rows[each].first or b""), reverse=True)
    return [(name, rows[name], kept[name]) for name in order[:count]]


def _by_simhash(asked: _Asked) -> dict[str, int]:
    """Give in how many bits the fingerprints of the scope agree."""
    own = asked.content.fingerprint
    if own is None:
        raise SettingsError(
            f"article {asked.article!r} has no fingerprint, since its text has no word; nothing"
            " can be said to be like it"
        )
    scope_of = asked.settings.matching.rules().scope_of
    scope = scope_of(asked.content.channel)
    return {
        name: BITS - hamming(own, row.current.fingerprint)
        for name, row in articles.scan(asked.store)
        if row.current is not None
        and row.current.fingerprint is not None
        and scope_of(row.current.channel) == scope
        and name != asked.article
    }


def _by_model(asked: _Asked, followed: Followed, by: By) -> dict[str, int]:
    """Give scores, in millionths, of those that could be in the list; no zeros."""
    scope = followed.models.ranking.scope_of(asked.content.channel)
    with open_view(asked.settings, asked.store, followed, scope) as view:
        if not view.rankable(asked.article):
            raise SettingsError(
                f"article {asked.article!r} is not described under {followed.name}: it was judged"
                " before that was used, or just now; leitong replay --vectors-only fills in what"
                " is missing"
            )
        ids, keywords, vectors = view.products(asked.article)
    points = _points(ids, (vectors if by is By.VECTOR else keywords) / SCALE**2)
    return _by_tfidf(asked, followed, points) if by is By.TFIDF else points


def _by_tfidf(asked: _Asked, followed: Followed, keywords: Mapping[str, int]) -> dict[str, int]:
    if asked.text is None:
        raise SettingsError(
            f"the text of {asked.article!r} is not kept, so its words cannot be weighed; --by"
            " keywords does without"
        )
    names = nlargest(READ_TEXTS, keywords, key=lambda name: (keywords[name], name))
    texts = current_texts(asked.store, articles.read(asked.store, names))
    channel = asked.content.channel
    cosines = tfidf_cosines(followed.models, asked.pipeline, channel, asked.text, texts.values())
    return _points(texts, cosines)


def _points(ids: Iterable[str], cosines: Floats) -> dict[str, int]:
    points = np.rint(np.clip(cosines, 0, 1) * ONE).astype(np.int64).tolist()
    return {name: each for name, each in zip(ids, points, strict=True) if each > 0}


def _verdict(row: ArticleRow) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(row.verdict) if row.verdict else {}
    return found
