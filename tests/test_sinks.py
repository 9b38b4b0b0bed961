"""Sinks that need no broker, and how settings and errors of Kafka clients are told."""

import gc
import socket
import threading
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
)

from streaming.errors import SettingsError, SourceError
from streaming.filelog import FileLogWriter, LogRecord, describe_log, read_records
from streaming.kafkaclient import client_settings, connected, failure
from streaming.sinks import FileLogSink, MemorySink, Message, open_sink
from streaming.urls import KafkaUrl

URL = KafkaUrl(("127.0.0.1:9092",), "articles")
JAAS = (
    "org.apache.kafka.common.security.scram.ScramLoginModule required "
    'username="leitong" password=\'ge"he\\\\im\';'
)


def translated(**properties: str) -> dict[str, object]:
    given = {name.replace("__", "."): value for name, value in properties.items()}
    return client_settings(URL, given, KafkaProducer.DEFAULT_CONFIG)


def test_a_file_log_takes_what_is_sent(tmp_path: Path) -> None:
    sink = open_sink(f"file:{tmp_path}", topic="verdicts", partitions=1)
    sink.send(b"k", b"v", [("h", b"1")], 5)
    sink.send(b"k", None)
    assert sink.acknowledged == 0
    sink.flush()
    assert sink.acknowledged == 2
    sink.close()
    sink.close()
    first, second = read_records(tmp_path)
    assert first == LogRecord("verdicts", 0, 0, 5, b"k", b"v", (("h", b"1"),))
    assert second.value is None
    description = describe_log(tmp_path)
    assert description is not None
    assert description.topic == "verdicts"


def test_closing_a_file_log_puts_everything_in_place(tmp_path: Path) -> None:
    sink = FileLogSink(FileLogWriter(tmp_path))
    sink.send(b"k", b"v")
    sink.close()
    assert [record.value for record in read_records(tmp_path)] == [b"v"]


def test_a_full_disk_is_an_error_and_what_is_in_place_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = FileLogWriter(tmp_path, partitions=1, segment_records=2)
    sink = FileLogSink(writer)
    for _ in range(3):
        sink.send(b"k", b"v")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("os.fsync", full)
        with pytest.raises(SourceError, match="No space left on device"):
            sink.flush()
    assert sink.acknowledged == 2
    assert len(list(read_records(tmp_path))) == 2
    sink.close()
    assert sink.acknowledged == 3
    assert [record.offset for record in read_records(tmp_path)] == [0, 1, 2]


def test_the_double_keeps_messages_and_fails_when_asked() -> None:
    sink = MemorySink(fail_at=1)
    sink.send(b"k", b"v", [("h", b"1")], 5)
    assert (sink.messages, sink.acknowledged) == ([Message(b"k", b"v", (("h", b"1"),), 5)], 0)
    with pytest.raises(SourceError):
        sink.send(b"k", b"w")
    sink.close()
    assert (sink.closed, sink.acknowledged) == (True, 1)


def test_addresses_that_are_none_are_errors_of_the_user() -> None:
    with pytest.raises(SettingsError):
        open_sink("articles")


def test_kafka_properties_become_client_arguments() -> None:
    settings = translated(
        security__protocol="SASL_SSL",
        sasl__mechanism="SCRAM-SHA-512",
        sasl__jaas__config=JAAS,
        ssl__truststore__type="PEM",
        ssl__truststore__location="/etc/ca.pem",
        ssl__endpoint__identification__algorithm="",
        request__timeout__ms="4000",
        enable__idempotence="true",
        compression__type="none",
        fetch__min__bytes="1",
    )
    assert settings["security_protocol"] == "SASL_SSL"
    assert settings["sasl_mechanism"] == "SCRAM-SHA-512"
    assert settings["sasl_plain_username"] == "leitong"
    assert settings["sasl_plain_password"] == 'ge"he\\im'  # noqa: S105 - invented
    assert settings["ssl_cafile"] == "/etc/ca.pem"
    assert settings["ssl_check_hostname"] is False
    assert settings["request_timeout_ms"] == 4000
    assert settings["enable_idempotence"] is True
    assert settings["compression_type"] is None
    assert settings["bootstrap_servers"] == ["127.0.0.1:9092"]
    assert "fetch_min_bytes" not in settings


def test_every_translated_argument_is_one_the_client_takes() -> None:
    settings = translated(
        sasl__jaas__config=JAAS,
        ssl__keystore__type="PEM",
        ssl__keystore__location="/etc/client.pem",
        ssl__key__password="geheim",  # noqa: S106 - invented
    )
    assert set(settings) <= set(KafkaProducer.DEFAULT_CONFIG)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sasl__jaas__config", "PlainLoginModule required password='geheim';"),
        ("ssl__truststore__location", "/etc/geheim.jks"),
        ("sasl__mechansim", "geheim"),
        ("request__timeout__ms", "geheim"),
        ("enable__idempotence", "geheim"),
    ],
)
def test_settings_that_would_be_lost_are_refused_without_their_value(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as raised:
        translated(**{name: value})
    assert "geheim" not in str(raised.value)
    assert name.replace("__", ".") in str(raised.value)


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (MessageSizeTooLargeError(), "max.message.bytes"),
        (KafkaTimeoutError("x"), "is it running"),
        (TopicAuthorizationFailedError("articles"), "--operation Write --topic articles"),
        (OSError("boom"), "boom"),
    ],
)
def test_errors_name_the_topic_and_what_to_do(error: Exception, hint: str) -> None:
    told = str(failure(URL, error, "Write"))
    assert told.startswith("kafka://127.0.0.1:9092/articles: ")
    assert hint in told


@pytest.mark.parametrize("kind", [KafkaAdminClient, KafkaConsumer, KafkaProducer])
def test_a_client_that_finds_no_broker_leaves_nothing_behind(kind: type) -> None:
    def held() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    with socket.create_server(("127.0.0.1", 0)) as silent:
        servers = f"127.0.0.1:{silent.getsockname()[1]}"
        settings = {"bootstrap_servers": servers, "bootstrap_timeout_ms": 300}
        gc.collect()
        before, threads = held(), threading.active_count()
        with pytest.raises(KafkaError):
            connected(kind, settings)
        # While the garbage is still there: nobody can be sure of when it is collected.
        assert held() == before
        assert threading.active_count() == threads
