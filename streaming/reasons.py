"""Why a message is refused: one list for dead letters, metrics and the dashboard.

The schema of a dead letter lists the same words; a test holds the two together.
"""

from dataclasses import dataclass
from enum import StrEnum

DETAIL_LIMIT = 200
"""Most characters of a detail; the schema of a dead letter says the same."""


class Reason(StrEnum):
    """Why a message was refused, as the word it is counted under."""

    NO_VALUE = "no_value"
    """Nothing to read: no value and no key to delete, or a value of no bytes."""
    TOO_LARGE = "too_large"
    """More bytes than `EventParser` takes."""
    NOT_UTF8 = "not_utf8"
    """The bytes are not UTF-8."""
    NOT_JSON = "not_json"
    """The text is not JSON."""
    TOO_DEEP = "too_deep"
    """The JSON nests too deep."""
    SCHEMA = "schema"
    """The JSON breaks a rule of the article event."""
    UNKNOWN_EVENT = "unknown_event"
    """The event is none that is known."""
    EMPTY_TEXT = "empty_text"
    """There is no text to compare, at once or after normalisation."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message that a stage refuses.

    `detail` says where and which rule in at most 200 characters, and never quotes
    the text of an article.
    """

    reason: Reason
    detail: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"
