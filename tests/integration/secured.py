"""A broker that can be reached in every way that is supported, and asks what users may do.

Beside the plain listener, whose nameless users may do everything, it has one with TLS, one
with passwords over TLS, one that wants certificates, and two with certificates that no
client should accept.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import NamedTuple

from cryptography import x509
from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ResourcePattern,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from streaming.stack.jars import resolve, silent
from streaming.stack.java import java_command
from streaming.stack.kafka import Kafka
from streaming.stack.ports import LOOPBACK, free_ports
from streaming.stack.settings import InnerPorts, Options, Ports
from streaming.stack.supervisor import Supervisor
from tests.certificates import DAY, PASSWORD, Authority

LISTENERS = ("tls", "sasl", "mutual", "expired", "elsewhere", "words")
PLAIN = {"desk": "desk's word", "admin": 'a "quoted" \\ word'}
"""Users of SASL PLAIN and their passwords; those of SCRAM are made by `Secured.scram`."""

_START_SECONDS = 120


class Right(NamedTuple):
    """What a user may do with a topic."""

    user: str
    operation: str
    topic: str


@dataclass(frozen=True, slots=True)
class Secured:
    """A running broker: the ports of its listeners, and files that clients need."""

    ports: dict[str, int]
    authority: Path
    stranger: Path
    client: Path
    locked_client: Path
    strange_client: Path
    log: Path

    def address(self, listener: str) -> str:
        return f"{LOOPBACK}:{self.ports[listener]}"

    def trusting(self, protocol: str) -> dict[str, str]:
        return {
            "security.protocol": protocol,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority),
        }

    def mutual(self, own: Path) -> dict[str, str]:
        return self.trusting("SSL") | {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(own),
        }

    def with_password(
        self, mechanism: str, user: str, password: str, *, tls: bool = True
    ) -> dict[str, str]:
        protocol = self.trusting("SASL_SSL") if tls else {"security.protocol": "SASL_PLAINTEXT"}
        return protocol | {
            "sasl.mechanism": mechanism,
            "sasl.jaas.config": jaas(mechanism, user, password),
        }

    def scram(self, user: str, password: str, *, tls: bool = True) -> dict[str, str]:
        """Make a user, and give what a client of theirs is set to."""
        with self.administering() as admin:
            admin.alter_user_scram_credentials(
                [UserScramCredentialUpsertion(user, ScramMechanism.SCRAM_SHA_512, password, 4096)]
            )
        return self.with_password("SCRAM-SHA-512", user, password, tls=tls)

    def grant(self, rights: Iterable[Right]) -> None:
        with self.administering() as admin:
            admin.create_acls([_acl(right) for right in rights])

    def revoke(self, right: Right) -> None:
        with self.administering() as admin:
            admin.delete_acls([_acl(right)])

    @contextmanager
    def administering(self) -> Iterator[KafkaAdminClient]:
        admin = KafkaAdminClient(bootstrap_servers=self.address("plain"))
        try:
            yield admin
        finally:
            admin.close()


def _acl(right: Right) -> ACL:
    return ACL(
        f"User:{right.user}",
        "*",
        # In `kafka-acls` it is DescribeConfigs, in the client DESCRIBE_CONFIGS.
        ACLOperation[re.sub("(?<=[a-z])(?=[A-Z])", "_", right.operation).upper()],
        ACLPermissionType.ALLOW,
        ResourcePattern(ResourceType.TOPIC, right.topic),
    )


def jaas(mechanism: str, user: str, password: str) -> str:
    kind = "plain.Plain" if mechanism == "PLAIN" else "scram.Scram"
    word = password.replace("\\", "\\\\").replace('"', '\\"')
    return (
        f"org.apache.kafka.common.security.{kind}LoginModule required"
        f' username="{user}" password="{word}";'
    )


class _Broker(Kafka):
    """The stack's broker with more listeners and an authorizer."""

    more = ""

    def render_configuration(self) -> None:
        super().render_configuration()
        # Of a property that is there twice the last one counts.
        with self._configuration.open("a") as file:
            file.write(self.more)


@contextmanager
def secured(directory: Path) -> Iterator[Secured]:
    """Run the broker for as long as the context is open."""
    authority = Authority(directory)
    kafka, controller, *others = free_ports(2 + len(LISTENERS))
    ports = dict(zip(LISTENERS, others, strict=True)) | {"plain": kafka}
    broker = _Broker(
        directory / "kafka",
        Ports(kafka=kafka),
        InnerPorts(controller=controller),
        Options(java_options=("-XX:TieredStopAtLevel=1",)),
    )
    stores = {
        "tls": authority.issue("broker"),
        "expired": authority.issue("old", age=2 * DAY),
        "elsewhere": authority.issue("other", hosts=[x509.DNSName("kafka.example")]),
    }
    stores |= dict.fromkeys(("sasl", "mutual"), stores["tls"])
    broker.more = _configuration(ports, controller, stores, authority.file)
    supervisor = Supervisor(broker, directory)
    try:
        jars = resolve(broker.jar_set, silent)
        supervisor.start(java_command(), jars, _START_SECONDS, silent, Event())
        stranger = Authority(directory, "stranger")
        yield Secured(
            ports,
            authority.file,
            stranger.file,
            authority.issue("desk-client", hosts=[x509.DNSName("desk")]),
            authority.issue("locked-client", hosts=[x509.DNSName("desk")], password=PASSWORD),
            stranger.issue("strange-client"),
            supervisor.log,
        )
    finally:
        supervisor.stop(silent)


def _configuration(
    ports: dict[str, int], controller: int, stores: dict[str, Path], authority: Path
) -> str:
    protocols = {"plain": "PLAINTEXT", "sasl": "SASL_SSL", "words": "SASL_PLAINTEXT"}
    names = {"plain": "CLIENT"}
    places = [
        f"{names.get(each, each.upper())}://{LOOPBACK}:{port}" for each, port in ports.items()
    ]
    places.append(f"CONTROLLER://{LOOPBACK}:{controller}")
    kinds = [f"{names.get(each, each.upper())}:{protocols.get(each, 'SSL')}" for each in ports] + [
        "CONTROLLER:PLAINTEXT"
    ]
    login = "org.apache.kafka.common.security"
    users = " ".join(f'user_{name}="{_quoted(word)}"' for name, word in PLAIN.items())
    lines = [
        f"listeners={','.join(places)}",
        f"advertised.listeners={','.join(places)}",
        f"listener.security.protocol.map={','.join(kinds)}",
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users=User:ANONYMOUS;User:desk;User:CN=desk-client",
        "ssl.truststore.type=PEM",
        f"ssl.truststore.location={authority}",
        "listener.name.mutual.ssl.client.auth=required",
    ]
    for listener, store in stores.items():
        lines.append(f"listener.name.{listener}.ssl.keystore.type=PEM")
        lines.append(f"listener.name.{listener}.ssl.keystore.location={store}")
    for listener in ("sasl", "words"):
        prefix = f"listener.name.{listener}"
        lines += [
            f"{prefix}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512",
            f"{prefix}.plain.sasl.jaas.config={login}.plain.PlainLoginModule required {users};",
            f"{prefix}.scram-sha-512.sasl.jaas.config={login}.scram.ScramLoginModule required;",
        ]
    return "\n" + "\n".join(lines) + "\n"


def _quoted(word: str) -> str:
    # Once for the JAAS text, and its backslashes once more for the properties file.
    return word.replace("\\", "\\\\").replace('"', '\\"').replace("\\", "\\\\")
