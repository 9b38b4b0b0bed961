"""What the text settings name, read from its files.

Every function raises SettingsError naming file and line of what cannot be read.
"""

from streaming.text import tables
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
