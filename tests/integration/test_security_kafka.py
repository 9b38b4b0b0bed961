"""Kafka behind TLS, passwords, certificates and rights: what works, and what is told if not."""

import gc
import json
import re
import shlex
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import orjson
import pytest
from kafka import KafkaConsumer

from streaming import kafkaprobe
from streaming.errors import AccessRefused, HungUp, SettingsError, SourceError
from streaming.kafkaclient import client_settings
from streaming.kafkasettings import KafkaProperties
from streaming.kafkasink import KafkaSink
from streaming.settings import load
from streaming.topics import describe_topic, ensure_topic
from streaming.urls import KafkaUrl
from tests.certificates import PASSWORD
from tests.integration.logs import differences, exported, leitong, must_export, wait
from tests.integration.secured import PLAIN, Right, Secured, secured
from tests.newsfeed import messages

# kafka-python leaves the socket of a handshake that failed to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <s.*:ResourceWarning")

DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"
ARTICLES = 300
SCRAM_PASSWORD = 'alice\'s \\ "word"'  # noqa: S105 - of these tests only
SECONDS = 10
"""How long it may take until something wrong is told."""

Properties = dict[str, str]


@pytest.fixture(scope="module", autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """See that sockets which the client leaves to the collector go while that is passed over."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with secured(tmp_path_factory.mktemp("secured")) as running:
        yield running


def modes(broker: Secured) -> dict[str, tuple[str, Properties]]:
    """The listener and the settings of every way in that is supported."""
    return {
        "plaintext": ("plain", {}),
        "tls": ("tls", broker.trusting("SSL")),
        "mutual tls": ("mutual", broker.mutual(broker.client)),
        "plain": ("sasl", broker.with_password("PLAIN", "desk", PLAIN["desk"])),
        "scram": ("sasl", broker.scram("alice", SCRAM_PASSWORD)),
        "scram without tls": ("words", broker.scram("alice", SCRAM_PASSWORD, tls=False)),
    }


def read(url: KafkaUrl, properties: Properties) -> list[bytes]:
    settings = client_settings(url, properties, KafkaConsumer.DEFAULT_CONFIG)
    consumer = KafkaConsumer(
        url.topic, **settings, auto_offset_reset="earliest", consumer_timeout_ms=2_000
    )
    with closing(consumer):
        return [record.value for record in consumer]


def test_every_way_in_takes_what_is_sent_and_gives_it_to_java(
    broker: Secured, tmp_path: Path
) -> None:
    broker.grant(Right("alice", each, "modes") for each in ("Write", "Read", "DescribeConfigs"))
    asked: list[dict[str, Any]] = []
    for name, (listener, properties) in modes(broker).items():
        url = KafkaUrl((broker.address(listener),), "modes")
        settings = KafkaProperties(properties)
        assert ensure_topic(url, settings, partitions=1).partitions == 1
        sink = KafkaSink(url, settings)
        sink.send(None, name.encode())
        sink.close()
        asked.append({"source": str(url), "kafka": properties})
        assert name.encode() in read(url, properties)
    refused = {
        "the user, the password": broker.with_password("SCRAM-SHA-512", "alice", "another"),
        "do not trust": broker.trusting("SSL") | {"ssl.truststore.location": str(broker.stranger)},
        "no right to Read": broker.scram("bob", "bob's"),
    }
    broker.grant([Right("bob", "Describe", "modes")])
    for properties in refused.values():
        listener = "sasl" if "sasl.mechanism" in properties else "tls"
        url = KafkaUrl((broker.address(listener),), "modes")
        asked.append({"source": str(url), "kafka": properties})
    answers = _read_with_spark(asked, tmp_path)
    many = len(asked) - len(refused)
    assert [answer["records"] for answer in answers] == [many] * many + [None] * len(refused)
    for words, answer in zip(refused, answers[many:], strict=True):
        assert words in answer["refused"]
        assert answer["seconds"] < SECONDS
    written = [path.read_text(errors="replace") for path in tmp_path.rglob("events_*")]
    assert written
    for text in (*written, *(answer["plan"] for answer in answers)):
        for word in ("desk's word", "alice's", "required username"):
            assert word not in text


def _read_with_spark(asked: list[dict[str, Any]], directory: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("secured_reads.py"))],
        input=json.dumps(asked),
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert PLAIN["desk"] not in done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


Given = Callable[[Secured], tuple[str, Properties]]
MISFITS: dict[str, tuple[Given, type[SourceError] | type[SettingsError], str]] = {
    "a wrong password": (
        lambda it: ("sasl", it.with_password("PLAIN", "desk", "wr\u00f6ng")),
        AccessRefused,
        "it refuses the user, the password or the mechanism PLAIN; see sasl.jaas.config",
    ),
    "a wrong password of SCRAM": (
        lambda it: ("sasl", it.with_password("SCRAM-SHA-512", "alice", "wrong")),
        AccessRefused,
        "the mechanism SCRAM-SHA-512",
    ),
    "a mechanism that the broker does not have": (
        lambda it: ("sasl", it.with_password("SCRAM-SHA-256", "alice", SCRAM_PASSWORD)),
        AccessRefused,
        "the mechanism SCRAM-SHA-256",
    ),
    "no TLS where there is": (
        lambda _: ("tls", {}),
        HungUp,
        "it hangs up on what is not encrypted; if it speaks TLS, set security.protocol = SSL",
    ),
    "neither TLS nor a password where both are": (
        lambda _: ("sasl", {}),
        HungUp,
        "set security.protocol = SSL or SASL_SSL",
    ),
    "no password where there is one": (
        lambda it: ("sasl", it.trusting("SSL")),
        HungUp,
        "on who does not say who they are; set security.protocol = SASL_SSL,",
    ),
    "no password where there is one, in plain words": (
        lambda _: ("words", {}),
        HungUp,
        "SASL_SSL or SASL_PLAINTEXT",
    ),
    "TLS where there is none": (
        lambda it: ("plain", it.trusting("SSL")),
        HungUp,
        "it does not speak TLS at this port; take another, or set security.protocol = PLAINTEXT",
    ),
    "a password where none is asked for": (
        lambda it: ("tls", it.with_password("PLAIN", "desk", PLAIN["desk"])),
        AccessRefused,
        "it wants no password; set security.protocol = SSL",
    ),
    "a certificate that is too old": (
        lambda it: ("expired", it.trusting("SSL")),
        AccessRefused,
        "its certificate is not to be trusted: certificate has expired; see ssl.truststore",
    ),
    "a certificate of another host": (
        lambda it: ("elsewhere", it.trusting("SSL")),
        AccessRefused,
        "certificate is not valid for '127.0.0.1'",
    ),
    "a certificate of somebody unknown": (
        lambda it: ("tls", it.trusting("SSL") | {"ssl.truststore.location": str(it.stranger)}),
        AccessRefused,
        "self-signed certificate in certificate chain",
    ),
    "no certificate where one is asked for": (
        lambda it: ("mutual", it.trusting("SSL")),
        AccessRefused,
        "it wants ours; set ssl.keystore.location",
    ),
    "a certificate that the broker does not know": (
        lambda it: ("mutual", it.mutual(it.strange_client)),
        AccessRefused,
        "it refuses our certificate; see ssl.keystore.location",
    ),
    "a key that Java cannot open": (
        lambda it: (
            "mutual",
            it.mutual(it.locked_client) | {"ssl.key.password": PASSWORD},
        ),
        SettingsError,
        "has a key that Java does not read",
    ),
    "a key that nobody can open": (
        lambda it: ("mutual", it.mutual(it.locked_client) | {"ssl.key.password": "wrong"}),
        SettingsError,
        "opened by ssl.key.password",
    ),
    "an authority that is no file": (
        lambda it: ("tls", it.trusting("SSL") | {"ssl.truststore.location": "/nowhere"}),
        SettingsError,
        "/nowhere cannot be used (No such file or directory)",
    ),
}


@pytest.mark.parametrize("misfit", MISFITS)
def test_what_does_not_fit_is_told_at_once(broker: Secured, misfit: str) -> None:
    given, kind, words = MISFITS[misfit]
    listener, properties = given(broker)
    url = KafkaUrl((broker.address(listener),), "misfits")
    for attempt in (ensure_topic, describe_topic, KafkaSink):
        began = time.monotonic()
        with pytest.raises(kind, match=re.escape(words)) as raised:
            attempt(url, KafkaProperties(properties))
        assert time.monotonic() - began < SECONDS
        assert isinstance(raised.value, SettingsError) or str(url) in str(raised.value)
        for secret in ("wr\u00f6ng", PLAIN["desk"], PASSWORD, "LoginModule"):
            assert secret not in str(raised.value)


def test_a_server_that_says_nothing_is_told_in_time(
    broker: Secured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafkaprobe, "CONNECT_TIMEOUT_MS", 1_000)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = KafkaUrl((f"127.0.0.1:{silent.getsockname()[1]}",), "silent")
        for properties in ({}, broker.trusting("SSL")):
            began = time.monotonic()
            with pytest.raises(SourceError, match="it does not answer"):
                describe_topic(url, properties)
            assert time.monotonic() - began < SECONDS


def test_one_of_several_brokers_is_enough(broker: Secured) -> None:
    url = KafkaUrl(("127.0.0.1:1", broker.address("tls")), "several")
    assert ensure_topic(url, broker.trusting("SSL")).created


COMMANDS = {
    "produce": ("produce", "--from", "newsroom:1", "--limit", "3", "--to"),
    "run": ("run", "--until-caught-up", "--source"),
    "doctor": ("doctor", "--source"),
    "webhook": ("webhook", "--listen", "127.0.0.1:0", "--to"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_tells_a_wrong_password_in_a_line(
    broker: Secured, command: str, tmp_path: Path
) -> None:
    configure(tmp_path, broker.with_password("SCRAM-SHA-512", "alice", "wr\u00f6ng"))
    began = time.monotonic()
    url = f"kafka://{broker.address('sasl')}/articles"
    done = leitong(*COMMANDS[command], url, directory=tmp_path, check=False)
    assert time.monotonic() - began < 3 * SECONDS  # most of it is Python that starts
    assert done.returncode == 1
    told = done.stdout + done.stderr
    assert "it refuses the user, the password or the mechanism SCRAM-SHA-512" in told
    assert "Traceback" not in told
    assert "wr\u00f6ng" not in told
    assert "LoginModule" not in told


def configure(directory: Path, properties: Properties) -> None:
    """Write the settings as the documentation says, the secret in a file of its own."""
    (directory / "login").write_text(properties["sasl.jaas.config"] + "\n")
    lines = [
        f"{json.dumps(name)} = "
        + ('{file = "login"}' if name == "sasl.jaas.config" else json.dumps(value))
        for name, value in properties.items()
    ]
    (directory / "leitong.toml").write_text("[kafka]\n" + "\n".join(lines) + "\n")


def documented() -> list[Right]:
    """The rights that the documentation's commands grant."""
    text = DOCUMENT.read_text(encoding="utf-8").replace("\\\n", " ")
    rights = []
    for command in re.findall(r"^kafka-acls (.*)$", text, re.MULTILINE):
        words = shlex.split(command)
        given: dict[str, list[str]] = {}
        for name, value in pairwise(words):
            given.setdefault(name, []).append(value)
        (user,) = given["--allow-principal"]
        rights += [
            Right(user.removeprefix("User:"), operation, topic)
            for topic in given["--topic"]
            for operation in given["--operation"]
        ]
    return rights


@pytest.fixture(scope="module")
def users(broker: Secured) -> dict[str, Properties]:
    """Users with the rights that are documented, and no others."""
    rights = documented()
    broker.grant(rights)
    return {user: broker.scram(user, f"{user}'s word") for user in {each.user for each in rights}}


def test_who_lacks_a_right_is_told_which(broker: Secured, users: dict[str, Properties]) -> None:
    assert set(users) == {"producer", "query"}
    rights = documented()
    assert len(rights) == 11
    for number, lacking in enumerate(rights):
        # A user, and a topic if it is not about creating one, of their own.
        name = f"lacking-{number}"
        others = [
            Right(name, each.operation, name)
            for each in rights
            if each[::2] == lacking[::2] and each != lacking
        ]
        properties = KafkaProperties(broker.scram(name, "word"))
        broker.grant(others)
        url = KafkaUrl((broker.address("sasl"),), name)
        if lacking.operation != "Create":
            ensure_topic(replace(url, servers=(broker.address("plain"),)))
        reads = "Read" in {lacking.operation, *(each.operation for each in others)}
        attempt = describe_topic if reads else ensure_topic
        began = time.monotonic()
        with pytest.raises(AccessRefused) as raised:
            attempt(url, properties)
        assert time.monotonic() - began < SECONDS
        assert f"--operation {lacking.operation} --topic {name} grants it" in str(raised.value), (
            lacking
        )


def test_a_right_to_write_that_is_taken_away_is_told(broker: Secured) -> None:
    url = KafkaUrl((broker.address("sasl"),), "taken")
    write = Right("writer", "Write", "taken")
    properties = KafkaProperties(broker.scram("writer", "word"))
    broker.grant([write, Right("writer", "DescribeConfigs", "taken")])
    ensure_topic(replace(url, servers=(broker.address("plain"),)))
    with closing(KafkaSink(url, properties)) as sink:
        sink.send(b"k", b"v")
        sink.flush()
        broker.revoke(write)
        time.sleep(0.5)
        sink.send(b"k", b"v")
        with pytest.raises(AccessRefused, match="--operation Write --topic taken grants it"):
            sink.flush()
    with pytest.raises(AccessRefused, match="--operation Write --topic taken"):
        KafkaSink(url, properties)


@contextmanager
def started(*arguments: str, directory: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run the command line in the background; gives it and the file of what it says."""
    told = directory / "told"
    with (
        told.open("wb") as file,
        subprocess.Popen(
            [sys.executable, "-m", "streaming", *arguments],
            cwd=directory,
            stdout=file,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            yield process, told
        finally:
            process.kill()


def test_who_has_what_is_documented_can_do_the_work_until_it_is_taken_away(
    broker: Secured, users: dict[str, Properties], tmp_path: Path
) -> None:
    server = broker.address("sasl")
    topic = {name: f"kafka://{server}/{name}" for name in ("articles", "verdicts", "dead-letters")}
    homes = {user: tmp_path / user for user in users}
    for user, home in homes.items():
        home.mkdir()
        configure(home, users[user])
    feed = homes["producer"] / "feed.jsonl"
    feed.write_bytes(b"\n".join(message.value for message in messages(ARTICLES)) + b"\nbad\n")
    leitong(
        "produce",
        *("--from", "feed.jsonl", "--to", topic["articles"], "--invalid", "send"),
        directory=homes["producer"],
    )
    hook = ("webhook", "--listen", "127.0.0.1:0", "--to", topic["articles"])
    with started(*hook, directory=homes["producer"]) as (process, told):
        wait(lambda: b"http://" in told.read_bytes(), process, 60)
        (address,) = re.findall(r"http://\S+", told.read_text())
        assert _posted(address) == 200
    expected = must_export(
        f"kafka://{broker.address('plain')}/articles", load(environment={}).settings
    )
    assert len(expected) > ARTICLES // 2

    home, store = homes["query"], "sqlite:index.db"
    checked = leitong(
        "doctor",
        *(
            "--source",
            topic["articles"],
            "--store",
            store,
            "--set",
            f"query.verdicts={topic['verdicts']}",
        ),
        directory=home,
        check=False,
    )
    assert "ok   source" in checked.stdout
    assert "ok   verdicts" in checked.stdout
    sent = ("--verdicts", topic["verdicts"], "--dead-letters", topic["dead-letters"])
    run = ("run", "--source", topic["articles"], "--store", store, *sent, "--trigger", "500ms")
    with started(*run, directory=home) as (process, told):
        plain = KafkaUrl((broker.address("plain"),), "")
        wait(lambda: _announced(replace(plain, topic="verdicts")) == expected.keys(), process, 120)
        assert len(read(replace(plain, topic="dead-letters"), {})) == 1
        broker.revoke(Right("query", "Read", "articles"))
        assert process.wait(3 * SECONDS) == 1
    text = told.read_text(errors="replace")
    assert "leitong: " in text
    assert "--operation Read --topic articles grants it" in text.splitlines()[-1]
    for user in users:
        assert f"{user}'s word" not in text
    assert "Traceback" not in text
    assert "\tat " not in text
    assert differences(exported("verdicts", store, home), expected) == []


def _posted(address: str) -> int:
    body = orjson.dumps({"article_id": uuid.uuid4().hex, "channel": "go", "body": "正文"})
    request = Request(address, body, {"content-type": "application/json"})  # noqa: S310 - of ours
    with urlopen(request) as answer:  # noqa: S310 - as above
        return int(answer.status)


def _announced(url: KafkaUrl) -> set[str]:
    found = read(url, {}) if describe_topic(url) else []
    return {orjson.loads(value)["article_id"] for value in found}
