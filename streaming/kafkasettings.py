"""The group ``kafka`` of the settings: Kafka's own properties, which may be secrets.

It never prints: not in ``repr``, not in an error, and ``leitong config show`` shows only
those values that are known to be harmless.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from streaming.errors import SettingsError
from streaming.secretfiles import read_secret_file

HIDDEN = "<hidden>"

_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
# Those whose user and password are in `sasl.jaas.config`.
_WITH_PASSWORD = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_HARMLESS = re.compile(
    r"acks|client\.id|compression\.type|enable\.idempotence|security\.protocol|sasl\.mechanism"
    r"|ssl\.endpoint\.identification\.algorithm"
    r"|.*\.(ms|bytes|records|requests|size|connection|location|type)"
)


def is_harmless(name: str) -> bool:
    """Whether everybody may see the value of a property."""
    return _HARMLESS.fullmatch(name) is not None


class KafkaProperties(Mapping[str, str]):
    """Kafka's properties by their names; prints without values.

    ValueError for properties that contradict each other, or say less than a client needs.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)
        _check(self._values)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self._values)})"

    def shown(self) -> dict[str, str]:
        """Give the properties for everybody to see: `HIDDEN` for what may be a secret."""
        return {name: self[name] if is_harmless(name) else HIDDEN for name in self}

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        """Validate a table of the settings, and write it as `shown`."""
        return core_schema.no_info_plain_validator_function(
            _read_group,
            serialization=core_schema.plain_serializer_function_ser_schema(KafkaProperties.shown),
        )


def _read_group(table: Any) -> KafkaProperties:
    if isinstance(table, KafkaProperties):
        return table
    if not isinstance(table, dict):
        raise ValueError("must be a table of Kafka's properties")  # noqa: TRY004 - as pydantic wants
    return KafkaProperties({str(name): _read(str(name), value) for name, value in table.items()})


def _read(name: str, value: Any) -> str:
    """Give a value as Kafka takes it; ``{file = "PATH"}`` stands for what a file holds."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    match value:
        case {"file": str(path), **others} if path and not others:
            try:
                return read_secret_file(Path(path))
            except SettingsError as error:
                raise ValueError(f"{name}: {error}") from None
    raise ValueError(
        f'{name}: must be text, a number, true or false, or {{file = "PATH"}}; a name with dots is'
        ' written in quotes: "security.protocol" = "SSL"'
    )


def _check(values: Mapping[str, str]) -> None:
    if "bootstrap.servers" in values:
        raise ValueError("bootstrap.servers: the brokers are those in the address kafka://...")
    protocol = values.get("security.protocol", "PLAINTEXT")
    if protocol not in _PROTOCOLS:
        raise ValueError(f"security.protocol: must be one of {', '.join(_PROTOCOLS)}")
    with_sasl, with_tls = protocol.startswith("SASL"), protocol.endswith("SSL")
    for prefix, used, needed in (("sasl.", with_sasl, "SASL_SSL"), ("ssl.", with_tls, "SSL")):
        unused = next((name for name in values if name.startswith(prefix)), None)
        if unused and not used:
            raise ValueError(
                f"{unused}: would not be used, as security.protocol is {protocol}; set that to"
                f" {needed}, or leave this out"
            )
    if with_sasl and "sasl.mechanism" not in values:
        raise ValueError(
            f"sasl.mechanism: has to be set with security.protocol = {protocol}; one of"
            f" {', '.join(_WITH_PASSWORD)}"
        )
    if with_sasl and values["sasl.mechanism"] in _WITH_PASSWORD:
        if "sasl.jaas.config" not in values:
            raise ValueError(
                "sasl.jaas.config: has to hold user and password, best as"
                ' {file = "PATH"}; see docs/security.md'
            )
        read_login(values["sasl.jaas.config"])


_QUOTED = r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'"
_LOGIN = re.compile(
    rf"\s*[\w.]+LoginModule\s+required(?P<options>(?:\s+[\w.]+\s*=\s*(?:{_QUOTED}|[\w.-]+))*)\s*;\s*"
)
_OPTION = re.compile(rf"(?P<name>[\w.]+)\s*=\s*(?P<value>{_QUOTED}|[\w.-]+)")
_ESCAPE = re.compile(r"\\(.)")


def read_login(jaas: str) -> tuple[str, str]:
    """Read user and password from a value of ``sasl.jaas.config``; ValueError without it."""
    match = _LOGIN.fullmatch(jaas)
    options = {
        option["name"]: option["value"]
        for option in _OPTION.finditer(match["options"] if match else "")
    }
    if not {"username", "password"} <= options.keys():
        raise ValueError(
            'sasl.jaas.config: must read CLASS required username="..." password="..."; with the'
            " class of a PLAIN or SCRAM login module, and the semicolon"
        )
    user, password = (_unquoted(options[name]) for name in ("username", "password"))
    return user, password


def _unquoted(text: str) -> str:
    if text[0] not in "\"'":
        return text
    escaped = _ESCAPE.findall(text)
    if any(each in "abfnrtv01234567" for each in escaped):
        # Java would make control characters of them.
        raise ValueError("sasl.jaas.config: within quotes write \\\\ for a backslash")
    return _ESCAPE.sub(r"\1", text[1:-1])
