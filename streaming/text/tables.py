"""Word tables that users bring: dictionaries, lexicons, stop words, document frequencies.

All are UTF-8 text, one entry per line; blank lines and lines that begin with ``#`` mean
nothing. Words are normalised like text, since no other word could be met in one.

==================  =========================================  ==========================
table               line                                       example
==================  =========================================  ==========================
user dictionary     word [frequency] [tag], as jieba reads it  ``算力网络 20 n``
lexicon             word, tab, weight 1-5                      ``降准<TAB>5``
stop words          word                                       ``此外``
document frequency  word, white space, positive number         ``降准 9.31``
==================  =========================================  ==========================

Every reader raises SettingsError naming file and line.
"""

import math
import re
from collections.abc import Collection, Iterator
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from sys import intern

from streaming.errors import SettingsError
from streaming.text.normalise import normalise
from streaming.text.user_words import UserWord

MAX_LEXICON_WEIGHT = 5

_USER_WORD = re.compile(r"(.+?)(?: ([0-9]+))?(?: ([a-z]+))?")
_STOP_WORDS = "stopwords.txt"


def read_user_words(path: Path) -> list[UserWord]:
    """Read a user dictionary; the order of its lines matters to jieba, and is kept."""
    words = []
    for number, line in _lines(path):
        match = _USER_WORD.fullmatch(line)
        word = normalise(match[1]) if match else ""
        if not match or not word:
            raise _bad(path, number, f"no word in {line!r}")
        if len(word) == 1 and word.isascii():
            raise _bad(path, number, f"{word!r} alone cannot be a dictionary word")
        words.append(UserWord(word, int(match[2]) if match[2] else None, match[3]))
    return words


def read_lexicon(path: Path) -> dict[str, int]:
    """Read an industry lexicon: word -> weight 1-5, words in lower case."""
    lexicon: dict[str, int] = {}
    for number, line in _lines(path):
        word, tab, weight = line.partition("\t")
        word = _key(word)
        if not word or not tab or not _is_weight(weight.strip()):
            raise _bad(path, number, "expected word, tab, and a weight from 1 to 5")
        if lexicon.setdefault(word, int(weight)) != int(weight):
            raise _bad(path, number, f"{word!r} has two weights in this file")
    return lexicon


def read_stop_words(path: Path | None) -> frozenset[str]:
    """Read stop words in lower case; None: the list that comes with this package."""
    if path is None:
        text = files("streaming.text.data").joinpath(_STOP_WORDS).read_text(encoding="utf-8")
        return frozenset(_key(word) for _, word in _entries(text))
    return frozenset(_key(word) for _, word in _lines(path))


def read_idf(path: Path) -> dict[str, float]:
    """Read inverse document frequencies: word in lower case -> positive number."""
    table: dict[str, float] = {}
    for number, line in _lines(path):
        word, _, value = line.replace("\t", " ").rpartition(" ")
        try:
            frequency = float(value)
        except ValueError:
            frequency = math.nan
        if not word.strip() or not 0 < frequency < math.inf:
            raise _bad(path, number, "expected a word and a positive number")
        table[_key(word)] = frequency
    if not table:
        raise SettingsError(f"{path}: no word in this table; remove the setting to use jieba's")
    return table


def jieba_idf_path() -> Path:
    """Give the table of document frequencies inside the installed jieba."""
    return _jieba_path("analyse") / "idf.txt"


def jieba_dictionary_path() -> Path:
    """Give the dictionary inside the installed jieba."""
    return _jieba_path("dict.txt")


def read_jieba_idf() -> dict[str, float]:
    """Read jieba's own table; some 270 000 words, well formed but for a line without one."""
    fields = jieba_idf_path().read_text(encoding="utf-8").split("\n")
    pairs = (line.rpartition(" ") for line in fields)
    return {word: float(value) for word, _, value in pairs if word}


def read_jieba_tags(wanted: Collection[str]) -> dict[str, str]:
    """Read the words of jieba's dictionary that have one of these tags, with their tags."""
    with jieba_dictionary_path().open(encoding="utf-8") as lines:
        fields = (line.split() for line in lines)
        return {word: intern(tag) for word, _, tag in fields if tag in wanted}


def _jieba_path(name: str) -> Path:
    spec = find_spec("jieba")
    if spec is None or spec.origin is None:
        raise SettingsError("jieba is not installed: install it, or name a table in text.idf")
    return Path(spec.origin).with_name(name)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SettingsError(f"{path}:{line}: not UTF-8: convert the file") from error
    return _entries(text)


def _entries(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), start=1):
        entry = line.strip()
        if entry and not entry.startswith("#"):
            yield number, entry


def _key(word: str) -> str:
    return normalise(word).lower()


def _is_weight(text: str) -> bool:
    return len(text) == 1 and text in "12345"


def _bad(path: Path, line: int, message: str) -> SettingsError:
    return SettingsError(f"{path}:{line}: {message}")
