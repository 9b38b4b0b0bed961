"""A change of a content system's table says what the bare event of its row says."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.events import Event, EventParser, Kind, Reason, Rejected, parser_of
from streaming.settings import Settings, load
from streaming.stamping import stamp

ROW = {
    "id": 17,
    "channel_id": 18,
    "headline": "今日发布新版编译器",
    "html": "<p>今日发布新版编译器,速度提高一倍。</p>",
    "published": 1_767_571_200_000,
    "agency": "通讯社",
    "status": "published",
}
DEBEZIUM = (
    '{channel = "channel_id", title = "headline", body = "html", published_at = "published",'
    ' source = "agency", where = {status = "published"}}'
)
MIDNIGHT_THERE = 1_767_571_200_000 - 8 * 3_600_000


def settings(table: str = DEBEZIUM) -> Settings:
    return load(overrides=[("events.debezium", table, "test")], environment={}).settings


PARSER = parser_of(settings())
KEY = orjson.dumps({"id": 17})


def parsed(
    op: str,
    after: dict[str, Any] | None,
    before: dict[str, Any] | None = None,
    key: bytes | None = KEY,
    parser: EventParser = PARSER,
) -> Event | Rejected:
    change = {
        "before": before,
        "after": after,
        "op": op,
        "source": {"table": "article"},
        "ts_ms": 1,
    }
    return parser.parse(orjson.dumps(change), key)


def must(kind: Kind) -> Event:
    if kind is Kind.DELETED:
        return Event(kind, "17", "", "", "", None, None, None, None, None)
    title, body = ROW["headline"], ROW["html"]
    assert isinstance(title, str)
    assert isinstance(body, str)
    return Event(kind, "17", "python", title, body, MIDNIGHT_THERE, "通讯社", None, None, None)


@pytest.mark.parametrize(
    ("op", "kind"), [("c", Kind.CREATED), ("r", Kind.CREATED), ("u", Kind.UPDATED)]
)
def test_a_row_that_is_there_is_an_article(op: str, kind: Kind) -> None:
    assert parsed(op, ROW) == must(kind)
    assert parsed(op, ROW, before=ROW | {"headline": "旧"}) == must(kind)
    assert parsed(op, ROW, key=None) == must(kind)


def test_a_row_that_was_removed_is_an_article_that_is_gone() -> None:
    assert parsed("d", None, before=ROW) == must(Kind.DELETED)
    # Without whole rows in the database's log only the key says which one it was.
    assert parsed("d", None, before=None) == must(Kind.DELETED)
    assert PARSER.parse(None, KEY) == must(Kind.DELETED)
    in_schema = orjson.dumps({"schema": {"type": "struct"}, "payload": {"id": 17}})
    assert PARSER.parse(None, in_schema) == must(Kind.DELETED)
    assert PARSER.parse(None, b"\0\0\0\0\7" + KEY) == must(Kind.DELETED)
    rejected = parsed("d", None, before=None, key=b"nobody")
    assert isinstance(rejected, Rejected)
    assert rejected.detail == "id: is in neither row nor key"


def test_only_what_is_published_is_an_article() -> None:
    for status in ("draft", None, True, 1):
        assert parsed("u", ROW | {"status": status}) == must(Kind.DELETED)
    numbers = parser_of(settings('{channel = "channel_id", where = {status = [1, true]}}'))
    for status, kind in ((1, Kind.UPDATED), (True, Kind.UPDATED), (0, Kind.DELETED)):
        row = ROW | {"status": status, "title": "标题", "body": "正文"}
        event = parsed("u", row, parser=numbers)
        assert isinstance(event, Event)
        assert event.kind is kind


def schema_of(kind: str) -> dict[str, Any]:
    columns = [{"field": "id", "type": "int64"}, {"field": "published", "name": kind}]
    rows = [{"field": side, "type": "struct", "fields": columns} for side in ("before", "after")]
    return {"type": "struct", "fields": [*rows, {"field": "op", "type": "string"}]}


@pytest.mark.parametrize(
    ("kind", "value", "milliseconds"),
    [
        ("io.debezium.time.Timestamp", 1_767_571_200_000, MIDNIGHT_THERE),
        ("io.debezium.time.MicroTimestamp", 1_767_571_200_000_000, MIDNIGHT_THERE),
        ("io.debezium.time.NanoTimestamp", 1_767_571_200_000_000_000, MIDNIGHT_THERE),
        ("io.debezium.time.Date", 20_458, MIDNIGHT_THERE),
        ("org.apache.kafka.connect.data.Timestamp", 1_767_571_200_000, MIDNIGHT_THERE),
        ("io.debezium.time.ZonedTimestamp", "2026-01-05T00:00:00Z", 1_767_571_200_000),
        # Not so long ago that its digits could tell the unit.
        ("io.debezium.time.MicroTimestamp", 3_000_000_000, 3_000_000 - 8 * 3_600_000),
    ],
)
def test_times_are_read_as_their_column_is(kind: str, value: Any, milliseconds: int) -> None:
    change = {"before": None, "after": ROW | {"published": value}, "op": "c"}
    event = PARSER.parse(orjson.dumps({"schema": schema_of(kind), "payload": change}), KEY)
    assert isinstance(event, Event)
    assert event.published_ms == milliseconds


def test_without_a_schema_the_size_of_a_time_tells_its_unit() -> None:
    for unit in (1, 1_000, 1_000_000):
        event = parsed("c", ROW | {"published": 1_767_571_200_000 * unit})
        assert event == must(Kind.CREATED)
    event = parsed("c", ROW | {"published": 20_458})
    assert event == must(Kind.CREATED)
    event = parsed("c", ROW | {"published": "2026-01-05T00:00:00+08:00"})
    assert event == must(Kind.CREATED)


def test_a_text_that_was_not_sent_is_not_taken_for_one() -> None:
    rejected = parsed("u", ROW | {"html": "__debezium_unavailable_value"})
    assert isinstance(rejected, Rejected)
    assert rejected.reason is Reason.SCHEMA
    assert rejected.detail.startswith("html: was not sent")


@pytest.mark.parametrize("op", ["t", "m", "", None, 7, ["c"]])
def test_what_is_no_change_of_a_row_is_refused(op: Any) -> None:
    rejected = parsed(op, None)
    assert isinstance(rejected, Rejected)
    assert rejected.reason is Reason.UNKNOWN_EVENT


def test_without_settings_the_way_out_is_told() -> None:
    rejected = parsed("c", ROW, parser=EventParser())
    assert isinstance(rejected, Rejected)
    assert "events.debezium" in rejected.detail


def test_other_events_pass_beside_changes() -> None:
    # A bare event may have fields of any name that nobody reads.
    article = {"article_id": "a", "channel": "go", "title": "标题", "op": "c", "before": None}
    assert isinstance(PARSER.parse(orjson.dumps(article), b"a"), Event)
    deleted = PARSER.parse(None, b"a")
    assert isinstance(deleted, Event)
    assert deleted.article_id == "a"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("after"),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["op", "before", "after", "payload", "schema", "fields", "id", "name"]
                ),
                inner,
                max_size=5,
            )
        ),
    )
)
def test_any_shape_gives_an_answer(document: Any) -> None:
    content = json.dumps(document).encode()
    for value, key in ((content, KEY), (content, content), (None, content)):
        answer = PARSER.parse(value, key)
        assert isinstance(answer, Event | Rejected)


def test_an_index_from_before_has_the_stamp_that_it_had() -> None:
    assert not [name for name in stamp(Settings()) if name.startswith("events.debezium")]
    assert "events.debezium" in stamp(settings())
