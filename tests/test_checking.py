"""A draft gets the verdict that it would get in the log, and leaves no trace."""

import random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.checking import Answer, check
from streaming.drafts import Draft, position_at
from streaming.engine.events import LoggedContent, became
from streaming.errors import SettingsError, StoreError
from streaming.matching.content import Content
from streaming.matching.reference import reference
from streaming.matching.rules import Rules
from streaming.position import timestamp_ms
from streaming.store.memory import MemoryStore
from streaming.texts import Text
from tests.engine.worlds import RULES, batch, event, index, ruling
from tests.indexed import everything
from tests.simulation.histories import NEAR, SHINGLES, TEXTS, UNIT_MS, history

DAY = 86_400_000


class ReadOnly(MemoryStore):
    """Refuses every write."""

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise StoreError("this store is read-only")

    mutate = compare_and_put = delete_rows = ensure_tables = drop_tables = expire = _refuse


def read_only(store: MemoryStore) -> ReadOnly:
    """The same tables, for reading."""
    twin = ReadOnly(f"{store}")
    vars(twin).update(vars(store))
    return twin


def draft(content: Content, article: str | None = None) -> Draft:
    return Draft(article or "draft-1", article, content.channel, content, Text("", ""))


def asked(store: MemoryStore, name: str, fingerprint: int, at_ms: int | None = None) -> Answer:
    return check(read_only(store), RULES, draft(Content("go", "", fingerprint), name), 50, at_ms)


@given(st.integers(0, 2**32), st.sampled_from(("mixed", "late", "hot", "editors")))
def test_the_verdict_is_that_of_the_log_with_the_draft_at_its_end(seed: int, style: str) -> None:
    rng = random.Random(seed)
    made = history(rng, style=style)
    store = index()
    batch(store, made.log(), made.rules)
    before = everything(store)
    now_ms = max(timestamp_ms(each.position) for each in made.log()) + rng.randrange(3) * UNIT_MS
    contents = [each for each in made.log() if isinstance(each, LoggedContent)]
    for name in (None, *sorted({each.article for each in contents})):
        content = Content(
            rng.choice("xy"),
            "",
            rng.choice((*NEAR, None)),
            shingles=rng.choice(SHINGLES),
            evidence=rng.choice(TEXTS),
        )
        answer = check(read_only(store), made.rules, draft(content, name), now_ms, None)
        appended = LoggedContent(name or "draft-1", position_at(now_ms), content)
        expected = reference([*made.became(), became(appended)], made.rules)[appended.article]
        assert (answer.first, answer.verdict) == (expected.first, expected.verdict)
        told = [each.article for each in answer.matches]
        assert told == [each.article for each in expected.verdict.matches]
        assert all(each.row.current is not None and each.measures for each in answer.matches)
        assert bool(answer.refused) == bool(expected.verdict.reason)
        assert orjson.loads(orjson.dumps(answer.fields()))["matches"] == [
            each.as_list() for each in expected.verdict.matches
        ]
    assert everything(store) == before


def test_a_draft_that_is_late_is_judged_as_of_then() -> None:
    store = index()
    batch(store, [event("a", 10), event("b", 20)])
    assert [each.article for each in asked(store, "new", 7).matches] == ["a", "b"]
    assert [each.article for each in asked(store, "new", 7, 15).matches] == ["a"]
    assert asked(store, "new", 7, 10).verdict.duplicate_of == "a", "it comes last in its moment"
    assert asked(store, "new", 7, 9).verdict.best is None


def test_an_edit_is_not_earlier_than_what_stands() -> None:
    store = index()
    batch(store, [event("a", 10), event("b", 20, 0xFF00), event("late", 90, 0xFF00)])
    found = asked(store, "b", 7)
    assert (found.edits, timestamp_ms(found.first), found.verdict.duplicate_of) == (True, 20, "a")
    with pytest.raises(SettingsError, match=r"has an event of 1970-01-01T00:00:00\.020Z"):
        asked(store, "b", 7, 19)
    assert asked(store, "late", 7).verdict.duplicate_of == "a", "the log is ahead of the clock"


def test_the_root_is_the_end_of_the_chain_with_the_draft_in_it() -> None:
    store = index()
    batch(store, [event("a", 1, 0), event("b", 2, 0b111)])
    assert asked(store, "new", 0b111111).root == "a"
    assert asked(store, "new", 0xFF00).root == "new"
    assert check(store, RULES, draft(Content("go", "", 0xFF00)), 50, None).root is None
    batch(store, [ruling("a", 3, "original", "b")])
    assert asked(store, "b", 0xFF00).root == "b"
    assert asked(store, "new", 0b111111).root == "b"


def test_what_editors_said_of_an_article_holds_for_a_draft_of_it() -> None:
    store = index()
    batch(store, [event("a", 1), event("b", 2), ruling("new", 3, "not_duplicate", "a")])
    found = asked(store, "new", 7)
    assert not found.edits, "it was named, and never published"
    assert found.verdict.duplicate_of == "b"
    assert found.refused is not None
    assert (found.refused.article, found.refused.why) == ("a", "not_duplicate")
    assert found.verdict.overrides == (("not_duplicate", "a"),)


@pytest.mark.parametrize(
    ("now", "at", "expected"),
    [
        (DAY, None, None),
        (200 * DAY, None, "nothing can match; --at"),
        (DAY, 200 * DAY, "nothing can match; --at"),
        (5, None, "the log is ahead of the clock"),
        (DAY, 5, None),
    ],
)
def test_a_warning_tells_of_another_time(now: int, at: int | None, expected: str | None) -> None:
    store = index()
    batch(store, [event("a", 10)])
    found = check(store, Rules(), draft(Content("go", "", 1 << 40)), now, at)
    assert found.warning is None if expected is None else expected in str(found.warning)


def test_an_empty_index_warns() -> None:
    assert "no event" in str(check(index(), RULES, draft(Content("go", "", 1)), 5, None).warning)
