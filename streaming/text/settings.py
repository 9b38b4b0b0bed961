"""The settings of the text stage; all of them are frozen in a generation's stamp."""

from collections.abc import Callable
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field


class TextSettings(BaseModel):
    """How an article's text becomes words, and words become weighted features."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hmm: bool = Field(
        default=True,
        description="let the segmenter's hidden Markov model find words no dictionary has",
    )
    user_dictionaries: tuple[Path, ...] = Field(
        (), description="dictionaries in jieba's format: word [frequency] [tag] per line"
    )
    stop_words: Path | None = Field(
        None, description="stop words, one per line, in place of the built-in list"
    )
    extra_stop_words: Path | None = Field(
        None, description="stop words, one per line, added to the list in use"
    )
    idf: Path | None = Field(
        None,
        description="inverse document frequencies, word and value per line,"
        " in place of those that come with jieba",
    )
    lexicon: Path | None = Field(
        None, description="words and weights 1-5, separated by a tab, that hold in every channel"
    )
    channel_lexicons: dict[str, Path] = Field(
        {}, description="channel -> words and weights 1-5 that hold in this channel only"
    )

    def files(self) -> tuple[Path, ...]:
        """Give every file that is named, once."""
        single = (self.stop_words, self.extra_stop_words, self.idf, self.lexicon)
        named = (*self.user_dictionaries, *filter(None, single), *self.channel_lexicons.values())
        return tuple(dict.fromkeys(named))

    def moved(self, place: Callable[[Path], Path]) -> Self:
        """Give the same settings, with every file where ``place`` says."""
        return self.model_copy(
            update={
                "user_dictionaries": tuple(map(place, self.user_dictionaries)),
                "stop_words": self.stop_words and place(self.stop_words),
                "extra_stop_words": self.extra_stop_words and place(self.extra_stop_words),
                "idf": self.idf and place(self.idf),
                "lexicon": self.lexicon and place(self.lexicon),
                "channel_lexicons": {
                    name: place(path) for name, path in self.channel_lexicons.items()
                },
            }
        )
