import orjson
from hypothesis import given
from hypothesis import strategies as st

from streaming.engine.events import LoggedContent
from streaming.enrichment import Enricher, decode_text, position_of
from streaming.filelog import LogRecord
from streaming.reasons import Reason
from streaming.settings import Settings
from streaming.text.normalise import normalise
from tests.newsfeed import simulated

ENRICHER = Enricher(Settings())


def record(value: bytes | None, offset: int = 0, key: bytes | None = b"a") -> LogRecord:
    return LogRecord("t", 0, offset, 1_000 + offset, key, value)


def event(**fields: object) -> bytes:
    return orjson.dumps(
        {"article_id": "a", "channel": "18", "body": "今日发布新版编译器", **fields}
    )


def test_answers_stand_in_the_order_of_the_records() -> None:
    records = [
        record(b"{", 0),
        record(event(source="通讯社", published_at="2026-01-05T08:00:00+08:00"), 1),
        record(event(event="deleted"), 2),
        record(None, 3),
        record(event(body="<p>&nbsp;</p>"), 4),
    ]
    answers = ENRICHER.enrich(records)
    kinds = [
        each.content if isinstance(each, LoggedContent) else getattr(each, "reason", each)
        for each in answers
    ]
    assert [kinds[0], kinds[2], kinds[3], kinds[4]] == [
        Reason.NOT_JSON, None, None, Reason.EMPTY_TEXT,
    ]  # fmt: skip
    created = answers[1]
    assert isinstance(created, LoggedContent)
    assert created.content is not None
    assert (created.content.channel, created.content.source) == ("python", "通讯社")
    assert created.content.published_ms == 1_767_571_200_000
    assert created.content.fingerprint is not None
    assert created.position == position_of(records[1])
    assert decode_text(created.text or b"") == ("", "今日发布新版编译器")


def test_a_batch_is_enriched_as_its_records_one_by_one() -> None:
    records = [record(m.value, n, m.key) for n, m in enumerate(simulated(60))]
    assert ENRICHER.enrich(records) == [ENRICHER.enrich([each])[0] for each in records]


def test_an_override_is_not_read_as_a_text() -> None:
    records = [
        record(event(), 0),
        record(event(event="original", other_id="b"), 1),
        record(event(article_id="c", body="明日发布另一版编译器"), 2),
    ]
    answers = ENRICHER.enrich(records)
    assert [answers[0], answers[2]] == ENRICHER.enrich([records[0], records[2]])


@given(st.text(), st.text())
def test_texts_survive_their_cell(title: str, body: str) -> None:
    (answer,) = ENRICHER.enrich([record(event(title=title, body=f"正文{body}"), 0)])
    assert isinstance(answer, LoggedContent)
    assert answer.text is not None
    assert decode_text(answer.text) == (normalise(title), normalise(f"正文{body}"))
