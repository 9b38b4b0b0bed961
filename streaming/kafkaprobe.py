"""Say why a broker cannot be used, in seconds, before a client tries for long.

A client that meets the wrong protocol, a certificate it cannot trust or a password that was
changed tries again until its time is over, and then says that there is no broker. So one
connection is made first, to the end of the broker's first answer, and what became of it is
told in terms of the settings.
"""

import base64
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import (
    IllegalSaslStateError,
    KafkaError,
    KafkaProtocolError,
    KafkaTimeoutError,
    SaslAuthenticationFailedError,
    UnsupportedSaslMechanismError,
)
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector
from kafka.protocol.metadata import MetadataRequest

from streaming.errors import AccessRefused, HungUp, SettingsError, SourceError
from streaming.kafkaclient import CONNECT_TIMEOUT_MS, client_settings
from streaming.urls import KafkaUrl

_HUNG_UP = re.compile("socket disconnected|Connection reset|ECONNRESET|Broken pipe")
_KEY = re.compile(r"-----BEGIN (?P<locked>ENCRYPTED )?PRIVATE KEY-----(?P<body>[^-]*)-----END")
_PBES2 = bytes.fromhex("06092a864886f70d01050d")
"""How most tools lock a key today, 1.2.840.113549.1.5.13, and Java 17 does not know to open."""


@dataclass(slots=True)
class _Attempt:
    """How far a connection came: its server said who it is, and took us for who we are."""

    connection: Any = None
    admitted: bool = False

    @property
    def greeted(self) -> bool:
        return self.connection is not None and self.connection.broker_version_data is not None


def check_reachable(url: KafkaUrl, properties: Mapping[str, str]) -> None:
    """Raise SourceError unless one of the brokers takes a connection under these settings.

    AccessRefused if one of them refuses us or is not to be trusted, HungUp if one of them
    hangs up; SettingsError if a file of certificates or keys cannot be used.
    """
    _check_files(properties)
    timeout_ms = CONNECT_TIMEOUT_MS // len(url.servers)
    found: dict[type[SourceError], list[str]] = {}
    for server in url.servers:
        settings = client_settings(
            KafkaUrl((server,), url.topic), properties, KafkaAdminClient.DEFAULT_CONFIG
        )
        answer = _try(settings, timeout_ms)
        if answer is not None and answer[0] is not SourceError:
            # It may have been about to end: who refuses us does it again.
            answer = _try(settings, timeout_ms)
        if answer is None:
            return
        found.setdefault(answer[0], []).append(f"{server}: {answer[1]}")
    for kind in (AccessRefused, HungUp):
        if kind in found:
            raise kind(f"{url}: {'; '.join(found[kind])}")
    raise SourceError(
        f"{url}: no broker can be reached ({'; '.join(found[SourceError])}); is it running, and is"
        " this its address?"
    )


def _try(settings: Mapping[str, Any], timeout_ms: int) -> tuple[type[SourceError], str] | None:
    """Connect; give None, or what kind of error it is and what it means."""
    attempt = _Attempt()
    try:
        _connect(settings, attempt, timeout_ms)
    except (KafkaError, OSError, ValueError) as error:
        return _refusal(error, attempt, settings) or (SourceError, _absence(error))
    return None


def _connect(settings: Mapping[str, Any], attempt: _Attempt, timeout_ms: int) -> None:
    (server,) = settings["bootstrap_servers"]
    if "proxy_url" not in settings:
        # By itself the client leaves the socket open of a connection that was not made.
        host, _, port = server.rpartition(":")
        socket.create_connection((host.strip("[]"), int(port)), timeout_ms / 1000).close()
    network = NetworkSelector(**settings)
    manager = KafkaConnectionManager(network, **settings)

    async def talk() -> None:
        (node,) = manager.cluster.bootstrap_brokers()
        attempt.connection = manager.get_connection(node.node_id, timeout_ms=timeout_ms)
        await manager.wait_for(attempt.connection.init_future, timeout_ms)
        attempt.admitted = True
        # A broker that wants a password takes a connection without one, until it is asked.
        asked = MetadataRequest(topics=[], allow_auto_topic_creation=False)
        await manager.wait_for(attempt.connection.send_request(asked), timeout_ms)

    try:
        network.run(talk)
    finally:
        manager.close()
        network.close()


def _refusal(
    error: Exception, attempt: _Attempt, settings: Mapping[str, Any]
) -> tuple[type[SourceError], str] | None:
    """Say what a broker that is there, or we, did not accept; None if it is not that."""
    protocol = settings.get("security_protocol", "PLAINTEXT")
    security = _security_error(error)
    if security is not None:
        return _tls(security, settings, protocol)
    if isinstance(error, IllegalSaslStateError):
        wanted = protocol.removeprefix("SASL_")
        return AccessRefused, f"it wants no password; set security.protocol = {wanted}"
    if isinstance(error, SaslAuthenticationFailedError | UnsupportedSaslMechanismError):
        return AccessRefused, _login(settings)
    # Nor is what a server of TLS answers to a plain question an answer of Kafka's.
    if isinstance(error, KafkaProtocolError) or _HUNG_UP.search(str(error)):
        return _hanging_up(attempt, settings, protocol)
    return None


def _hanging_up(
    attempt: _Attempt, settings: Mapping[str, Any], protocol: str
) -> tuple[type[SourceError], str] | None:
    """Say what a broker that hung up on us did not accept, by how far we came."""
    if protocol.startswith("SASL") and attempt.greeted and not attempt.admitted:
        # The client does not read what a broker says before it hangs up.
        return AccessRefused, _login(settings)
    if not protocol.startswith("SASL") and attempt.admitted:
        wanted = "SASL_SSL" if protocol == "SSL" else "SASL_SSL or SASL_PLAINTEXT"
        return HungUp, (
            "it hangs up on who does not say who they are; set security.protocol ="
            f" {wanted}, sasl.mechanism and sasl.jaas.config"
        )
    if not protocol.endswith("SSL") and not attempt.greeted:
        wanted = "SASL_SSL" if protocol.startswith("SASL") else "SSL or SASL_SSL"
        return HungUp, (
            "it hangs up on what is not encrypted; if it speaks TLS, set security.protocol ="
            f" {wanted}"
        )
    return None


def _absence(error: Exception) -> str:
    if isinstance(error, KafkaTimeoutError) or "timed out" in str(error).lower():
        return "it does not answer"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    # The client names its own class once more.
    return str(error).rpartition("KafkaConnectionError: ")[2]


def _login(settings: Mapping[str, Any]) -> str:
    return (
        f"it refuses the user, the password or the mechanism {settings['sasl_mechanism']}; see"
        " sasl.jaas.config and sasl.mechanism in the group kafka"
    )


def _security_error(error: BaseException) -> ssl.SSLError | None:
    """Find the error of TLS that the client wraps into one of its own."""
    for each in (error, error.__context__, *error.args):
        if isinstance(each, ssl.SSLError):
            return each
    return None


def _tls(
    error: ssl.SSLError, settings: Mapping[str, Any], protocol: str
) -> tuple[type[SourceError], str]:
    if isinstance(error, ssl.SSLCertVerificationError):
        return AccessRefused, (
            f"its certificate is not to be trusted: {error.verify_message.rstrip('.')}; see"
            " ssl.truststore.location, and the name under which the broker is addressed"
        )
    if (
        isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)
        or error.reason == "WRONG_VERSION_NUMBER"
    ):
        return HungUp, (
            "it does not speak TLS at this port; take another, or set security.protocol ="
            f" {protocol.replace('SSL', 'PLAINTEXT')}"
        )
    wish = "refuses our certificate; see" if settings.get("ssl_certfile") else "wants ours; set"
    return AccessRefused, f"TLS failed ({error.reason}): it {wish} ssl.keystore.location"


def _check_files(properties: Mapping[str, str]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if trusted := properties.get("ssl.truststore.location"):
            where = "ssl.truststore.location"
            context.load_verify_locations(trusted)
        if own := properties.get("ssl.keystore.location"):
            where = "ssl.keystore.location"
            # A function, as Python asks at the terminal for a password that is not there.
            context.load_cert_chain(own, password=lambda: properties.get("ssl.key.password", ""))
            if not _is_read_by_java(Path(own).read_text(encoding="utf-8")):
                raise SettingsError(
                    f"kafka.{where}: {own} has a key that Java does not read; openssl pkcs8 -topk8"
                    " -nocrypt makes one that it does, or with -v1 PBE-SHA1-3DES a locked one"
                )
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or "it is no PEM file"
        raise SettingsError(
            f"kafka.{where}: {properties[where]} cannot be used ({reason}); "
            + (
                "it has to be a PEM file of authorities"
                if trusted == properties[where]
                else "it has to be a PEM file of a key, opened by ssl.key.password if it is"
                " locked, and its certificates"
            )
        ) from None


def _is_read_by_java(pem: str) -> bool:
    key = _KEY.search(pem)
    if key is None:
        return False
    return not key["locked"] or _PBES2 not in base64.b64decode(key["body"])
