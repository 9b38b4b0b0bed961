"""What the lists of similar articles must be, by brute force over every pair.

The definition that the query's lists are checked against. It takes the verdicts as they
must be, and shares with the query how two articles are scored and what a list has room for.
"""

from collections.abc import Iterator, Mapping

from streaming.matching.reference import Expected
from streaming.position import timestamp_ms
from streaming.similar.description import Description
from streaming.similar.entries import Neighbours
from streaming.similar.lists import Member, best_of
from streaming.similar.scoring import Ranking, comparable, score


def reference_lists(
    expected: Mapping[str, Expected], described: Mapping[str, Description], ranking: Ranking
) -> dict[str, Neighbours]:
    """Give the list of every live article; ``described`` tells what each one's text is like."""
    earlier = {
        name: best_of(ranking, _earlier(name, expected, described, ranking)) for name in expected
    }
    lists = {}
    for name, best in earlier.items():
        scored = [*best]
        scored += [(other, dict(b)[name]) for other, b in earlier.items() if name in dict(b)]
        lists[name] = best_of(
            ranking, [_member(other, points, expected[other]) for other, points in scored]
        )
    return lists


def _earlier(
    name: str,
    expected: Mapping[str, Expected],
    described: Mapping[str, Description],
    ranking: Ranking,
) -> Iterator[Member]:
    """Give all that an article is compared with: what came before it in its scope and window."""
    own, mine = expected[name], described[name]
    scope = ranking.scope_of(own.content.channel)
    begin = timestamp_ms(own.first) - ranking.window_ms
    for other, row in expected.items():
        if row.first >= own.first or timestamp_ms(row.first) < begin:
            continue
        theirs = described[other]
        if ranking.scope_of(row.content.channel) == scope and comparable(mine, theirs):
            apart = published_ms(own) - published_ms(row)
            yield _member(other, score(ranking, mine, theirs, apart), row)


def _member(name: str, points: int, row: Expected) -> Member:
    return Member(name, points, row.first, row.verdict.duplicate_of or name)


def published_ms(row: Expected) -> int:
    """When an article was published, by its own account if it gives one."""
    said = row.content.published_ms
    return timestamp_ms(row.first) if said is None else said
