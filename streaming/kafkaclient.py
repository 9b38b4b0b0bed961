"""What every Kafka client of ours shares: its settings, and how its errors are told.

Settings are Kafka's own properties (``security.protocol``, ``sasl.jaas.config``), so that
one group configures Spark's source and the Python clients alike; this module translates
them. Values never appear in messages: some are secrets.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from kafka.errors import (
    AuthorizationError,
    InvalidTimestampError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    SaslAuthenticationFailedError,
)

from streaming.errors import AccessRefused, SettingsError, SourceError
from streaming.kafkasettings import read_login
from streaming.urls import KafkaUrl

CONNECT_TIMEOUT_MS = 5_000
"""How long a client looks for a broker before it gives up."""

# At DEBUG these loggers write messages and settings, and with them articles and passwords.
for _name in ("kafka.producer", "kafka.admin"):
    logging.getLogger(_name).setLevel(logging.WARNING)
# It logs each attempt that fails, some with a trace; what it means is in the error we raise.
logging.getLogger("kafka.net").setLevel(logging.CRITICAL)

Client = TypeVar("Client")

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
    (
        KafkaTimeoutError,
        "no broker answered in time; is it running, and are its advertised addresses in reach?",
    ),
)
_GUARDED = ("sasl.", "security.", "ssl.")


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


def failure(url: KafkaUrl, error: BaseException, right: str) -> SourceError:
    """Say what a Kafka error means for a topic, where, and what to do about it.

    ``right`` is what a user needs on the topic for what was tried, as `kafka-acls` calls it.
    """
    if isinstance(error, AuthorizationError):
        return lacking(url, [right])
    kind = AccessRefused if isinstance(error, SaslAuthenticationFailedError) else SourceError
    return kind(f"{url}: {_meaning(error)}")


def lacking(url: KafkaUrl, rights: Sequence[str]) -> AccessRefused:
    """Say which rights a user lacks on a topic, and how they are granted."""
    operations = " ".join(f"--operation {right}" for right in rights)
    return AccessRefused(
        f"{url}: the user has no right to {' and '.join(rights)} on the topic;"
        f" kafka-acls --add --allow-principal User:NAME {operations} --topic {url.topic} grants it"
    )


def _meaning(error: BaseException) -> str:
    for kind, meaning in _MEANINGS:
        if isinstance(error, kind):
            return meaning
    if isinstance(error, KafkaError):
        return f"{type(error).__name__}: {getattr(error, 'description', '') or error}"
    return str(error)


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
    try:
        user, password = read_login(jaas)
    except ValueError as error:
        raise SettingsError(f"kafka.{error}") from None
    return {"sasl_plain_username": user, "sasl_plain_password": password}


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
