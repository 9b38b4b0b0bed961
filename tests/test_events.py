"""What counts as an article event, and that nothing else can do harm."""

import pickle
from datetime import UTC, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas
from streaming.events import Event, EventParser, Kind, Reason, Rejected
from tests.pages import DOCS

PARSER = EventParser({"18": "python", "1": "html"}, max_bytes=100_000)
ARTICLE = {"article_id": "a-1", "channel": "体育", "title": "标题", "body": "<p>正文</p>"}
DELETE = {"event": "deleted", "article_id": "a-1"}
OVERRIDE = {"event": "not_duplicate", "article_id": "a-1", "other_id": "b-2"}


def parse(document: Any, key: bytes | None = None) -> Event | Rejected:
    return PARSER.parse(orjson.dumps(document), key)


def valid(document: Any) -> Event:
    event = parse(document)
    assert isinstance(event, Event), event
    return event


def refused(document: Any) -> Rejected:
    rejected = parse(document)
    assert isinstance(rejected, Rejected), rejected
    return rejected


def without(name: str) -> dict[str, str]:
    return {field: value for field, value in ARTICLE.items() if field != name}


def test_a_plain_article_counts_as_created() -> None:
    assert valid(ARTICLE) == Event(
        Kind.CREATED, "a-1", "体育", "标题", "<p>正文</p>", None, None, None, None, None
    )


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("created", Kind.CREATED),
        ("create", Kind.CREATED),
        ("updated", Kind.UPDATED),
        ("update", Kind.UPDATED),
        ("deleted", Kind.DELETED),
        ("delete", Kind.DELETED),
        (None, Kind.CREATED),
    ],
)
def test_long_and_short_forms_of_events(word: str | None, kind: Kind) -> None:
    assert valid(ARTICLE | {"event": word}).kind is kind


@pytest.mark.parametrize("word", ["Created", "publish", "", 1, [], {}])
def test_other_events_are_unknown(word: object) -> None:
    assert refused(ARTICLE | {"event": word}).reason is Reason.UNKNOWN_EVENT


def test_aliases_are_read_when_the_field_is_missing() -> None:
    event = valid(
        {"id": "n-260", "channel": "gn", "body": "正文", "publish_time": "2023-10-20 11:38"}
    )
    assert event.article_id == "n-260"
    assert event.published_ms == 1697773080000
    assert valid({**ARTICLE, "id": "other"}).article_id == "a-1"
    both = {**ARTICLE, "published_at": "", "publish_time": 1697773080}
    assert valid(both).published_ms == 1697773080000


@pytest.mark.parametrize("number", [0, -5, 7, 2**53 + 1, 2**64 - 1, -(2**63)])
def test_whole_numbers_as_ids_are_kept_exactly(number: int) -> None:
    assert valid(ARTICLE | {"article_id": number}).article_id == str(number)


@pytest.mark.parametrize(
    "literal",
    [b"18446744073709551616", b"-9223372036854775809", b"1e19", b"12345678901234567890.0"],
)
def test_numbers_that_would_change_are_refused(literal: bytes) -> None:
    rejected = PARSER.parse(b'{"article_id":%s,"channel":"x","body":"y"}' % literal)
    assert isinstance(rejected, Rejected)
    assert rejected.reason is Reason.SCHEMA
    assert "send it as text" in rejected.detail


def test_channel_numbers_are_resolved_and_names_stand_for_themselves() -> None:
    assert valid(ARTICLE | {"channel": 18}).channel == "python"
    assert valid(ARTICLE | {"channel": "18"}).channel == "python"
    assert valid(ARTICLE | {"channel": 18.0}).channel == "python"
    assert valid(ARTICLE | {"channel": "19"}).channel == "19"
    assert valid(ARTICLE | {"channel": "python"}).channel == "python"


@pytest.mark.parametrize("field", ["article_id", "channel"])
@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("", "is empty"),
        ("a" * 257, "longer than 256"),
        ("a\0b", "control characters"),
        ("a\n", "control characters"),
        ("\x85", "control characters"),
        (None, "neither text nor a whole number"),
        (True, "neither text nor a whole number"),
        (1.5, "neither text nor a whole number"),
        (["a"], "neither text nor a whole number"),
    ],
)
def test_names_that_cannot_be_keys_are_refused(field: str, value: object, rule: str) -> None:
    rejected = refused(ARTICLE | {field: value})
    assert rejected.reason is Reason.SCHEMA
    assert rejected.detail.startswith(f"{field}: ")
    assert rule in rejected.detail


@pytest.mark.parametrize("field", ["article_id", "channel"])
def test_required_fields_are_named(field: str) -> None:
    assert refused(without(field)) == Rejected(Reason.SCHEMA, f"{field}: is required")


def test_several_broken_rules_are_told_together() -> None:
    assert refused({"body": "x"}).detail == "article_id: is required; channel: is required"


def test_an_id_of_256_characters_is_taken() -> None:
    assert valid(ARTICLE | {"article_id": "新" * 256}).article_id == "新" * 256


@pytest.mark.parametrize("field", ["title", "body"])
@pytest.mark.parametrize("value", [None, "", " \n\u3000"])
def test_title_or_body_is_enough(field: str, value: str | None) -> None:
    event = valid(ARTICLE | {field: value})
    assert {event.title, event.body} == {
        value or "",
        *(ARTICLE[f] for f in ("title", "body") if f != field),
    }
    assert valid(without(field))


@pytest.mark.parametrize("title", [None, "", "\u3000\t"])
@pytest.mark.parametrize("body", [None, "", "\n \ufeff"])
def test_neither_title_nor_body_is_empty_text(title: str | None, body: str | None) -> None:
    rejected = refused(ARTICLE | {"title": title, "body": body})
    assert rejected == Rejected(Reason.EMPTY_TEXT, "title, body: both are missing or empty")
    assert refused({"id": 1, "channel": 1}).reason is Reason.EMPTY_TEXT


def test_a_deletion_needs_an_id_only_and_carries_no_text() -> None:
    assert valid(DELETE) == Event(Kind.DELETED, "a-1", "", "", "", None, None, None, None, None)
    event = valid(ARTICLE | {"event": "delete"})
    assert (event.channel, event.title, event.body) == ("体育", "", "")
    assert refused({"event": "deleted"}).detail == "article_id: is required"


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("not_duplicate", Kind.NOT_DUPLICATE),
        ("original", Kind.ORIGINAL),
        ("released", Kind.RELEASED),
        ("release", Kind.RELEASED),
    ],
)
def test_an_override_names_two_articles_and_says_who_and_why(word: str, kind: Kind) -> None:
    event = valid(OVERRIDE | {"event": word, "by": " 值班\n编辑 ", "note": "记" * 300})
    assert event == Event(
        kind, "a-1", "", "", "", None, None, None, None, None, "b-2", "值班 编辑", "记" * 256
    )
    assert event.kind.is_override
    bare = valid({"event": word, "id": 7, "other_id": 8.0})
    assert (bare.article_id, bare.other_id, bare.by, bare.note) == ("7", "8", None, None)


def test_the_other_kinds_are_no_overrides() -> None:
    assert [kind for kind in Kind if not kind.is_override] == [
        Kind.CREATED, Kind.UPDATED, Kind.DELETED,
    ]  # fmt: skip


@pytest.mark.parametrize("word", ["released", "release"])
@pytest.mark.parametrize("other", [{}, {"other_id": None}])
def test_everything_said_of_an_article_can_be_released(word: str, other: dict[str, Any]) -> None:
    event = valid({"event": word, "article_id": "a-1", **other})
    assert (event.kind, event.article_id, event.other_id) == (Kind.RELEASED, "a-1", None)


@pytest.mark.parametrize("word", ["not_duplicate", "original"])
def test_other_overrides_need_the_other_article(word: str) -> None:
    assert refused({"event": word, "article_id": "a-1"}).detail == "other_id: is required"
    assert refused(OVERRIDE | {"event": word, "other_id": None}) == Rejected(
        Reason.SCHEMA, "other_id: is neither text nor a whole number"
    )


@pytest.mark.parametrize("word", ["not_duplicate", "original", "released"])
@pytest.mark.parametrize(
    ("document", "detail"),
    [
        ({"article_id": "a", "other_id": "a"}, "other_id: names the article itself"),
        ({"article_id": "7", "other_id": 7}, "other_id: names the article itself"),
        ({"id": 7.0, "other_id": 7}, "other_id: names the article itself"),
        ({"other_id": "a"}, "article_id: is required"),
        ({"article_id": "a", "other_id": ""}, "other_id: is empty"),
        ({"article_id": "a", "other_id": "b\0"}, "other_id: contains control characters"),
        ({"article_id": "a", "other_id": "b" * 257}, "other_id: is longer than 256 characters"),
        ({"article_id": "a", "other_id": []}, "other_id: is neither text nor a whole number"),
        ({"article_id": "a", "other_id": True}, "other_id: is neither text nor a whole number"),
        ({"article_id": "a", "other_id": "b", "by": 1}, "by: is not of type null or string"),
        ({"article_id": "a", "other_id": "b", "note": []}, "note: is not of type null or string"),
    ],
)
def test_overrides_that_cannot_be_meant_are_refused(
    word: str, document: dict[str, Any], detail: str
) -> None:
    assert refused({"event": word, **document}) == Rejected(Reason.SCHEMA, detail)


@pytest.mark.parametrize("field", ["article_id", "other_id"])
def test_numbers_of_overrides_that_would_change_are_refused(field: str) -> None:
    for number in (1e19, 2.0**60):
        rejected = refused(OVERRIDE | {field: number})
        assert rejected.reason is Reason.SCHEMA
        assert rejected.detail == (
            f"{field}: is too large a number to keep exactly; send it as text"
        )


def test_the_overrides_that_the_page_of_events_shows_are_valid() -> None:
    page = (DOCS / "events.md").read_text(encoding="utf-8")
    shown = [orjson.loads(line) for line in page.splitlines() if line.startswith('{"event": ')]
    assert {valid(each).kind for each in shown} >= {kind for kind in Kind if kind.is_override}


def test_what_other_events_hold_is_ignored_in_overrides() -> None:
    article: dict[str, Any] = {
        "channel": None, "title": 1, "body": [], "published_at": "昨天", "source": {}, "author": 2,
    }  # fmt: skip
    assert valid(OVERRIDE | article) == valid(OVERRIDE)


def test_what_overrides_hold_is_ignored_in_other_events() -> None:
    override = {"other_id": "", "by": {"name": "记者"}, "note": 5}
    assert valid(ARTICLE | override) == valid(ARTICLE)
    assert valid(DELETE | override | {"other_id": "a-1"}) == valid(DELETE)
    deep = b',"by":' + b"[" * 900 + b"]" * 900 + b"}"
    assert PARSER.parse(orjson.dumps(ARTICLE)[:-1] + deep) == valid(ARTICLE)
    broken = PARSER.parse(orjson.dumps(without("channel"))[:-1] + deep)
    assert broken == Rejected(Reason.SCHEMA, "channel: is required")


def test_a_message_without_value_deletes_the_article_of_its_key() -> None:
    event = PARSER.parse(None, "新-1".encode())
    assert isinstance(event, Event)
    assert (event.kind, event.article_id) == (Kind.DELETED, "新-1")


@pytest.mark.parametrize(
    ("value", "key", "reason"),
    [
        (None, None, Reason.NO_VALUE),
        (None, b"", Reason.NO_VALUE),
        (b"", b"a-1", Reason.NO_VALUE),
        (None, b"\xff", Reason.NOT_UTF8),
        (None, b"a\0", Reason.SCHEMA),
        (None, b"a" * 257, Reason.SCHEMA),
        (b"\xb1\xea\xcc\xe2", None, Reason.NOT_UTF8),
        (b'{"article_id":"\xff"}', None, Reason.NOT_UTF8),
        (b"{", None, Reason.NOT_JSON),
        (b"{'a': 1}", None, Reason.NOT_JSON),
        (b'{"a": NaN}', None, Reason.NOT_JSON),
        (b'{"body": "\\ud800"}', None, Reason.NOT_JSON),
        (b"[]", None, Reason.SCHEMA),
        (b'"text"', None, Reason.SCHEMA),
        (b"null", None, Reason.SCHEMA),
        (b"[" * 100_000, None, Reason.TOO_DEEP),
        (b'{"a":' * 16_000, None, Reason.TOO_DEEP),
        (b'{"body":' + b"[" * 900 + b"]" * 900 + b"}", None, Reason.TOO_DEEP),
        (b" " * 100_001, None, Reason.TOO_LARGE),
    ],
)
def test_what_cannot_be_read_has_its_reason(
    value: bytes | None, key: bytes | None, reason: Reason
) -> None:
    rejected = PARSER.parse(value, key)
    assert isinstance(rejected, Rejected)
    assert rejected.reason is reason


FRAMED = b"\0" + (7).to_bytes(4)


def test_what_a_schema_registry_puts_before_json_is_passed_over() -> None:
    assert PARSER.parse(FRAMED + orjson.dumps(ARTICLE)) == valid(ARTICLE)
    cloud = {"specversion": "1.0", "id": "1", "source": "/cms", "type": "x.created"}
    enclosed = orjson.dumps({**cloud, "data": ARTICLE})
    headers = (("content-type", b"application/cloudevents+json"),)
    assert PARSER.parse(FRAMED + enclosed, headers=headers) == valid(ARTICLE)
    binary = tuple((f"ce_{name}", value.encode()) for name, value in cloud.items())
    assert PARSER.parse(FRAMED + orjson.dumps(ARTICLE), headers=binary) == valid(ARTICLE)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (FRAMED, Reason.NO_VALUE),
        (FRAMED[:4], Reason.NOT_JSON),
        (FRAMED + b"\x02\x06a-1", Reason.NOT_JSON),
        (FRAMED + FRAMED + b"{}", Reason.NOT_JSON),
        (b"\1" + FRAMED[1:] + b"{}", Reason.NOT_JSON),
    ],
)
def test_a_frame_without_json_in_it_is_refused(value: bytes, reason: Reason) -> None:
    rejected = PARSER.parse(value)
    assert isinstance(rejected, Rejected)
    assert rejected.reason is reason


def test_deep_fields_that_nobody_reads_do_not_matter() -> None:
    value = orjson.dumps(ARTICLE)[:-1] + b',"x":' + b"[" * 900 + b"]" * 900 + b"}"
    assert isinstance(PARSER.parse(value), Event)


def test_hostile_nesting_is_refused_and_not_followed() -> None:
    rejected = EventParser().parse(b"[" * 1_000_000)
    assert isinstance(rejected, Rejected)
    assert rejected.reason is Reason.TOO_DEEP


def test_size_is_looked_at_before_anything_else() -> None:
    rejected = EventParser(max_bytes=10).parse(b"\xff" * 11)
    assert rejected == Rejected(Reason.TOO_LARGE, "value: 11 bytes, the limit is 10")
    assert isinstance(EventParser(max_bytes=10).parse(b"\xff" * 10), Rejected)


def test_unknown_fields_pass() -> None:
    assert valid(ARTICLE | {"tags": ["a"], "channel_code": None}) == valid(ARTICLE)


def test_labels_become_one_clean_line() -> None:
    event = valid(
        ARTICLE
        | {
            "source": " 中新社\0\n北京 ",
            "author": "记" * 300,
            "language": "",
            "url": "\thttps://x/1 ",
        }
    )
    assert event.source == "中新社 北京"
    assert event.author == "记" * 256
    assert event.language is None
    assert event.url == "https://x/1"


def test_times_without_an_offset_are_in_the_configured_one() -> None:
    value = orjson.dumps(ARTICLE | {"published_at": "2023-10-20 11:38"})
    china = PARSER.parse(value)
    utc = EventParser(naive=UTC).parse(value)
    assert isinstance(china, Event)
    assert isinstance(utc, Event)
    assert china.published_ms is not None
    assert utc.published_ms == china.published_ms + 8 * 3_600_000


@pytest.mark.parametrize("value", ["昨天", "0000-00-00 00:00:00", "2023-02-30", 1e300])
def test_a_time_that_is_none_is_refused_rather_than_lost(value: object) -> None:
    rejected = refused(ARTICLE | {"published_at": value})
    assert rejected.reason is Reason.SCHEMA
    assert rejected.detail.startswith("published_at: ")


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_blank_time_is_a_missing_one(value: object) -> None:
    assert valid(ARTICLE | {"published_at": value}).published_ms is None


def test_parsers_travel_to_workers() -> None:
    sent = pickle.dumps(EventParser({"18": "python"}, 5_000, timezone(timedelta(0))))
    parser = pickle.loads(sent)  # noqa: S301 - our own bytes
    assert parser.parse(orjson.dumps(ARTICLE)) == valid(ARTICLE)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = [name for field in schemas.fields("article-event") for name in (field.name, *field.aliases)]
WORDS = ["deleted", "original", "not_duplicate", "release", "18", 18]
FIELDS = st.dictionaries(st.sampled_from(NAMES), JSON | st.sampled_from(WORDS))


@given(st.binary(max_size=300) | FIELDS.map(orjson.dumps), st.none() | st.binary(max_size=20))
def test_any_bytes_give_an_event_or_a_short_reason(value: bytes, key: bytes | None) -> None:
    result = PARSER.parse(value, key)
    if isinstance(result, Rejected):
        assert 0 < len(result.detail) <= 200
    else:
        assert 0 < len(result.article_id) <= 256
        assert "\0" not in result.article_id + result.channel
        article = result.kind in {Kind.CREATED, Kind.UPDATED}
        assert not article or result.channel
        assert not article or (result.title + result.body).strip("\ufeff \n\t")
        assert result.other_id != result.article_id
        assert result.other_id is not None or result.kind not in {Kind.NOT_DUPLICATE, Kind.ORIGINAL}


@given(FIELDS)
def test_the_parser_takes_nothing_that_the_schema_refuses(document: dict[str, Any]) -> None:
    document = orjson.loads(orjson.dumps(document))
    if not schemas.validator("article-event").is_valid(document):
        assert isinstance(parse(document), Rejected)
    elif isinstance(result := parse(document), Rejected):
        # What a schema cannot say: times, numbers beyond exactness, two names of one article.
        said = ("published_at", "send it as text", "names the article itself")
        assert any(words in result.detail for words in said)


TEXT = st.text(min_size=8).filter(lambda text: text.strip() and text.isprintable())


@given(FIELDS, TEXT)
def test_details_never_quote_the_text(document: dict[str, Any], text: str) -> None:
    secret = f"【{text}】"
    for broken in (document | {"title": secret, "body": [secret]}, document | {"event": secret}):
        rejected = parse(broken | {"article_id": None, "source": {secret: secret}})
        assert isinstance(rejected, Rejected)
        assert secret not in rejected.detail


@given(
    article_id=st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=256),
    body=st.text(st.characters(exclude_categories=["Cs"])).map(lambda text: text + "文"),
)
def test_ids_and_texts_come_through_unchanged(article_id: str, body: str) -> None:
    event = valid({"article_id": article_id, "channel": "c", "body": body})
    assert (event.article_id, event.body) == (article_id, body)
