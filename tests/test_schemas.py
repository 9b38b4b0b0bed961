"""The documents are valid JSON Schema, and what the code derives from them agrees with them."""

import json
import re

import jsonschema_rs
import pytest

import schemas
from streaming.events import Kind
from streaming.reasons import DETAIL_LIMIT, Reason

SHORT_FORMS = {"create", "update", "delete", "release"}
VERDICT = {
    "article_id": "b",
    "channel": "体育",
    "duplicate_of": "a",
    "relation": "duplicate",
    "template_of": None,
    "root": "a",
    "tier": "simhash",
    "distance": 2,
    "similarity": 0.97,
    "evidence": {"overlap": 0.97, "shorter": 380, "longer": 402, "size_ratio": 0.95},
    "matches": [["a", "duplicate", 0.97]],
    "reason": {"article_id": "c", "why": "figures", "score": 0.61},
    "overrides": [["not_duplicate", "d"], ["original_of", "e"]],
    "first_seen": "2023-10-20T03:38:00.000Z/articles/00000/00000000000000000042",
}
DEAD_LETTER = {
    "topic": "articles",
    "partition": 0,
    "offset": 7,
    "timestamp": 1697772000000,
    "stage": "enrich",
    "reason": "not_json",
    "detail": "value: line 1 column 1: unexpected character",
    "key_base64": None,
    "value_base64": "e30=",
    "headers": [{"key": "trace", "value_base64": None}],
}


@pytest.mark.parametrize("name", schemas.NAMES)
def test_documents_are_json_schema_2020_12(name: str) -> None:
    document = schemas.load(name)
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert jsonschema_rs.meta.is_valid(json.loads(json.dumps(document)))


@pytest.mark.parametrize("name", schemas.NAMES)
def test_every_field_is_described_and_has_a_column(name: str) -> None:
    fields = schemas.fields(name)
    assert all(field.description and field.sql for field in fields)
    assert schemas.columns(name).count("`") == 2 * len(fields)


def test_an_unknown_document_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="article-event"):
        schemas.load("article")


def test_aliases_are_folded_into_the_field_they_name() -> None:
    aliases = {field.name: field.aliases for field in schemas.fields("article-event")}
    assert aliases["article_id"] == ("id",)
    assert aliases["published_at"] == ("publish_time",)
    assert "id" not in aliases


def test_the_words_for_events_are_those_the_parser_reads() -> None:
    words = set(schemas.load("article-event")["properties"]["event"]["enum"])
    assert words == {None} | {kind.value for kind in Kind} | SHORT_FORMS
    message = schemas.load("article-event")["properties"]["event"]["x-messages"]["enum"]
    assert set(re.split(", | ", message)) >= words - {None}


def test_the_overrides_of_the_schema_are_those_of_the_code() -> None:
    words = set(schemas.load("article-event")["if"]["properties"]["event"]["enum"])
    assert words == {kind.value for kind in Kind if kind.is_override} | {"release"}


def test_fields_know_which_events_have_them() -> None:
    branches: dict[str, set[str]] = {}
    for field in schemas.fields("article-event"):
        branches.setdefault(field.branch, set()).add(field.name)
    assert branches[""] == {"event", "article_id"}
    assert branches["override"] == {"other_id", "by", "note"}
    assert {"channel", "title", "body", "published_at"} <= branches["article"]
    assert {field.branch for field in schemas.fields("verdict")} == {""}


def test_the_reasons_of_dead_letters_are_those_of_the_code() -> None:
    properties = schemas.load("dead-letter")["properties"]
    assert set(properties["reason"]["enum"]) == {reason.value for reason in Reason}
    assert properties["detail"]["maxLength"] == DETAIL_LIMIT


def test_reasons_named_by_rules_exist() -> None:
    named = {rule.reason for rule in schemas.violations("article-event", {"event": "moved"})}
    assert named <= {reason.value for reason in Reason}
    assert named == {"unknown_event", "schema", "empty_text"}


def test_a_verdict_and_a_dead_letter_as_documented_are_valid() -> None:
    assert list(schemas.violations("verdict", VERDICT)) == []
    assert list(schemas.violations("dead-letter", DEAD_LETTER)) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("matches", [["a", "duplicate", 0.5]] * 21),
        ("matches", [["a", "similar", 0.5]]),
        ("matches", [["a", "duplicate"]]),
        ("matches", [["a", "duplicate", 0.5, 1]]),
        ("matches", [["a", "duplicate", 1.5]]),
        ("overrides", [["released", "a"]]),
        ("overrides", [["original"]]),
        ("revision", 0),
        ("relation", "same"),
        ("tier", "minhash"),
        ("distance", 65),
        ("distance", 1.5),
        ("reason", {"why": "figures"}),
        ("first_seen", ""),
        ("article_id", None),
    ],
)
def test_verdicts_that_mean_nothing_are_refused(field: str, value: object) -> None:
    found = list(schemas.violations("verdict", VERDICT | {field: value}))
    assert found
    assert all(violation.path.startswith(field) for violation in found)


def test_no_field_of_a_verdict_may_be_missing() -> None:
    for field in VERDICT:
        rest = {name: value for name, value in VERDICT.items() if name != field}
        assert [str(found) for found in schemas.violations("verdict", rest)] == [
            f"{field}: is required"
        ]


def test_violations_do_not_quote_the_instance() -> None:
    text = "机密正文"
    found = list(schemas.violations("dead-letter", DEAD_LETTER | {"offset": text}))
    assert found
    assert not any(text in str(violation) for violation in found)


def test_the_columns_of_a_log_record_are_what_a_broker_gives() -> None:
    names = [field.name for field in schemas.fields("log-record")]
    assert names[:4] == ["topic", "partition", "offset", "timestamp"]
    assert "`offset` BIGINT" in schemas.columns("log-record")
    assert "`partition` INT" in schemas.columns("log-record")
