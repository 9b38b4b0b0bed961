"""What the text settings name, read from its files.

Every function raises SettingsError naming file and line of what cannot be read.
"""

from streaming.text import tables
from streaming.text.contrasts import TAGS, Contrasts
from streaming.text.segment import Segmenter
from streaming.text.settings import TextSettings


def load_segmenter(settings: TextSettings) -> Segmenter:
    """Give a segmenter with the words of all user dictionaries, in their order."""
    words = [word for path in settings.user_dictionaries for word in tables.read_user_words(path)]
    return Segmenter(words, hmm=settings.hmm)


def load_stop_words(settings: TextSettings) -> frozenset[str]:
    """Give the stop words in use: the built-in list or another, and those added to it."""
    stop_words = tables.read_stop_words(settings.stop_words)
    if settings.extra_stop_words:
        stop_words |= tables.read_stop_words(settings.extra_stop_words)
    return stop_words


def load_contrasts(settings: TextSettings) -> Contrasts:
    """Give what contrasts by jieba's tags, and by those of the user dictionaries over them."""
    tags = tables.read_jieba_tags(TAGS)
    for path in settings.user_dictionaries:
        tags |= {each.word: each.tag for each in tables.read_user_words(path) if each.tag}
    return Contrasts(tags)
