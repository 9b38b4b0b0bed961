"""What the judged articles of a batch are from now on, in the log that lists are made from."""

from collections.abc import Iterable, Mapping

from streaming.engine.events import EventsByArticle
from streaming.engine.judge import Judged
from streaming.position import Position, timestamp_ms
from streaming.similar.entries import GONE, Described, Standing
from streaming.similar.scoring import Ranking
from streaming.store import similar
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
        if item.row.first is None:
            continue
        for model, ranking in models.items():
            for scope, row in _rows(item, item.row.first, model, ranking, events).items():
                standing, described = row
                touched.add((model, scope))
                mutations.append(
                    similar.judged(
                        model,
                        scope,
                        token,
                        item.article,
                        standing,
                        described,
                        deleted=item.verdict is None,
                    )
                )
    store.mutate(similar.LOG, mutations)
    return touched


_Row = tuple[Standing | None, dict[Position, Described]]


def _rows(
    item: Judged, first: Position, model: str, ranking: Ranking, events: EventsByArticle
) -> dict[str, _Row]:
    """Give what is to be said of an article in each scope that it is or ever was in."""
    contents = item.row.contents
    rows: dict[str, _Row] = {
        ranking.scope_of(content.channel): (GONE, {}) for content in contents.values() if content
    }
    brought = events[item.article].described if item.article in events else {}
    for position, by_model in brought.items():
        content, description = contents.get(position), by_model.get(model)
        if content is not None and description is not None:
            published = _published(content.published_ms, first)
            described = Described(position, first, published, description)
            rows[ranking.scope_of(content.channel)][1][position] = described
    current, position = item.row.current, item.row.current_position
    if current is not None and position is not None:
        story = item.verdict.duplicate_of if item.verdict else None
        standing = Standing(
            position, first, _published(current.published_ms, first), story or item.article
        )
        scope = ranking.scope_of(current.channel)
        rows[scope] = (standing, rows[scope][1])
    return rows


def _published(published_ms: int | None, first: Position) -> int:
    return timestamp_ms(first) if published_ms is None else published_ms
