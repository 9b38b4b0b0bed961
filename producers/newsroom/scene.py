"""What a story is about: its names, places, figures and words, fixed once and then recurring."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

from producers.newsroom.grammar import Pool, zipf_table
from producers.newsroom.lexicon import Lexicon, Vocabulary, blocks

ENTITIES = (
    *("org", "o", "q", "inst", "p1", "t1", "p2", "t2", "p3", "t3", "city", "city2", "dist"),
    *("prod", "plan", "meet", "ver", "k1", "k2", "k3", "day", "year", "money", "pct", "users"),
    *("month", "title"),
)
POOLS = ("n", "s", "vn")
TOPICS = 6
_TITLE = ENTITIES.index("title")
_OWN_WORDS = 8
_PREFERRED_WORDS = 48
_LIST_NAMES = 1500
_CHINESE_ORDINALS = "二三四五六七八九十"
_MEETINGS = ("开发者大会", "技术峰会", "创新论坛", "产业大会", "技术沙龙", "年会", "博览会")


@dataclass(frozen=True, slots=True)
class Scene:
    """The entities (in the order of ``ENTITIES``) and the words of one story."""

    channel: str
    topic: int
    entities: tuple[str, ...]
    pools: tuple[Pool, ...]

    def titled(self, title: str) -> tuple[str, ...]:
        """Return the entities with ``title`` in its slot."""
        return (*self.entities[:_TITLE], title, *self.entities[_TITLE + 1 :])


@dataclass(frozen=True, slots=True)
class _Topic:
    terms: tuple[str, ...]
    pools: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


class Scenery:
    """Makes scenes of a set of channels.

    A channel has ``TOPICS`` topics: each prefers other terms and words of the channel, so that
    stories of one topic resemble each other more than stories of one channel do.
    """

    def __init__(self, lexicon: Lexicon, channels: Sequence[str]) -> None:
        self._names = dict(blocks("names.txt"))
        self._topics = {
            name: tuple(_topic(lexicon.vocabulary(name), topic) for topic in range(TOPICS))
            for name in channels
        }
        self._terms = {name: lexicon.vocabulary(name).terms for name in channels}

    def scene(self, channel: str, random: Random, when: datetime) -> Scene:
        """Return a new scene in ``channel``, of the day ``when``."""
        pick = random.choice
        names = self._names
        topic = int(random.random() * TOPICS)
        words = self._topics[channel][topic]
        k1, k2 = random.sample(words.terms, 2)
        k3 = pick([term for term in self._terms[channel] if term not in (k1, k2)])
        city, city2 = random.sample(names["cities"], 2)
        short, partner = self.company(random), self.company(random)
        project = pick(names["poetic"])
        ordinal = pick(_CHINESE_ORDINALS)
        entities = (
            city + short + pick(names["forms"]),
            short,
            partner,
            city2 + pick(names["institutes"]),
            self.person(random),
            pick(names["titles_company"]),
            self.person(random),
            pick(names["titles_expert"]),
            self.person(random),
            pick(names["titles_public"]),
            city,
            city2,
            pick(names["districts"]),
            self.product(random),
            f"“{project}”计划",
            f"第{ordinal}届{pick(names['poetic'])}{pick(_MEETINGS)}",
            f"{random.randint(1, 12)}.{random.randint(0, 30)}",
            k1,
            k2,
            k3,
            f"{when.month}月{when.day}日",
            str(random.randint(2006, 2022)),
            pick((f"{random.randint(1200, 9800)}万元", f"{random.randint(11, 98) / 10}亿元")),
            f"{random.randint(51, 890) / 10}%",
            f"{random.randint(12, 980)}万",
            str(random.randint(1, 12)),
            "",
        )
        pools = tuple(
            Pool(random.sample(preferred, _OWN_WORDS), table) for preferred, table in words.pools
        )
        return Scene(channel, topic, entities, pools)

    def person(self, random: Random) -> str:
        """Return a name of two to four characters."""
        given = random.choices(self._names["given"], k=2 if random.random() < 0.8 else 1)  # noqa: PLR2004 - four names in five
        return random.choice(self._names["surnames"]) + "".join(given)

    def company(self, random: Random) -> str:
        """Return a short company name."""
        names = self._names
        brand = random.choice(names["brand_first"]) + random.choice(names["brand_second"])
        return brand + random.choice(names["industries"])

    def product(self, random: Random) -> str:
        """Return a product name, Chinese in quotes or Latin."""
        names = self._names
        noun = random.choice(names["product_nouns"])
        if random.random() < 0.5:  # noqa: PLR2004 - every other
            return f"“{random.choice(names['poetic'])}”{noun}"
        latin = random.choice(names["latin_heads"]) + random.choice(names["latin_tails"])
        if random.random() < 0.5:  # noqa: PLR2004 - every other
            return f"{latin}{random.randint(2, 19)}"
        return latin + noun

    def outlets(self) -> tuple[str, ...]:
        """Return the names of all outlets."""
        names = self._names
        return tuple(
            place + kind for place in names["outlet_places"] for kind in names["outlet_kinds"]
        )

    def lists(self, random: Random) -> dict[str, Sequence[str]]:
        """Return the rules that are lists of names: ``name`` and ``outlet``."""
        return {
            "name": [self.person(random) for _ in range(_LIST_NAMES)],
            "outlet": self.outlets(),
        }


def _topic(vocabulary: Vocabulary, topic: int) -> _Topic:
    """Return the terms of a topic and, in the order of ``POOLS``, its words."""
    objects, nouns = _from(vocabulary.objects, topic), _from(vocabulary.nouns, topic)
    mixed: list[str] = []
    for number, noun in enumerate(nouns):
        mixed += (*objects[2 * number : 2 * number + 2], noun)
    ordered = (
        tuple(dict.fromkeys((*mixed, *objects))),
        _from(vocabulary.sectors, topic),
        _from(vocabulary.acts, topic),
    )
    return _Topic(
        terms=vocabulary.terms[topic::TOPICS],
        pools=tuple((words[:_PREFERRED_WORDS], zipf_table(words)) for words in ordered),
    )


def _from(words: Sequence[str], topic: int) -> tuple[str, ...]:
    """Return the words with every ``TOPICS``-th one, starting at ``topic``, in front."""
    front = range(topic, len(words), TOPICS)
    return (*words[topic::TOPICS], *(w for n, w in enumerate(words) if n not in front))
