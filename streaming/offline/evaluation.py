"""What a run over a corpus says of the rules: how verdicts fit labelled pairs, at what cost."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from streaming.errors import SourceError
from streaming.matching.content import pair_of
from streaming.matching.evidence import length_of
from streaming.matching.rules import Rules
from streaming.matching.verification import verify
from streaming.offline.corpus import Corpus
from streaming.offline.judging import Judged, judge_all
from streaming.offline.pairs import DUPLICATE, LabelledPair
from streaming.offline.scoring import (
    LENGTH_CLASSES,
    ONE_TEXT,
    Tally,
    length_class,
    roots,
    tallies,
    tally,
)

_SHOWN = 5
_PERCENTILES = (50, 90, 99)

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A report as one JSON document, and the pairs that were answered wrongly."""

    report: Document
    wrong: list[Document]


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the run says of one labelled pair; ``candidate`` if the two were compared."""

    pair: LabelledPair
    flagged: bool
    candidate: bool
    length: int

    @property
    def truth(self) -> tuple[bool, bool]:
        return self.pair.duplicate, self.flagged


def evaluate(
    corpus: Corpus,
    pairs: Sequence[LabelledPair],
    rules: Rules,
    on_progress: Callable[[int], None] = lambda _judged: None,
) -> Evaluation:
    """Judge every article of a corpus and compare the verdicts with labelled pairs.

    A pair counts as found if one article is marked ``duplicate_of`` the other, if following
    ``duplicate_of`` from both ends at the same article, or if one lists the other among its
    matches as one text. Pairs with an article that is not there are counted and left out;
    SourceError if that is all of them.
    """
    live = {article.name for article in corpus.articles if article.content is not None}
    if not any(pair.one in live and pair.other in live for pair in pairs):
        raise SourceError(
            f"none of the {len(pairs):,} pairs has both its articles in the files: {pairs[0].one}"
            f" and {pairs[0].other} are not both there; name the files that hold them, and give"
            " articles the ids that they have in the pairs"
        )
    judged: dict[str, Judged] = {}
    for each in judge_all(corpus.articles, rules):
        judged[each.article.name] = each
        on_progress(len(judged))
    run = _Run(judged, rules)
    answers = [run.answer(p) for p in pairs if p.one in judged and p.other in judged]
    duplicates = [each for each in answers if each.pair.duplicate]
    report: Document = {
        "articles": {
            "read": corpus.read,
            "judged": len(judged),
            "refused": dict(corpus.refused.most_common()),
            "overrides_passed_over": corpus.overrides,
            "not_in_the_sample": corpus.passed_over,
        },
        "pairs": {
            "scored": len(answers),
            "with_an_article_that_is_not_there": len(pairs) - len(answers),
            "labels": dict(Counter(each.pair.label for each in answers).most_common()),
        },
        "all": tally(each.truth for each in answers).fields(),
        "clear": _clear(answers),
        "by_length": _by_length(answers),
        "by_kind": _flagged(answers, lambda each: each.pair.kind),
        "by_label": _flagged(answers, lambda each: each.pair.label),
        "candidate_recall": _rounded(sum(each.candidate for each in duplicates), len(duplicates)),
        "per_article": {
            "keys": _spread(len(each.content.keys(rules)) for each in judged.values()),
            "candidates": _spread(len(each.candidates) for each in judged.values()),
            "evidence_bytes": _spread(len(each.content.evidence) for each in judged.values()),
        },
        "marked_duplicate": len(run.duplicate_of),
        "templates": sum(each.verdict.template_of is not None for each in judged.values()),
        "largest_cluster": run.largest_cluster(),
        "without_a_key": _named(
            name for name, each in judged.items() if not each.content.keys(rules)
        ),
    }
    wrong = [run.explain(each) for each in answers if each.pair.duplicate != each.flagged]
    return Evaluation(report, wrong)


class _Run:
    """The verdicts of a run, as questions about pairs are asked of them."""

    def __init__(self, judged: Mapping[str, Judged], rules: Rules) -> None:
        self._judged = judged
        self._rules = rules
        self.duplicate_of = {
            name: each.verdict.duplicate_of
            for name, each in judged.items()
            if each.verdict.duplicate_of is not None
        }
        self._roots = roots(self.duplicate_of)

    def answer(self, pair: LabelledPair) -> _Answer:
        """Say whether a pair was found."""
        later, earlier = self._in_order(pair)
        listed = any(
            match.article == earlier.article.name and match.finding.relation in ONE_TEXT
            for match in later.verdict.matches
        )
        direct = later.verdict.duplicate_of == earlier.article.name
        return _Answer(
            pair,
            direct or listed or self._root(pair.one) == self._root(pair.other),
            earlier.article.name in later.candidates,
            min(length_of(later.content.evidence), length_of(earlier.content.evidence)),
        )

    def explain(self, answer: _Answer) -> Document:
        """Say what the rules make of a pair that was answered wrongly."""
        later, earlier = self._in_order(answer.pair)
        found = verify(pair_of(later.content, earlier.content), self._rules.thresholds)
        if answer.flagged and found.relation not in ONE_TEXT:
            reason = f"both repeat {self._root(answer.pair.one)}"
        elif not answer.candidate:
            reason = "never compared: " + self._apart(later, earlier)
        else:
            reason = found.failed.value if found.failed else "one text by the evidence"
        return {
            "id1": answer.pair.one,
            "id2": answer.pair.other,
            "label": answer.pair.label,
            "kind": answer.pair.kind or None,
            "conf": answer.pair.conf or None,
            "flagged": answer.flagged,
            "relation": found.relation,
            "score": found.score,
            "reason": reason,
        }

    def largest_cluster(self) -> Document:
        """Give the largest set of articles that ``duplicate_of`` connects."""
        sizes = Counter(self._roots.values())
        if not sizes:
            return {"size": 0, "clusters": 0, "first": []}
        end = min(sizes, key=lambda each: (-sizes[each], self._judged[each].article.first))
        members = [end, *(name for name, root in self._roots.items() if root == end)]
        return {"size": len(members), "clusters": len(sizes), "first": members[:_SHOWN]}

    def _in_order(self, pair: LabelledPair) -> tuple[Judged, Judged]:
        one, other = self._judged[pair.one], self._judged[pair.other]
        return (one, other) if one.article.first > other.article.first else (other, one)

    def _root(self, name: str) -> str:
        return self._roots.get(name, name)

    def _apart(self, later: Judged, earlier: Judged) -> str:
        shared = later.content.keys(self._rules) & earlier.content.keys(self._rules)
        return "not visible under the keys they share" if shared else "no key in common"


def _clear(answers: Sequence[_Answer]) -> Document | None:
    """Score the pairs that nobody would dispute; None if nobody said which those are."""
    if not any(each.pair.conf for each in answers):
        return None
    return tally(each.truth for each in answers if each.pair.clear).fields()


def _by_length(answers: Sequence[_Answer]) -> Document:
    found = tallies(answers, lambda each: length_class(each.length), lambda each: each.truth)
    return {name: found.get(name, Tally()).fields() for name in LENGTH_CLASSES if name in found}


def _flagged(answers: Sequence[_Answer], group: Callable[[_Answer], str]) -> Document:
    """Count what was flagged, by group; of a label or kind that is a duplicate that is right."""
    pairs = Counter(filter(None, map(group, answers)))
    flagged = Counter(group(each) for each in answers if each.flagged)
    duplicates = {group(each) for each in answers if each.pair.label == DUPLICATE}
    return {
        name: {
            "duplicates": name in duplicates,
            "pairs": count,
            "flagged": flagged[name],
            "share": _rounded(flagged[name], count),
        }
        for name, count in pairs.most_common()
    }


def _spread(values: Iterable[int]) -> Document:
    found = np.fromiter(values, dtype=np.int64)
    shares = {
        f"p{share}": int(np.percentile(found, share, method="nearest")) for share in _PERCENTILES
    }
    return {"mean": round(float(found.mean()), 2), **shares, "max": int(found.max())}


def _named(names: Iterator[str]) -> Document:
    found = list(names)
    return {"count": len(found), "first": found[:_SHOWN]}


def _rounded(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
