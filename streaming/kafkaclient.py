"""What every Kafka client of ours shares: its settings, and how its errors are told.

Settings are Kafka's own properties (``security.protocol``, ``sasl.jaas.config``), so that
one group configures Spark's source and the Python clients alike; this module translates
them. Values never appear in messages: some are secrets.
"""

import logging
import re
import socket
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from kafka.errors import (
    AuthorizationError,
    InvalidTimestampError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    SaslAuthenticationFailedError,
)

from streaming.errors import SettingsError, SourceError
from streaming.urls import KafkaUrl

CONNECT_TIMEOUT_MS = 5_000
"""How long a client looks for a broker before it gives up."""

# At DEBUG these loggers write messages and settings, and with them articles and passwords.
for _name in ("kafka.producer", "kafka.admin", "kafka.net"):
    logging.getLogger(_name).setLevel(logging.WARNING)

Client = TypeVar("Client")

_JAAS = re.compile(
    r"""\b(?P<name>username|password)\s*=\s*(?P<quote>["'])(?P<value>.*?)(?P=quote)"""
)
# Properties of Java that Python clients have no use for, or answer otherwise.
_ANSWERED = frozenset(
    {
        "sasl.jaas.config",
        "ssl.truststore.type",
        "ssl.truststore.location",
        "ssl.keystore.type",
        "ssl.keystore.location",
        "ssl.key.password",
        "ssl.endpoint.identification.algorithm",
    }
)
_MEANINGS: tuple[tuple[type[KafkaError], str], ...] = (
    (
        MessageSizeTooLargeError,
        "a message is larger than the topic takes; raise its max.message.bytes, or shorten it",
    ),
    (
        InvalidTimestampError,
        "the topic refuses the timestamp of a message; see its message.timestamp.*.max.ms",
    ),
    (
        SaslAuthenticationFailedError,
        "user or password was refused; see sasl.jaas.config in the group kafka",
    ),
    (AuthorizationError, "the user has no right to do this; grant it on the broker"),
    (
        KafkaTimeoutError,
        "no broker answered in time; is it running, and are its advertised addresses in reach?",
    ),
)
_GUARDED = ("sasl.", "security.", "ssl.")


def check_reachable(url: KafkaUrl, properties: Mapping[str, str]) -> None:
    """Raise SourceError unless one of the brokers accepts a connection.

    Asked before a client is made: a client that finds no broker takes seconds to say less.
    """
    if "proxy.url" in properties:
        return
    causes = []
    for server in url.servers:
        host, _, port = server.rpartition(":")
        try:
            timeout = CONNECT_TIMEOUT_MS / 1000 / len(url.servers)
            socket.create_connection((host.strip("[]"), int(port)), timeout).close()
        except OSError as error:
            causes.append(f"{server}: {error.strerror or error}")
        else:
            return
    raise SourceError(
        f"{url}: no broker can be reached ({'; '.join(causes)}); is it running, and is this its "
        "address?"
    )


def connected(kind: Callable[..., Client], settings: Mapping[str, Any]) -> Client:
    """Make a client; what it raises leaves nothing behind.

    By itself a client that finds no broker leaves its connections open, and some their
    thread running, with nobody who could end them.
    """
    networks: list[Any] = []

    def network(**config: Any) -> Any:
        networks.append(kind.DEFAULT_CONFIG["kafka_client"](**config))  # type: ignore[attr-defined]  # the clients have no types
        return networks[-1]

    try:
        return kind(**settings, kafka_client=network)
    except BaseException:
        for each in networks:
            each.close()
        raise


def client_settings(
    url: KafkaUrl, properties: Mapping[str, str], defaults: Mapping[str, Any]
) -> dict[str, Any]:
    """Translate Kafka's properties into arguments of a kafka-python client.

    `defaults` are those of the client: they name what it takes, and their types decide
    how text is read. Properties it does not take are for other clients and left out,
    except those about security, which must not be lost: they raise SettingsError, as
    does a value that cannot be read.
    """
    settings: dict[str, Any] = {
        "bootstrap_servers": list(url.servers),
        "bootstrap_timeout_ms": CONNECT_TIMEOUT_MS,
    }
    for name, text in properties.items():
        argument = name.replace(".", "_")
        if argument in defaults and argument != "bootstrap_servers":
            settings[argument] = _read(name, text, defaults[argument])
        elif name not in _ANSWERED and name.startswith(_GUARDED):
            raise SettingsError(
                f"kafka.{name}: the Python clients cannot do this; TLS takes PEM files "
                "(ssl.truststore.type = PEM), SASL takes PLAIN or SCRAM through sasl.jaas.config"
            )
    return settings | _sasl(properties) | _tls(properties)


def explain(url: KafkaUrl, error: BaseException) -> str:
    """Say what a Kafka error means for a topic, where, and what to do about it."""
    for kind, meaning in _MEANINGS:
        if isinstance(error, kind):
            return f"{url}: {meaning}"
    if isinstance(error, KafkaError):
        return f"{url}: {type(error).__name__}: {getattr(error, 'description', '') or error}"
    return f"{url}: {error}"


def _read(name: str, text: str, default: Any) -> Any:
    try:
        if isinstance(default, bool):
            return {"true": True, "false": False}[text.lower()]
        if isinstance(default, (int, float)) and name != "acks":
            return int(text)
    except (KeyError, ValueError):
        kind = "true or false" if isinstance(default, bool) else "a whole number"
        raise SettingsError(f"kafka.{name}: must be {kind}") from None
    if name == "compression.type" and text == "none":
        return None
    return text if name != "acks" or text == "all" else int(text)


def _sasl(properties: Mapping[str, str]) -> dict[str, str]:
    jaas = properties.get("sasl.jaas.config")
    if jaas is None:
        return {}
    found = {match["name"]: match["value"] for match in _JAAS.finditer(jaas)}
    if len(found) != len(("username", "password")):
        raise SettingsError(
            'kafka.sasl.jaas.config: must hold username="..." and password="..." of a PLAIN or '
            "SCRAM login module"
        )
    return {f"sasl_plain_{name}": value for name, value in found.items()}


def _tls(properties: Mapping[str, str]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for store, arguments in (
        ("truststore", ("ssl_cafile",)),
        ("keystore", ("ssl_certfile", "ssl_keyfile")),
    ):
        location = properties.get(f"ssl.{store}.location")
        if location is None:
            continue
        if properties.get(f"ssl.{store}.type", "JKS").upper() != "PEM":
            raise SettingsError(
                f"kafka.ssl.{store}.location: the Python clients read PEM files only; convert "
                f"the store and set ssl.{store}.type = PEM, which Spark reads as well"
            )
        settings |= dict.fromkeys(arguments, location)
    if "ssl.key.password" in properties:
        settings["ssl_password"] = properties["ssl.key.password"]
    if "ssl.endpoint.identification.algorithm" in properties:
        settings["ssl_check_hostname"] = bool(
            properties["ssl.endpoint.identification.algorithm"].strip()
        )
    return settings
