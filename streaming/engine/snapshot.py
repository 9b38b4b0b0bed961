"""Everything that judging one chunk of articles reads, read once and in multi-gets.

After the barrier the index only changes by what other batches' survivors write, and any
moment of reading is as good as another; so what was read stays good for the chunk.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import islice

from streaming.matching.content import Content, Key
from streaming.matching.rules import Rules
from streaming.matching.verdict import Candidate
from streaming.position import Position, at, split_entry, timestamp_ms
from streaming.store import articles
from streaming.store.articles import ArticleRow
from streaming.store.contract import Store
from streaming.store.index import Head, Index

Slots = tuple[tuple[Position, str], ...]
"""The articles that are visible under a key, earliest first."""

_TAIL_PAGE = 256
_NOBODY: dict[str, Candidate] = {}


class Snapshot:
    """Cached reads of one chunk: article rows, neighbours of keys, heads."""

    def __init__(self, store: Store, rules: Rules) -> None:
        self._store = store
        self._rules = rules
        self._index = Index(store, rules)
        self._articles: dict[str, ArticleRow] = {}
        self._carried: dict[str, frozenset[Key]] = {}
        self._near: dict[Key, tuple[Key, ...]] = {}
        self._heads: dict[Key, Head] = {}
        self._carriers: dict[Key, _Carriers] = {}
        self._visible: dict[tuple[Key, Position], Slots] = {}
        self._compared: dict[tuple[Key, int], dict[str, Candidate]] = {}
        self._candidates: dict[str, Candidate | None] = {}

    def load(self, article_ids: Iterable[str]) -> None:
        """Make sure that these articles are read."""
        missing = [name for name in dict.fromkeys(article_ids) if name not in self._articles]
        if missing:
            self._articles.update(articles.read(self._store, missing))

    def suppose(self, article_id: str, contents: Mapping[Position, Content | None]) -> ArticleRow:
        """Go on as if these events of an article were in its row; nothing is written.

        To be called before anything else is asked for. The article's own verdict is then
        the one that it would get. That of another one need not be: nobody finds the article
        under keys that its row brings along.
        """
        self.load([article_id])
        row = self._articles[article_id] = self._articles[article_id].with_events(contents, {})
        return row

    def article(self, article_id: str) -> ArticleRow:
        """Give an article that was loaded."""
        return self._articles[article_id]

    def carried(self, article_id: str) -> frozenset[Key]:
        """Give the keys that the current content of a loaded article carries."""
        found = self._carried.get(article_id)
        if found is None:
            content = self._articles[article_id].current
            found = content.keys(self._rules) if content is not None else frozenset()
            self._carried[article_id] = found
        return found

    def load_near(self, wanted: Iterable[Key]) -> None:
        """Make sure that the neighbours of these keys, and the neighbours' heads, are read."""
        missing = {key for key in wanted if key not in self._near}
        if missing:
            self._near.update(self._index.near(missing))
        self._load_heads(other for key in missing for other in self._near[key])

    def near(self, key: Key) -> tuple[Key, ...]:
        """Give the indexed keys that compare with a loaded key."""
        return self._near[key]

    def entries(self, key: Key, low: bytes, high: bytes) -> Iterator[bytes]:
        """All entries in ``[low, high)``, in order, unchecked; the tail is read if it counts."""
        head = self._heads[key]
        if head.answers(high):
            return (e for e in head.trusted() if low <= e < high)
        inside = [e for e in head.entries if low <= e < high]
        return _distinct(merge(inside, self._index.tail(key, low, high)))

    def load_visible(self, wanted: Collection[tuple[Key, Position]]) -> None:
        """Find what is visible for an article with this ``first`` under each key.

        The keys' heads must be loaded. Rows of the entries' articles are read a round at a
        time for all requests together, no more of them than the slots that are still open.
        """
        asked = self._from_heads([each for each in wanted if each not in self._visible])
        open_requests = {request: _Reading(self, *request, self._rules) for request in asked}
        while open_requests:
            self.load(name for reading in open_requests.values() for name in reading.ask())
            for request in [r for r, reading in open_requests.items() if reading.settle()]:
                self._visible[request] = tuple(open_requests.pop(request).slots)

    def _from_heads(self, wanted: Iterable[tuple[Key, Position]]) -> list[tuple[Key, Position]]:
        """Find what heads tell that begin within the window; gives the requests that are left.

        All who ask for a key share what was found of it: the carriers of one that is in every
        copy of a story would be looked at for each of them otherwise.
        """
        left, pending = [], []
        for request in wanted:
            key, first = request
            head = self._heads[key]
            # Most keys are nobody else's: then there is nothing to read.
            if head.begins_at(first):
                self._visible[request] = ()
            elif head.begins_at(at(timestamp_ms(first) - self._rules.window_ms)):
                pending.append(request)
                if key not in self._carriers:
                    self._carriers[key] = _Carriers(head.trusted())
            else:
                left.append(request)
        while pending:
            asking: dict[Key, Position] = {}
            waiting = []
            for request in pending:
                key, first = request
                slots = self._carriers[key].slots(first, self._rules.visible)
                if slots is None:
                    waiting.append(request)
                    asking[key] = max(first, asking.get(key, first))
                elif len(slots) == self._rules.visible or self._heads[key].answers(first):
                    self._visible[request] = slots
                else:
                    left.append(request)
            pages = [
                self._carriers[key].ask(first, self._rules.visible) for key, first in asking.items()
            ]
            self.load(name for page in pages for _, name in page)
            for key, page in zip(asking, pages, strict=True):
                self._carriers[key].add(page, self)
            pending = waiting
        return left

    def visible(self, key: Key, first: Position) -> Slots:
        """Give what `load_visible` found."""
        return self._visible[key, first]

    def compared(self, key: Key, first: Position) -> dict[str, Candidate]:
        """Give whom an article with this ``first`` is compared with under a key, by article.

        That is who is visible, and is live and still carries the key. All to whom the same
        are visible share what is found.
        """
        slots = self._visible[key, first]
        if not slots:
            return _NOBODY
        # They are kept, so that no others come to be where they are.
        found = self._compared.get((key, id(slots)))
        if found is None:
            there = [candidate for _, name in slots if (candidate := self._candidate(name))]
            found = {each.article: each for each in there if each.content.carries(key, self._rules)}
            self._compared[key, id(slots)] = found
        return found

    def _candidate(self, name: str) -> Candidate | None:
        """Give a loaded article, if it is live."""
        if name not in self._candidates:
            row = self._articles[name]
            live = None
            if row.first is not None and row.current is not None:
                live = Candidate(name, row.first, row.current)
            self._candidates[name] = live
        return self._candidates[name]

    def overgrown(self) -> dict[Key, Head]:
        """Heads that were seen to hold more than their size."""
        size = self._index.head_size
        return {key: head for key, head in self._heads.items() if len(head.entries) > size}

    def _load_heads(self, wanted: Iterable[Key]) -> None:
        missing = {key for key in wanted if key not in self._heads}
        if missing:
            self._heads.update(self._index.heads(missing))


class _Carriers:
    """The entries of a head, in order, checked against their articles as far as anybody asked."""

    def __init__(self, entries: Sequence[bytes]) -> None:
        self._entries = entries
        self._checked = 0
        self._firsts: list[Position] = []
        self._names: list[str] = []
        self._slots: dict[int, Slots] = {}

    def slots(self, first: Position, wanted: int) -> Slots | None:
        """Give the earliest valid ones before a position; None if too few are checked yet.

        As many are the same ones, and the same object.
        """
        count = min(bisect_left(self._firsts, first), wanted)
        unchecked = self._entries[self._checked : self._checked + 1]
        if count < wanted and unchecked and unchecked[0] < first:
            return None
        if count not in self._slots:
            valid = zip(self._firsts[:count], self._names[:count], strict=True)
            self._slots[count] = tuple(valid)
        return self._slots[count]

    def ask(self, first: Position, size: int) -> list[tuple[Position, str]]:
        """Take the next entries before a position, to be checked."""
        page = [e for e in self._entries[self._checked : self._checked + size] if e < first]
        self._checked += len(page)
        return [(position, name.decode()) for position, name in map(split_entry, page)]

    def add(self, page: Iterable[tuple[Position, str]], snapshot: Snapshot) -> None:
        """Keep the entries that agree with their articles, which are loaded."""
        for position, name in page:
            if snapshot.article(name).first == position:
                self._firsts.append(position)
                self._names.append(name)


class _Reading:
    """One request for visible slots: the earliest valid entries in the window.

    The trusted part of the head comes first; only if it leaves slots open is the tail read.
    """

    def __init__(self, snapshot: Snapshot, key: Key, first: Position, rules: Rules) -> None:
        self._snapshot, self._key, self._high = snapshot, key, first
        self._low = at(timestamp_ms(first) - rules.window_ms)
        self._wanted = rules.visible
        self.slots: list[tuple[Position, str]] = []
        head = snapshot._heads[key]  # noqa: SLF001 - a part of the snapshot
        self._source = iter([e for e in head.trusted() if self._low <= e < first])
        self._tail_open = not head.answers(first)
        self._asked: list[tuple[Position, str]] = []

    def ask(self) -> list[str]:
        """Take the next entries; gives the articles whose rows are needed to check them."""
        wanted = min(self._wanted - len(self.slots), _TAIL_PAGE)
        page = [split_entry(entry) for entry in islice(self._source, wanted)]
        self._asked = [(position, name.decode()) for position, name in page]
        return [name for _, name in self._asked]

    def settle(self) -> bool:
        """Keep the entries that agree with their articles; says whether the request is done."""
        exhausted = not self._asked
        for position, name in self._asked:
            if self._snapshot.article(name).first == position:
                self.slots.append((position, name))
        if len(self.slots) >= self._wanted:
            return True
        if exhausted and self._tail_open:
            self._tail_open = False
            self.slots.clear()
            self._source = iter(self._snapshot.entries(self._key, self._low, self._high))
            return False
        return exhausted


def _distinct(ordered: Iterable[bytes]) -> Iterator[bytes]:
    previous = None
    for entry in ordered:
        if entry != previous:
            yield entry
        previous = entry
