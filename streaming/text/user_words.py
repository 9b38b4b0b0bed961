"""Words that users add to the dictionary of the segmenter."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UserWord:
    """A word that a user adds to the dictionary, as a line of jieba's format says it.

    Without a ``frequency`` it gets one that makes the word win over its parts; 0 takes the
    word out of the dictionary. ValueError for a word that is empty, or one ASCII letter or
    digit.
    """

    word: str
    frequency: int | None = None
    tag: str | None = None

    def __post_init__(self) -> None:
        if not self.word or (len(self.word) == 1 and self.word.isascii() and self.word.isalnum()):
            raise ValueError(f"{self.word!r} cannot be a word of a dictionary")
