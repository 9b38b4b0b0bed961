"""Which failures of the query trying again does not help against: Kafka refuses us.

Java's client tells it in an exception's name, our own in an `AccessRefused` that a worker or
a batch raised; both arrive as text within an error of Spark's.
"""

import re
from collections.abc import Callable

from streaming.urls import FileUrl, KafkaUrl

GROUP = "spark-kafka-source"
"""What the names of Spark's consumer groups begin with."""

_OWN = re.compile(r"streaming\.errors\.AccessRefused: (?P<text>.*)")
_JAVA = re.compile(
    r"org\.apache\.kafka\.common\.(?:errors|config)\."
    r"(?P<name>\w*(?:Authentication|Authorization|Config|InvalidConfiguration)\w*Exception)"
    r"(?:: (?P<text>.*))?"
)

_NO_NAME = "No resolvable bootstrap"
"""Java takes it for a wrong setting that nobody knows a broker's name, which may pass."""


def _right(operation: str, resource: str) -> str:
    return (
        f"the user has no right to {operation}; kafka-acls --add --allow-principal User:NAME"
        f" --operation {operation} {resource} grants it"
    )


def _as_told(_: KafkaUrl, text: str) -> str:
    return f"Java's Kafka client says: {text}"


_MEANINGS: dict[str, Callable[[KafkaUrl, str], str]] = {
    "SaslAuthenticationException": lambda _, __: (
        "the broker refuses the user, the password or the mechanism; see sasl.jaas.config and"
        " sasl.mechanism in the group kafka"
    ),
    "SslAuthenticationException": lambda _, text: (
        f"Java and the broker do not trust each other ({text}); see ssl.truststore.location and"
        " ssl.keystore.location in the group kafka"
    ),
    "TopicAuthorizationException": lambda url, _: _right("Read", f"--topic {url.topic}"),
    "GroupAuthorizationException": lambda _, __: _right(
        "Read", f"--group {GROUP} --resource-pattern-type prefixed"
    ),
}


def refusal(error: BaseException, source: KafkaUrl | FileUrl) -> str | None:
    """Say what has to be mended if Kafka refuses us, None if this error is another one."""
    text = str(error)
    if own := _OWN.search(text):
        return own["text"].strip()
    java = _JAVA.search(text)
    if java is None or not isinstance(source, KafkaUrl) or _NO_NAME in text:
        return None
    told = (java["text"] or java["name"]).strip()
    meaning = _MEANINGS.get(java["name"], _as_told)
    return f"{source}: {meaning(source, told)}"
