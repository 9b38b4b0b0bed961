"""A simulated morning through the real query, and how well its verdicts fit what is true."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from streaming.engine.put import TEXTS
from streaming.enrichment import decode_text
from streaming.exporting import Line
from streaming.store import keys
from streaming.store.contract import Store

Truths = Mapping[str, Mapping[str, Any]]
"""Lines of a truth file by article; see ``producers.newsroom``."""

TRUE_REPEATS = frozenset({"duplicate", "contained_in"})


@dataclass(slots=True)
class Score:
    """How verdicts fit the truth.

    ``found`` and ``all_repeats`` count, per kind of edit, the articles that repeat an
    earlier one and those of them that were flagged with the right story; ``flagged`` is the
    number of flagged articles, ``right`` that of those flagged with their own story.
    """

    found: Counter[str] = field(default_factory=Counter)
    all_repeats: Counter[str] = field(default_factory=Counter)
    flagged: int = 0
    right: int = 0

    @property
    def precision(self) -> float | None:
        """Share of the flagged that are right; None if nothing was flagged."""
        return self.right / self.flagged if self.flagged else None

    @property
    def recall(self) -> float | None:
        """Share of the repeats that were found; None if there were none."""
        total = self.all_repeats.total()
        return self.found.total() / total if total else None


def score(verdicts: Iterable[Line], truths: Truths) -> Score:
    """Compare exported verdicts with the simulator's truth."""
    result = Score()
    stories = _Stories(truths)
    for verdict in verdicts:
        name, flagged = verdict["article_id"], verdict["duplicate_of"]
        truth = truths.get(name)
        if truth is None:
            continue
        repeats = truth["relation"] in TRUE_REPEATS
        right = flagged is not None and repeats and stories.of(flagged) == stories.of(name)
        kind = str(truth["kind"])
        result.all_repeats[kind] += repeats
        result.found[kind] += right
        result.flagged += flagged is not None
        result.right += right
    return result


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """Articles and duplicates of a channel."""

    channel: str
    articles: int
    duplicates: int


def by_channel(verdicts: Iterable[Line]) -> list[ChannelRow]:
    """Count articles and duplicates per channel, the channel with most articles first."""
    articles: Counter[str] = Counter()
    duplicates: Counter[str] = Counter()
    for verdict in verdicts:
        articles[verdict["channel"]] += 1
        duplicates[verdict["channel"]] += verdict["duplicate_of"] is not None
    return [ChannelRow(name, count, duplicates[name]) for name, count in articles.most_common()]


def examples(
    store: Store, verdicts: Sequence[Line], truths: Truths, count: int
) -> Iterator[tuple[str, str, str]]:
    """Give pairs to look at: kind of edit, beginning of the earlier text, of the later one.

    One pair of each kind first, the least similar before the identical ones.
    """
    flagged = [line for line in verdicts if line["duplicate_of"] is not None]
    flagged.sort(key=lambda line: (line["similarity"], line["article_id"]))
    kinds: dict[str, list[Line]] = defaultdict(list)
    for line in flagged:
        truth = truths.get(line["article_id"])
        kinds[str(truth["kind"]) if truth else "?"].append(line)
    rounds = max((len(lines) for lines in kinds.values()), default=0)
    chosen = [
        (kind, lines[number])
        for number in range(rounds)
        for kind, lines in kinds.items()
        if number < len(lines)
    ][:count]
    texts = _texts(
        store, {n for _, line in chosen for n in (line["article_id"], line["duplicate_of"])}
    )
    for kind, line in chosen:
        label = f"{kind}\n{line['relation']}\n{line['similarity']:.2f}"
        yield label, texts[line["duplicate_of"]], texts[line["article_id"]]


class _Stories:
    """The first article that each one goes back to, by its truth."""

    def __init__(self, truths: Truths) -> None:
        self._truths = truths

    def of(self, name: str) -> str:
        while True:
            truth = self._truths.get(name)
            if truth is None or truth["origin"] is None or truth["relation"] not in TRUE_REPEATS:
                return name
            name = str(truth["origin"])


def _texts(store: Store, names: Iterable[str]) -> dict[str, str]:
    rows = {keys.article(name): name for name in names}
    texts = {}
    for row, cells in store.rows(TEXTS, list(rows)).items():
        title, body = decode_text(cells[max(cells)])
        texts[rows[row]] = f"{title}\n{body}" if title else body
    return texts
