"""The settings of the text stage; all of them are frozen in a generation's stamp."""

from pathlib import Path

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
