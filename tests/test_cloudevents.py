"""A CloudEvent says what the bare event in it says, and nothing else is taken for one."""

import base64
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming import cloudevents
from streaming.cloudevents import Mode
from streaming.engine.events import LoggedContent
from streaming.enrichment import Enricher
from streaming.events import Event, EventParser, Kind, Reason, Rejected
from streaming.filelog import LogRecord
from streaming.settings import Settings

PARSER = EventParser({"18": "python"}, max_bytes=100_000)
ARTICLE = {
    "article_id": "a-1",
    "channel": 18,
    "title": "标题",
    "body": "<p>今日发布新版编译器</p>",
    "published_at": "2026-01-05T08:00:00+08:00",
    "source": "通讯社",
}
NAMELESS = {name: value for name, value in ARTICLE.items() if name != "article_id"}
ATTRIBUTES = {
    "specversion": "1.0",
    "id": "message-1",
    "source": "/cms/7",
    "type": "cn.example.cms.article.created",
}
STRUCTURED = (("content-type", b"application/cloudevents+json"),)
Headers = tuple[tuple[str, bytes | None], ...]


def structured(document: Any, headers: Headers = STRUCTURED) -> Event | Rejected:
    return PARSER.parse(orjson.dumps(document), b"key", headers)


def headers_of(**attributes: str | None) -> Headers:
    both: dict[str, str | None] = {**ATTRIBUTES, **attributes}
    return tuple(
        (f"ce_{name}", value.encode()) for name, value in both.items() if value is not None
    )


def binary(value: Any, **attributes: str | None) -> Event | Rejected:
    content = value if value is None or isinstance(value, bytes) else orjson.dumps(value)
    return PARSER.parse(content, b"key", headers_of(**attributes))


def both(data: Any, **attributes: str) -> Event | Rejected:
    """Parse data in both modes, which must agree."""
    one = structured({**ATTRIBUTES, **attributes, "data": data})
    other = binary(data, **attributes)
    if isinstance(one, Rejected) and isinstance(other, Rejected):
        assert one.reason is other.reason
    else:
        assert one == other
    return one


def told(result: Event | Rejected) -> str:
    assert isinstance(result, Rejected), result
    return f"{result.reason}: {result.detail}"


BARE = PARSER.parse(orjson.dumps(ARTICLE))


@pytest.mark.parametrize(
    "headers",
    [
        STRUCTURED,
        (("Content-Type", b"Application/CloudEvents+JSON; charset=UTF-8"),),
        (("content-type", b"text/plain"), ("content-type", b" application/cloudevents+json ;a=b")),
        (*STRUCTURED, ("ce_type", b"ignored.deleted")),
        (("content-type", b"application/json"),),
        (("content-type", None), ("trace", b"\xff")),
        (),
    ],
)
def test_a_structured_event_is_the_bare_event(headers: Headers) -> None:
    assert isinstance(BARE, Event)
    assert structured({**ATTRIBUTES, "data": ARTICLE}, headers) == BARE
    encoded = base64.b64encode(orjson.dumps(ARTICLE)).decode()
    assert structured({**ATTRIBUTES, "data_base64": encoded}, headers) == BARE
    assert structured({**ATTRIBUTES, "data": None, "data_base64": encoded}, headers) == BARE


@pytest.mark.parametrize("more", [(), (("content-type", b"application/json"), ("trace", None))])
def test_a_binary_event_is_the_bare_event(more: Headers) -> None:
    value = orjson.dumps(ARTICLE)
    assert PARSER.parse(value, None, (*headers_of(), *more)) == BARE
    shouting = tuple((name.upper(), content) for name, content in headers_of())
    assert PARSER.parse(value, None, (*more, *shouting)) == BARE
    assert PARSER.parse(value, None, (("ce_id", b""), *headers_of())) == BARE


def test_a_bare_article_is_never_taken_for_one() -> None:
    bares: tuple[dict[str, Any], ...] = (
        {**ARTICLE, **ATTRIBUTES, "data": {"event": "deleted"}, "subject": "b"},
        {**NAMELESS, **ATTRIBUTES},
        {**ATTRIBUTES, "event": "deleted"},
        {**ATTRIBUTES, "event": "release"},
    )
    for bare in bares:
        event = PARSER.parse(orjson.dumps(bare))
        assert isinstance(event, Event)
        assert event.article_id == bare.get("article_id", "message-1")
        assert event.kind.value.startswith(bare.get("event", "created"))


def test_the_event_is_that_of_the_data_before_that_of_the_type() -> None:
    for word, kind in (("created", Kind.CREATED), ("update", Kind.UPDATED)):
        event = both({**ARTICLE, "event": word}, type="cms.article.deleted")
        assert isinstance(event, Event)
        assert event.kind is kind
    assert told(both({**ARTICLE, "event": "moved"})).startswith("unknown_event: event: ")


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("created", Kind.CREATED),
        ("create", Kind.CREATED),
        ("updated", Kind.UPDATED),
        ("deleted", Kind.DELETED),
        ("delete", Kind.DELETED),
        ("not_duplicate", Kind.NOT_DUPLICATE),
        ("original", Kind.ORIGINAL),
        ("release", Kind.RELEASED),
    ],
)
def test_the_last_part_of_the_type_names_the_event(word: str, kind: Kind) -> None:
    for name in (f"cn.example.article.{word}", word):
        for silent in (ARTICLE, {**ARTICLE, "event": None}):
            event = both({**silent, "other_id": "b"}, type=name)
            assert isinstance(event, Event)
            assert (event.kind, event.article_id) == (kind, "a-1")


@pytest.mark.parametrize(
    "name", ["article.moved", "article.created.v1", "created/", "Created", "."]
)
def test_a_type_that_names_no_event_is_unknown_and_never_created(name: str) -> None:
    rejected = both(ARTICLE, type=name)
    assert isinstance(rejected, Rejected)
    assert rejected.reason is Reason.UNKNOWN_EVENT
    assert rejected.detail.startswith("type: ")


def test_the_subject_names_the_article_where_the_data_does_not() -> None:
    event = both(NAMELESS, subject="a-1")
    assert event == BARE
    assert both(ARTICLE, subject="b") == BARE
    assert both({**NAMELESS, "id": "a-1"}, subject="b") == BARE
    assert told(both(NAMELESS)) == "schema: article_id: is required"
    for subject, rule in (("", "is empty"), ("a\0", "control"), ("a" * 257, "longer than 256")):
        said = told(both(NAMELESS, subject=subject))
        assert said.startswith("schema: subject: ")
        assert rule in said
    document = {**ATTRIBUTES, "data": NAMELESS, "subject": 7}
    assert structured(document) == Rejected(Reason.SCHEMA, "subject: is not text")


def test_source_and_time_of_the_message_are_not_those_of_the_article() -> None:
    bare = {"article_id": "a-1", "channel": "x", "body": "y"}
    event = both(bare, time="2020-01-01T00:00:00Z")
    assert isinstance(event, Event)
    assert (event.source, event.published_ms) == (None, None)


DELETED: dict[str, Any] = {**ATTRIBUTES, "type": "cms.article.deleted"}


@pytest.mark.parametrize("more", [{}, {"data": None}, {"data": {}}, {"data_base64": ""}])
def test_a_deletion_needs_no_data_if_the_subject_names_the_article(more: dict[str, Any]) -> None:
    event = structured({**DELETED, "subject": "a-1", **more})
    assert event == PARSER.parse(None, b"a-1")
    assert told(structured(DELETED | more)) == "schema: article_id: is required"


def test_an_empty_value_deletes_as_well_if_type_and_subject_say_so() -> None:
    for value in (b"", b"null", b"{}"):
        assert binary(value, type="x.delete", subject="a-1") == PARSER.parse(None, b"a-1")


def test_nothing_but_a_deletion_goes_without_data() -> None:
    for word in ("created", "updated", "original", "released"):
        document = {**ATTRIBUTES, "type": f"cms.{word}", "subject": "a-1"}
        detail = "data: is required, except to delete"
        assert structured(document) == Rejected(Reason.SCHEMA, detail)
        rejected = binary(b"", type=f"cms.{word}", subject="a-1")
        assert rejected == Rejected(Reason.SCHEMA, "value: is required, except to delete")


def test_a_binary_event_without_value_deletes_the_subject_or_else_the_key() -> None:
    for name in ("cms.article.deleted", "delete", "cms.article.gone"):
        assert binary(None, type=name, subject="a-1") == PARSER.parse(None, b"a-1")
        assert binary(None, type=name) == PARSER.parse(None, b"key")
    for key in (None, b"", b"\xff", b"a\0"):
        assert PARSER.parse(None, key, headers_of(type="delete")) == PARSER.parse(None, key)


@pytest.mark.parametrize("word", ["created", "update", "original", "released"])
def test_a_value_that_got_lost_does_not_delete(word: str) -> None:
    rejected = binary(None, type=f"cms.{word}", subject="a-1")
    assert isinstance(rejected, Rejected)
    assert rejected.reason is Reason.SCHEMA
    assert "is null, which deletes" in rejected.detail


def test_without_value_other_headers_mean_nothing() -> None:
    for headers in (STRUCTURED, (("content-type", b"application/cloudevents-batch+json"),)):
        assert PARSER.parse(None, b"a-1", headers) == PARSER.parse(None, b"a-1")


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type"])
def test_required_attributes_are_named(name: str) -> None:
    lacking = {known: value for known, value in ATTRIBUTES.items() if known != name}
    rejected = structured({**lacking, "data": ARTICLE})
    assert rejected == Rejected(Reason.SCHEMA, f"{name}: is required")
    assert structured({**ATTRIBUTES, name: None, "data": ARTICLE}) == rejected
    said = f"ce_{name}: is required"
    assert binary(ARTICLE, **{name: None}) == Rejected(Reason.SCHEMA, said)
    assert binary(None, **{name: None}) == Rejected(Reason.SCHEMA, said)
    for wrong in (1, ["x"], True, ""):
        rejected = structured({**ATTRIBUTES, name: wrong, "data": ARTICLE})
        assert isinstance(rejected, Rejected)
        assert (rejected.reason, rejected.detail[: len(name)]) == (Reason.SCHEMA, name)


def test_several_missing_attributes_are_told_together() -> None:
    rejected = structured({"specversion": "1.0", "data": ARTICLE}, ())
    assert isinstance(rejected, Rejected)
    assert rejected.detail == "id: is required; source: is required; type: is required"


@pytest.mark.parametrize("version", ["0.3", "2.0", "1", "1.", "1.0.1", "１.0", " 1.0", "10"])
def test_other_versions_are_refused(version: str) -> None:
    rejected = both(ARTICLE, specversion=version)
    assert isinstance(rejected, Rejected)
    assert "specversion: is not 1.0 or another 1.x" in rejected.detail
    assert both(ARTICLE, specversion="1.1") == BARE


@pytest.mark.parametrize("data", [[ARTICLE], "text", 1, True])
def test_data_that_is_no_object_is_refused(data: Any) -> None:
    assert told(structured({**ATTRIBUTES, "data": data})) == "schema: data: is not an object"
    assert told(binary(data)) == "schema: value: is not an object"


def test_a_document_that_is_none_is_told_as_such() -> None:
    for document in ([{**ATTRIBUTES, "data": ARTICLE}], None, "x"):
        rejected = structured(document)
        assert rejected == Rejected(Reason.SCHEMA, "document: is not an object")


@pytest.mark.parametrize(
    ("media", "said"),
    [
        (b"application/cloudevents-batch+json", "is a batch"),
        (b"Application/CloudEvents-Batch+JSON; charset=utf-8", "is a batch"),
        (b"application/cloudevents", "only application/cloudevents+json"),
        (b"application/cloudevents+avro", "only application/cloudevents+json"),
    ],
)
def test_batches_and_other_formats_are_refused(media: bytes, said: str) -> None:
    rejected = PARSER.parse(orjson.dumps([]), None, (*headers_of(), ("content-type", media)))
    assert isinstance(rejected, Rejected)
    assert rejected.reason is Reason.SCHEMA
    assert rejected.detail.startswith("content-type: ")
    assert said in rejected.detail


@pytest.mark.parametrize(
    ("encoded", "reason", "detail"),
    [
        ("***", Reason.SCHEMA, "data_base64: is not text in base64"),
        ("资料", Reason.SCHEMA, "data_base64: is not text in base64"),
        (7, Reason.SCHEMA, "data_base64: is not text in base64"),
        (["e30="], Reason.SCHEMA, "data_base64: is not text in base64"),
        ("e30", Reason.SCHEMA, "data_base64: is not text in base64"),
        ("ew==", Reason.NOT_JSON, "data_base64: line 1 column 2"),
        ("/w==", Reason.NOT_UTF8, "data_base64: byte 0 is not UTF-8"),
        ("W10=", Reason.SCHEMA, "data_base64: is not an object"),
        (base64.b64encode(b"[" * 9_000).decode(), Reason.TOO_DEEP, "data_base64: line 1"),
    ],
)
def test_data_in_base64_that_cannot_be_read(encoded: Any, reason: Reason, detail: str) -> None:
    rejected = structured({**ATTRIBUTES, "data_base64": encoded})
    assert isinstance(rejected, Rejected)
    assert rejected.reason is reason
    assert rejected.detail.startswith(detail)


def test_data_may_be_there_only_once() -> None:
    rejected = structured({**ATTRIBUTES, "data": ARTICLE, "data_base64": "e30="})
    assert rejected == Rejected(Reason.SCHEMA, "data, data_base64: only one of them may be there")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"\xff", Reason.NOT_UTF8),
        (b"{", Reason.NOT_JSON),
        (b"<article/>", Reason.NOT_JSON),
        (b"[" * 90_000, Reason.TOO_DEEP),
        (b" " * 100_001, Reason.TOO_LARGE),
    ],
)
def test_bytes_that_cannot_be_read_have_their_reason_in_both_modes(
    value: bytes, reason: Reason
) -> None:
    for headers in (STRUCTURED, headers_of()):
        rejected = PARSER.parse(value, None, headers)
        assert isinstance(rejected, Rejected)
        assert rejected.reason is reason


def test_size_is_that_of_the_whole_message() -> None:
    padded = {**ATTRIBUTES, "data": ARTICLE, "padding": "x" * 100_000}
    assert told(structured(padded)).startswith("too_large: ")


def test_an_attribute_that_is_no_text_is_told_and_extensions_may_be_anything() -> None:
    headers = (*headers_of(subject=None), ("ce_subject", b"\xff"))
    rejected = PARSER.parse(orjson.dumps(ARTICLE), None, headers)
    assert rejected == Rejected(Reason.NOT_UTF8, "ce_subject: byte 0 is not UTF-8")
    extended = (*headers_of(), ("ce_" + "x" * 500, b"\xff"), ("ce_trace", None))
    assert PARSER.parse(orjson.dumps(ARTICLE), None, extended) == BARE


def test_both_modes_become_the_content_that_the_bare_event_becomes() -> None:
    enricher = Enricher(Settings())
    updated = {**ARTICLE, "event": "updated"}
    silent = {**NAMELESS, "source": "通讯社"}
    said: dict[str, Any] = {**ATTRIBUTES, "type": "cms.article.updated", "subject": "a-1"}
    encoded = base64.b64encode(orjson.dumps(silent)).decode()
    messages: list[tuple[bytes | None, Headers]] = [
        (orjson.dumps(updated), ()),
        (orjson.dumps({**said, "data": silent}), STRUCTURED),
        (orjson.dumps({**said, "data_base64": encoded}), ()),
        (orjson.dumps(silent), headers_of(type="cms.article.updated", subject="a-1")),
    ]
    records = [LogRecord("t", 0, 5, 1_000, b"k", value, sent) for value, sent in messages]
    answers = enricher.enrich(records)
    bare = answers[0]
    assert isinstance(bare, LoggedContent)
    assert bare.content is not None
    assert bare.content.fingerprint is not None
    assert (bare.article, bare.content.channel, bare.content.source) == ("a-1", "python", "通讯社")
    assert answers == [bare] * 4
    gone = enricher.enrich(
        [
            LogRecord("t", 0, 5, 1_000, b"a-1", None),
            LogRecord("t", 0, 5, 1_000, b"k", None, headers_of(type="x.deleted", subject="a-1")),
            LogRecord("t", 0, 5, 1_000, b"k", orjson.dumps(DELETED | {"subject": "a-1"})),
        ]
    )
    assert gone == [gone[0]] * 3
    assert isinstance(gone[0], LoggedContent)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ("specversion", "id", "source", "type", "subject", "data", "data_base64", "event")
TEXTS = ("1.0", "x.deleted", "x.original", "created", "a", "e30=", "application/cloudevents+json")
VALUES = st.dictionaries(
    st.sampled_from([*FIELDS, *ARTICLE, "other_id"]),
    JSON | st.sampled_from(TEXTS) | st.just(ARTICLE),
).map(lambda fields: orjson.dumps({**ATTRIBUTES, **fields}))
HEADER_NAMES = st.sampled_from(
    ["content-type", "Content-Type", "ce_", *(f"ce_{name}" for name in FIELDS)]
)
HEADERS = st.lists(
    st.tuples(
        HEADER_NAMES | st.text(max_size=9),
        st.none() | st.binary(max_size=9) | st.sampled_from([text.encode() for text in TEXTS]),
    ),
    max_size=7,
).map(tuple)


@given(
    st.none() | st.binary(max_size=200) | VALUES,
    st.none() | st.binary(max_size=9),
    HEADERS | HEADERS.map(lambda more: (*headers_of(), *more)),
)
def test_any_bytes_under_any_headers_give_an_event_or_a_short_reason(
    value: bytes | None, key: bytes | None, headers: Headers
) -> None:
    result = PARSER.parse(value, key, headers)
    if isinstance(result, Rejected):
        assert 0 < len(result.detail) <= 200
    else:
        assert 0 < len(result.article_id) <= 256
        assert result.kind is not Kind.CREATED or result.channel


@given(VALUES)
def test_whoever_says_it_is_structured_is_believed_and_the_rest_is_decided_by_the_rule(
    value: bytes,
) -> None:
    document = orjson.loads(value)
    bare = bool({"article_id", "channel", "event"} & document.keys())
    assert cloudevents.is_structured(document) is not bare
    assert cloudevents.mode_of(STRUCTURED, value) is Mode.STRUCTURED
    if not bare:
        assert PARSER.parse(value) == PARSER.parse(value, None, STRUCTURED)
