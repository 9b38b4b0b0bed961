"""What events can say of an article, and the words they say it with."""

from collections.abc import Mapping
from enum import StrEnum


class Kind(StrEnum):
    """What happened to an article, or what an editor says of it."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    NOT_DUPLICATE = "not_duplicate"
    """It is no duplicate of the other article."""
    ORIGINAL = "original"
    """The other article is the original of its story."""
    RELEASED = "released"
    """Take back what was said of it and the other article, or of it and any other."""

    @property
    def is_override(self) -> bool:
        """Whether an editor says it, over the verdict; such an event has no text."""
        return self in _OVERRIDES


_OVERRIDES = frozenset({Kind.NOT_DUPLICATE, Kind.ORIGINAL, Kind.RELEASED})

WORDS: Mapping[str, Kind] = {
    word: kind for kind in Kind for word in (kind.value, kind.value.removesuffix("d"))
}
"""Every word for a kind, short forms included; the schema lists the same."""
