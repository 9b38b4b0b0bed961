"""The words of each channel, out of jieba's dictionary.

Every word belongs to one channel or to all of them: the owner is the channel whose name hashes
highest together with the word (rendezvous hashing), so that adding a channel moves few words
and no seed is involved: models trained on one simulation fit another.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from producers.newsroom.randomness import stable_hash

_MINIMUM_FREQUENCY = {"n": 500, "vn": 60, "a": 250, "v": 400, "d": 400}
_NOUNS_PER_CHANNEL = 60
_TERMS_OF_UNKNOWN_CHANNEL = 16
_WORD_LENGTHS = range(2, 5)
_NOUN_LENGTH = 2
# Characters of words that would make a sentence about technology absurd or tasteless.
_UNWANTED = frozenset(
    "兵军武党王帝妃奴妓淫尸血毒杀死奸贼鬼妖魔神佛仙僧道宅娘爷妻妾婆嫂姐妹爸妈儿爹监皇朝臣将帅敌倭病癌侯"
    "孙剑刀枪弹炮战侠贵犯罪狱囚刑屁尿屎粪裸奶胸臀乳妇嫖赌匪盗骂魂坟墓棺葬巫咒邪教寺庙殿陛爵后宫丫头公子"
    "少爷太夫母父孩婴童女男姑叔伯舅姨弟兄哥祖侄孕胎阴阳肉骨牙嘴唇舌鼻眼耳脸脖腿脚臂膝肩腰腹政委官宗诏乱"
)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of one channel, the ones it prefers first.

    ``terms`` are its subjects and ``nouns`` its own nouns of the dictionary: no other channel of
    the lexicon has them. ``sectors``, ``objects`` and ``acts`` (verbal nouns) are those of every
    channel in an order of its own.
    """

    terms: tuple[str, ...]
    nouns: tuple[str, ...]
    sectors: tuple[str, ...]
    objects: tuple[str, ...]
    acts: tuple[str, ...]


class Lexicon:
    """The vocabularies of a set of channels.

    Depends on the channel names and on the installed dictionary, on nothing else.
    """

    def __init__(self, channels: Iterable[str]) -> None:
        names = sorted(set(channels))
        nouns = _deal([word for word in _words("n") if len(word) == _NOUN_LENGTH], names)
        known = dict(blocks("terms.txt"))
        words = dict(blocks("words.txt"))
        self._vocabularies = {
            name: Vocabulary(
                terms=known.get(name) or _compounds(nouns[name], words["acts"], name),
                nouns=tuple(nouns[name][:_NOUNS_PER_CHANNEL]),
                sectors=_in_order_of(name, words["sectors"]),
                objects=_in_order_of(name, words["objects"]),
                acts=_in_order_of(name, words["acts"]),
            )
            for name in names
        }

    def vocabulary(self, channel: str) -> Vocabulary:
        """Return the words of one of the channels given at construction."""
        return self._vocabularies[channel]


@cache
def substitutes() -> dict[str, tuple[str, ...]]:
    """Return, for each replaceable word, the words of its kind and length (itself included).

    A kind is a list of words of business, or a part of speech of the dictionary.
    """
    kinds = {name: words for name, words in blocks("words.txt") if name != "ordinary"}
    groups: dict[tuple[str, int], list[str]] = {}
    seen: set[str] = set()
    for kind, words in (*kinds.items(), *((tag, _words(tag)) for tag in _MINIMUM_FREQUENCY)):
        for word in words:
            if len(word) in _WORD_LENGTHS and word not in seen:
                seen.add(word)
                groups.setdefault((kind, len(word)), []).append(word)
    return {word: tuple(group) for group in groups.values() if len(group) > 1 for word in group}


@cache
def blocks(name: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the ``[name]`` blocks of a data file: each name with the words under it."""
    text = resources.files(__package__).joinpath("data", name).read_text("utf-8")
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith("["):
            current = found.setdefault(line.strip().strip("[]"), [])
        else:
            current.extend(line.split())
    return tuple((block, tuple(words)) for block, words in found.items())


@cache
def _words(tag: str) -> tuple[str, ...]:
    """Return the usable words of a part of speech, most frequent first."""
    unfit = frozenset(dict(blocks("words.txt"))["ordinary"])
    found = [
        (-frequency, word)
        for word, frequency, word_tag in _dictionary()
        if word_tag == tag
        and frequency >= _MINIMUM_FREQUENCY[tag]
        and not _UNWANTED.intersection(word)
        and word not in unfit
    ]
    return tuple(word for _, word in sorted(found))


@cache
def _dictionary() -> tuple[tuple[str, int, str], ...]:
    return tuple(_entries())


def _entries() -> Iterator[tuple[str, int, str]]:
    with resources.files("jieba").joinpath("dict.txt").open(encoding="utf-8") as lines:
        for line in lines:
            word, frequency, tag = line.split()
            if tag in _MINIMUM_FREQUENCY and len(word) in _WORD_LENGTHS:
                yield word, int(frequency), tag


def _deal(words: Sequence[str], channels: Sequence[str]) -> dict[str, list[str]]:
    """Give each word to one channel."""
    dealt: dict[str, list[str]] = {name: [] for name in channels}
    for word in words:
        _, owner = max((stable_hash(name, word), name) for name in channels)
        dealt[owner].append(word)
    return dealt


def _in_order_of(channel: str, words: Sequence[str]) -> tuple[str, ...]:
    """Return the words in the order in which this channel prefers them."""
    return tuple(sorted(words, key=lambda word: stable_hash(channel, word)))


def _compounds(nouns: Sequence[str], acts: Sequence[str], channel: str) -> tuple[str, ...]:
    """Return subject terms for a channel that has no written ones."""
    return tuple(
        noun + act
        for noun, act in zip(
            nouns[:_TERMS_OF_UNKNOWN_CHANNEL], _in_order_of(channel, acts), strict=False
        )
    )
