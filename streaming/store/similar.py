"""Where descriptions, neighbours and lists of similar articles lie in the store.

The ``vector`` table is a log per model and scope, read forward: its row key is ``model · NUL ·
scope · NUL · token · article``. A row holds what one attempt found of one article. The lists
themselves are rows of ``article_similar``, one per article and model, for whoever serves
them: a cell per similar article, its score as decimal text. They follow from the log.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from struct import Struct

import orjson

from streaming.position import Position
from streaming.similar.description import Description
from streaming.similar.entries import GONE, Described, Neighbours, Row, Standing
from streaming.similar.scoring import ONE
from streaming.store import keys
from streaming.store.contract import Cells, Mutation, Store

LOG = "vector"
LISTS = "article_similar"

_STANDING, _DESCRIBED, _NEIGHBOURS = b"s", b"d", b"n"
_DELETED, _ELSEWHERE = b"", b"-"
_NO_STANDING = (None, _DELETED, _ELSEWHERE)
_TOKEN_BYTES = 8
_TIMES = Struct(">qB")
_NUL = b"\0"
_DECIMALS = 6
_PAGE = 1_000


def judged(
    model: str,
    scope: str,
    token: bytes,
    article: str,
    standing: Standing | None,
    described: Mapping[Position, Described],
    *,
    deleted: bool,
) -> Mutation:
    """Give the row of an article that an attempt judged, with what its batch brought of it.

    An article without a standing is ``deleted``, or it is in another scope now.
    """
    cells = {_DESCRIBED + position: _encode_described(each) for position, each in described.items()}
    gone = _DELETED if deleted else _ELSEWHERE
    cells[_STANDING] = gone if standing is GONE else _encode_standing(standing)
    return Mutation(_log_row(model, scope, token, article), cells)


def ranked(model: str, scope: str, token: bytes, article: str, neighbours: Neighbours) -> Mutation:
    """Give the row that tells an article's neighbours."""
    cell = orjson.dumps(neighbours)
    return Mutation(_log_row(model, scope, token, article), {_NEIGHBOURS: cell})


@dataclass(frozen=True, slots=True)
class Logged:
    """A row of the log, and every version of the article that its attempt described.

    ``deleted`` tells whether it was judged to be in no scope any more.
    """

    row: Row
    versions: tuple[Described, ...]
    deleted: bool


def read_log(store: Store, model: str, scope: str, since: bytes = b"") -> Iterator[Logged]:
    """Read a scope's log from the token ``since`` on, in the order of tokens."""
    prefix = _log_prefix(model, scope)
    for key, cells in store.scan(LOG, prefix + since, keys.after(prefix)):
        token = key[len(prefix) : len(prefix) + _TOKEN_BYTES]
        yield _decode_row(key[len(prefix) + _TOKEN_BYTES :].decode(), token, cells)


def scopes(store: Store, model: str) -> Iterator[str]:
    """Give the scopes that a model's log has, one short scan each."""
    prefix = model.encode() + _NUL
    start = prefix
    while first := next(store.scan(LOG, start, keys.after(prefix), limit=1, keys_only=True), None):
        scope = first[0][len(prefix) :].split(_NUL, 1)[0].decode()
        yield scope
        start = keys.after(_log_prefix(model, scope)) or prefix


def change_of_list(
    model: str, article: str, scores: Mapping[str, int], gone: Iterable[str]
) -> Mutation:
    """Give the change of an article's list: scores to put, in millionths, and who leaves it."""
    put = {other.encode(): write_score(score) for other, score in scores.items()}
    return Mutation(list_row(model, article), put, tuple(other.encode() for other in gone))


def read_lists(store: Store, model: str, articles: Sequence[str]) -> dict[str, dict[str, int]]:
    """Read lists as they are served: per article the scores, in millionths, in no order."""
    rows = {list_row(model, article): article for article in articles}
    found = store.rows(LISTS, list(rows))
    return {article: _scores(found.get(row, {})) for row, article in rows.items()}


def scan_lists(store: Store) -> Iterator[tuple[str, str, dict[str, int]]]:
    """Yield every list as it is served: model, article, and the scores as `read_lists` has them."""
    for row, cells in store.scan(LISTS):
        article, _, model = row.decode().rpartition("/")
        yield model, article, _scores(cells)


def drop_lists(store: Store, model: str) -> None:
    """Remove all lists of a model."""
    ending = f"/{model}".encode()
    lists = (row for row, _ in store.scan(LISTS, keys_only=True) if row.endswith(ending))
    while page := list(islice(lists, _PAGE)):
        store.delete_rows(LISTS, page)


def list_row(model: str, article: str) -> bytes:
    """Row of an article's list."""
    return f"{article}/{model}".encode()


def write_score(score: int) -> bytes:
    """Write millionths as decimal text."""
    return f"{score / ONE:.{_DECIMALS}f}".encode()


def read_score(cell: bytes) -> int:
    """Read `write_score`'s text."""
    return round(float(cell) * ONE)


def _scores(cells: Cells) -> dict[str, int]:
    return {other.decode(): read_score(cell) for other, cell in cells.items()}


def _log_prefix(model: str, scope: str) -> bytes:
    return b"".join((model.encode(), _NUL, scope.encode(), _NUL))


def _log_row(model: str, scope: str, token: bytes, article: str) -> bytes:
    return b"".join((_log_prefix(model, scope), token, article.encode()))


def _encode_standing(standing: Standing) -> bytes:
    return b"".join(
        (
            _TIMES.pack(standing.published_ms, len(standing.first)),
            standing.first,
            len(standing.position).to_bytes(1),
            standing.position,
            standing.story.encode(),
        )
    )


def _decode_standing(cell: bytes) -> Standing:
    published_ms, size = _TIMES.unpack_from(cell)
    end = _TIMES.size + size
    first, size = cell[_TIMES.size : end], cell[end]
    position, story = cell[end + 1 : end + 1 + size], cell[end + 1 + size :]
    return Standing(Position(position), Position(first), published_ms, story.decode())


def _encode_described(described: Described) -> bytes:
    times = _TIMES.pack(described.published_ms, len(described.first))
    return b"".join((times, described.first, described.description))


def _decode_described(position: bytes, cell: bytes) -> Described:
    published_ms, size = _TIMES.unpack_from(cell)
    end = _TIMES.size + size
    first = Position(cell[_TIMES.size : end])
    return Described(Position(position), first, published_ms, cell[end:])


def _decode_row(article: str, token: bytes, cells: Cells) -> Logged:
    versions = [_decode_described(q[1:], cell) for q, cell in cells.items() if q[:1] == _DESCRIBED]
    latest = max(versions, key=lambda each: each.position, default=None)
    standing, neighbours = cells.get(_STANDING), cells.get(_NEIGHBOURS)
    row = Row(
        article,
        token,
        judged=standing is not None,
        standing=GONE if standing in _NO_STANDING else _decode_standing(standing),
        described=None
        if latest is None
        else (latest.position, Description.decode(latest.description)),
        neighbours=None if neighbours is None else _neighbours(neighbours),
    )
    return Logged(row, tuple(versions), standing == _DELETED)


def _neighbours(cell: bytes) -> Neighbours:
    return tuple((other, score) for other, score in orjson.loads(cell))
