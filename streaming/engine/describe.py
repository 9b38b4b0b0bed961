"""What the judged articles of a batch are from now on, in the log that lists are made from."""

from collections.abc import Iterable, Mapping

from streaming.engine.events import EventsByArticle
from streaming.engine.judge import Judged
from streaming.matching.content import Content
from streaming.position import Position, timestamp_ms
from streaming.similar.entries import GONE, Described, Standing
from streaming.similar.scoring import Ranking
from streaming.store import similar
from streaming.store.articles import ArticleRow
from streaming.store.contract import Mutation, Store

Models = Mapping[str, Ranking]
"""The models in force: under which name, and how articles are ranked under each."""


def describe(
    store: Store, models: Models, judged: Iterable[Judged], events: EventsByArticle, token: bytes
) -> set[tuple[str, str]]:
    """Write what was judged into the log of each model; gives each model and scope touched.

    To be called before anything is ranked. Every judged article is written, whether or not
    it changed, and with every version that the batch brought: what an attempt that died had
    made of an older one is made anew.
    """
    mutations: list[Mutation] = []
    touched: set[tuple[str, str]] = set()
    for item in judged:
        brought = events[item.article].described if item.article in events else {}
        story = item.verdict.duplicate_of if item.verdict else None
        for model, ranking in models.items():
            described = {p: by_model[model] for p, by_model in brought.items() if model in by_model}
            rows = log_rows(item.article, item.row, story, described, model, ranking, token)
            touched.update((model, scope) for scope in rows)
            mutations += rows.values()
    store.mutate(similar.LOG, mutations)
    return touched


def log_rows(
    article: str,
    row: ArticleRow,
    story: str | None,
    described: Mapping[Position, bytes],
    model: str,
    ranking: Ranking,
    token: bytes,
) -> dict[str, Mutation]:
    """Give what is to be said of an article in each scope that it is or ever was in.

    ``story`` is the article that it duplicates, None if it does not; ``described`` has the
    descriptions, encoded, of those of its contents that are at hand.
    """
    first = row.first
    if first is None:
        return {}
    of_scope: dict[str, dict[Position, Described]] = {
        ranking.scope_of(content.channel): {} for content in row.contents.values() if content
    }
    for position, description in described.items():
        content = row.contents.get(position)
        if content is not None:
            version = Described(position, first, _published_ms(content, first), description)
            of_scope[ranking.scope_of(content.channel)][position] = version
    current, latest = row.current, row.current_position
    standing: Standing | None = GONE
    if current is not None and latest is not None:
        standing = Standing(latest, first, _published_ms(current, first), story or article)
    lives_in = ranking.scope_of(current.channel) if current else None
    return {
        scope: similar.judged(
            model,
            scope,
            token,
            article,
            standing if scope == lives_in else GONE,
            versions,
            deleted=current is None,
        )
        for scope, versions in of_scope.items()
    }


def _published_ms(content: Content, first: Position) -> int:
    return timestamp_ms(first) if content.published_ms is None else content.published_ms
