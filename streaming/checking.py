"""What would be said of a draft if it were published now, and on what evidence.

The draft is supposed to be in the log and judged by the code that judges a micro-batch;
nothing is written. What comes into the index meanwhile may be seen or not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from streaming.drafts import Draft, position_at
from streaming.durations import show
from streaming.engine import decision
from streaming.engine.snapshot import Snapshot
from streaming.errors import SettingsError
from streaming.matching.content import pair_of
from streaming.matching.measures import Measure, measures
from streaming.matching.rules import Rules
from streaming.matching.verdict import Finding, Verdict
from streaming.position import Position, decode, timestamp_ms
from streaming.store import ownership
from streaming.store.articles import ArticleRow
from streaming.store.contract import Store
from streaming.stories import Stories
from streaming.texts import current_texts
from streaming.times import write_time

_LAST_TOKEN = b"\xff" * 8


@dataclass(frozen=True, slots=True)
class Named:
    """An earlier article that a verdict names.

    It is a match with a ``finding``, or the best refused candidate, with the check or ruling
    that refused it (``why``) and its ``score``. ``title`` is None if its text is not kept.
    """

    article: str
    row: ArticleRow
    title: str | None
    measures: tuple[Measure, ...]
    finding: Finding | None = None
    why: str | None = None
    score: float | None = None

    def fields(self) -> dict[str, Any]:
        """Give it as values for JSON."""
        finding, content = self.finding, self.row.current
        return {
            "article_id": self.article,
            "relation": finding and finding.relation,
            "why": self.why,
            "tier": finding and finding.tier_label,
            "distance": finding and finding.distance,
            "similarity": finding.similarity if finding else self.score,
            "first_seen": None if self.row.first is None else decode(self.row.first).sortable(),
            "channel": content and content.channel,
            "source": (content and content.source) or None,
            "title": self.title,
            "measures": {each.name: each.value for each in self.measures},
        }


@dataclass(frozen=True, slots=True)
class Similar:
    """The articles that are most like a draft, the best first, and the model that says so.

    Each is an id, its score from 0 to 1, and its title; None if its text is not kept.
    """

    model: str
    articles: tuple[tuple[str, float, str | None], ...]

    def fields(self) -> dict[str, Any]:
        """Give it as verdict events have it."""
        return {"model": self.model, "articles": [[name, n] for name, n, _ in self.articles]}


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict of a draft.

    ``first`` is its position, or where the article that it edits first appeared. ``root`` is
    the end of the chain of duplicates, None if that is the draft itself and has no id.
    ``compared`` counts the candidates. ``warning`` says if the index is not of its time.
    ``similar`` is None where no models were asked.
    """

    draft: Draft
    first: Position
    edits: bool
    verdict: Verdict
    root: str | None
    compared: int
    matches: tuple[Named, ...]
    refused: Named | None
    warning: str | None
    similar: Similar | None = None

    def fields(self) -> dict[str, Any]:
        """Give the fields of a verdict, as it is exported, and the evidence for it."""
        evidence = [*self.matches, *([self.refused] if self.refused else [])]
        fields = {
            "article_id": self.draft.article,
            "channel": self.draft.channel,
            **self.verdict.fields(),
            "root": self.root,
            "first_seen": decode(self.first).sortable(),
            "edits": self.edits,
            "compared": self.compared,
            "evidence": [each.fields() for each in evidence],
            "warning": self.warning,
        }
        return fields if self.similar is None else fields | {"similar": self.similar.fields()}


def check(store: Store, rules: Rules, draft: Draft, now_ms: int, at_ms: int | None) -> Answer:
    """Judge a draft as if it were appended to the log at ``at_ms``, or now; writes nothing.

    With the id of an article that is in the index it is judged as an edit of that one.
    SettingsError if the article has an event later than ``at_ms``, which would stand.
    """
    snapshot = Snapshot(store, rules)
    snapshot.load([draft.name])
    position = _position(snapshot.article(draft.name), draft, now_ms, at_ms)
    edits = snapshot.article(draft.name).first is not None
    row = snapshot.suppose(draft.name, {position: draft.content})
    verdict = decision.verdicts(snapshot, rules, [draft.name])[draft.name]
    if verdict is None or row.first is None:
        raise ValueError("a draft that is the latest event of its article has a verdict")
    matches, refused = _named(store, snapshot, rules, draft, verdict)
    return Answer(
        draft,
        row.first,
        edits,
        verdict,
        _root(store, draft, row, verdict),
        len(decision.candidates(snapshot, [draft.name])[draft.name]),
        matches,
        refused,
        _warning(store, rules, timestamp_ms(position), now=at_ms is None) if not edits else None,
    )


def _position(row: ArticleRow, draft: Draft, now_ms: int, at_ms: int | None) -> Position:
    position = position_at(now_ms if at_ms is None else at_ms)
    known = row.current_position
    if known is None or known < position:
        return position
    if at_ms is None:
        # The log's clock is ahead of ours.
        return position_at(timestamp_ms(known))
    raise SettingsError(
        f"article {draft.name} has an event of {write_time(timestamp_ms(known))}, which would"
        " stand against an earlier draft: check it as of a later time, or under no id"
    )


def _named(
    store: Store, snapshot: Snapshot, rules: Rules, draft: Draft, verdict: Verdict
) -> tuple[tuple[Named, ...], Named | None]:
    findings: dict[str, Finding | None] = {
        match.article: match.finding for match in verdict.matches
    }
    reason = verdict.reason
    names = {*findings, *([reason["article_id"]] if reason else [])}
    rows = {name: snapshot.article(name) for name in names}
    texts = current_texts(store, rows)

    def named(name: str, **said: Any) -> Named:
        title = texts[name].title if name in texts else None
        return Named(name, rows[name], title, tuple(_measured(rows[name], rules, draft)), **said)

    matches = tuple(named(name, finding=finding) for name, finding in findings.items())
    refused = None
    if reason:
        refused = named(reason["article_id"], why=reason["why"], score=reason["score"])
    return matches, refused


def _measured(row: ArticleRow, rules: Rules, draft: Draft) -> Iterator[Measure]:
    if row.current is not None:
        yield from measures(pair_of(draft.content, row.current), rules.thresholds)


def _root(store: Store, draft: Draft, row: ArticleRow, verdict: Verdict) -> str | None:
    judged: Mapping[str, ArticleRow] = {
        draft.name: replace(row, verdicts={_LAST_TOKEN: verdict.encode()})
    }
    root = Stories(store).roots(judged)[draft.name]
    return draft.article if root == draft.name else root


def _warning(store: Store, rules: Rules, moment_ms: int, *, now: bool) -> str | None:
    """Say why an answer may not be the expected one: the index is not of the draft's time."""
    latest = ownership.latest(store)
    if latest is None:
        return "no event was put into the index yet"
    latest_ms = timestamp_ms(latest)
    if latest_ms < moment_ms - rules.window_ms:
        return (
            f"the latest event in the index is of {write_time(latest_ms)}, and the window reaches"
            f" back {show(rules.window_ms)}: nothing can match; --at judges as of another time"
        )
    if now and latest_ms > moment_ms:
        return (
            f"the log is ahead of the clock, with events up to {write_time(latest_ms)}: what"
            " first appeared after now is not seen; --at judges as of another time"
        )
    return None
