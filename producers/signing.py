"""Who may post: messages signed with a shared secret, as Standard Webhooks 1.0 says.

A message has an id, the time it was sent and a signature: the HMAC-SHA256, in base64, of
``id.time.body`` under the secret. Several signatures may come with a message and several
secrets may be valid, so that a secret can be replaced while messages arrive.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Self

from streaming.errors import SettingsError
from streaming.secretfiles import read_secret

SECRET_VARIABLE = "LEITONG_WEBHOOK_SECRET"  # noqa: S105 - the name of it, not a secret
ID, TIME, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE_SECONDS = 300
"""How far from now a message may have been sent: who caught one cannot send it for ever."""

_PREFIX, _VERSION = "whsec_", "v1"
_SHORTEST, _LONGEST = 24, 64
_LONGEST_ID = 256


class Unsigned(Exception):  # noqa: N818 - what the message is, not an error of ours
    """A message that nobody with the secret sent just now; the text says what is wrong."""


class Secrets:
    """The secrets that are valid. Never printed."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._secrets = tuple(secrets)

    @classmethod
    def read(cls, file: Path | None) -> Self | None:
        """Read secrets from a file, one per line, or one from the environment.

        None if there is none; SettingsError if one cannot be read or can be guessed.
        """
        lines = map(str.strip, read_secret(file, SECRET_VARIABLE).splitlines())
        where = SECRET_VARIABLE if file is None else str(file)
        secrets = [_decoded(line, where) for line in lines if line]
        return cls(secrets) if secrets else None

    def sign(self, message_id: str, time: int, body: bytes) -> str:
        """Sign a message with the first secret, as its sender does."""
        return f"{_VERSION},{_signature(self._secrets[0], message_id, time, body)}"

    def check(self, headers: Mapping[str, str], body: bytes, now: float) -> None:
        """Raise `Unsigned` unless a message was signed with one of the secrets, and just now.

        The names of ``headers`` are in lower case; ``now`` is in seconds since 1970.
        """
        message_id, time, said = (headers.get(name, "") for name in (ID, TIME, SIGNATURE))
        missing = [name for name in (ID, TIME, SIGNATURE) if not headers.get(name)]
        if missing:
            raise Unsigned(f"the header {missing[0]} is missing")
        if len(message_id) > _LONGEST_ID:
            raise Unsigned(f"{ID} is longer than {_LONGEST_ID} characters")
        if not (time.isascii() and time.isdecimal() and len(time) <= len(str(2**63))):
            raise Unsigned(f"{TIME} is no number of seconds since 1970")
        if abs(now - int(time)) > TOLERANCE_SECONDS:
            raise Unsigned(f"{TIME} is more than {TOLERANCE_SECONDS} seconds from now")
        given = [
            signature
            for version, _, signature in (each.partition(",") for each in said.split(" "))
            if version == _VERSION
        ]
        valid = [_signature(secret, message_id, int(time), body) for secret in self._secrets]
        # All are compared whatever comes out, so that time tells nothing.
        same = [
            hmac.compare_digest(one.encode(), other.encode("utf-8", "replace"))
            for one in valid
            for other in given
        ]
        if not any(same):
            raise Unsigned(f"{SIGNATURE} is not that of this message")


def _decoded(line: str, where: str) -> bytes:
    try:
        secret = base64.b64decode(line.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if not _SHORTEST <= len(secret) <= _LONGEST:
        raise SettingsError(
            f"{where}: a secret is {_SHORTEST} to {_LONGEST} random bytes in base64, such as"
            " `openssl rand -base64 32` gives"
        )
    return secret


def _signature(secret: bytes, message_id: str, time: int, body: bytes) -> str:
    signed = f"{message_id}.{time}.".encode("utf-8", "surrogatepass") + body
    return base64.b64encode(hmac.digest(secret, signed, sha256)).decode()
