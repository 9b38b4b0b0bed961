"""Which errors, as they arrive from Java and from workers, end the query at once."""

import pytest

from streaming.query.refusals import refusal
from streaming.urls import FileUrl, KafkaUrl, LogUrl

URL = LogUrl.parse("kafka://broker:9092/articles")
ERRORS = "org.apache.kafka.common.errors"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"[STREAM_FAILED]\nCaused by: {ERRORS}.SaslAuthenticationException: no", "sasl.jaas.conf"),
        (
            f"x: {ERRORS}.SslAuthenticationException: SSL handshake failed\n\tat y",
            "handshake failed)",
        ),
        (f"{ERRORS}.TopicAuthorizationException: Not authorized", "--operation Read --topic art"),
        (f"{ERRORS}.GroupAuthorizationException: no", "--group spark-kafka-source"),
        ("org.apache.kafka.common.config.ConfigException: wrong", "client says: wrong"),
        (
            "a trace\nstreaming.errors.AccessRefused: kafka://b/v: no right\n\n",
            "kafka://b/v: no right",
        ),
    ],
)
def test_a_refusal_is_told_in_terms_of_the_settings(text: str, told: str) -> None:
    found = refusal(RuntimeError(text), URL)
    assert found is not None
    assert told in found
    assert "\n" not in found


@pytest.mark.parametrize(
    "text",
    [
        f"{ERRORS}.TimeoutException: Timed out waiting for a node assignment",
        "org.apache.kafka.common.config.ConfigException: No resolvable bootstrap urls given in x",
        "streaming.errors.SourceError: kafka://b/v: no broker can be reached",
        "streaming.errors.HungUp: kafka://b/v: it hangs up",
        "java.lang.OutOfMemoryError",
    ],
)
def test_what_may_pass_is_none(text: str) -> None:
    assert isinstance(URL, KafkaUrl)
    assert refusal(RuntimeError(text), URL) is None


def test_a_file_log_is_not_refused_by_kafka() -> None:
    source = LogUrl.parse("file:log/")
    assert isinstance(source, FileUrl)
    assert refusal(RuntimeError(f"{ERRORS}.TopicAuthorizationException: no"), source) is None
