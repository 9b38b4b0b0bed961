"""Certificates of an authority that lives as long as a test: as PEM files, and for Java."""

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import NameOID

PASSWORD = "of the tests only"  # noqa: S105 - as it says
LOOPBACK = (x509.IPAddress(ipaddress.ip_address("127.0.0.1")),)
DAY = timedelta(days=1)


class Authority:
    """Issues certificates into a directory; ``file`` is its own."""

    def __init__(self, directory: Path, name: str = "authority") -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        self._certificate = (
            _unsigned(self._name, self._name, self._key, timedelta(0))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file = directory / f"{name}.pem"
        self.file.write_bytes(self._certificate.public_bytes(Encoding.PEM))

    def issue(
        self,
        name: str,
        *,
        hosts: Sequence[x509.GeneralName] = LOOPBACK,
        age: timedelta = timedelta(0),
        password: str | None = None,
    ) -> Path:
        """Write a key, encrypted if there is a password, and its certificate into one PEM file.

        A certificate is valid for two days, from a day before its ``age``.
        """
        key, certificate = self._issued(name, hosts, age)
        file = self._directory / f"{name}.pem"
        locked: KeySerializationEncryption = (
            NoEncryption() if password is None else BestAvailableEncryption(password.encode())
        )
        file.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)
            + certificate.public_bytes(Encoding.PEM)
            + self._certificate.public_bytes(Encoding.PEM)
        )
        return file

    def issue_keystore(self, name: str, hosts: Sequence[x509.GeneralName] = LOOPBACK) -> Path:
        """Write a key and its certificate as PKCS 12, under `PASSWORD`."""
        key, certificate = self._issued(name, hosts, timedelta(0))
        file = self._directory / f"{name}.p12"
        file.write_bytes(
            serialize_key_and_certificates(
                name.encode(),
                key,
                certificate,
                [self._certificate],
                BestAvailableEncryption(PASSWORD.encode()),
            )
        )
        return file

    def _issued(
        self, name: str, hosts: Sequence[x509.GeneralName], age: timedelta
    ) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        key = ec.generate_private_key(ec.SECP256R1())
        unsigned = _unsigned(_name(name), self._name, key, age).add_extension(
            x509.SubjectAlternativeName(hosts), critical=False
        )
        return key, unsigned.sign(self._key, hashes.SHA256())


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, age: timedelta
) -> x509.CertificateBuilder:
    issued = datetime.now(UTC) - age
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(issued - DAY)
        .not_valid_after(issued + DAY)
    )
