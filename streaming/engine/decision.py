"""From a snapshot to verdicts: whom an article is compared with, and what comes of it.

Reads only, through the snapshot; so it serves the second half of a micro-batch as well as a
question about an article that was never published (`Snapshot.suppose`).
"""

from collections.abc import Iterable, Mapping, Sequence

from streaming.engine.snapshot import Snapshot
from streaming.matching.overrides import NO_EDITOR, Editorial
from streaming.matching.rules import Rules
from streaming.matching.verdict import Candidate, Comparison, Verdict, decide
from streaming.position import Position
from streaming.store.articles import ArticleRow


def verdicts(snapshot: Snapshot, rules: Rules, names: Sequence[str]) -> dict[str, Verdict | None]:
    """Decide about articles; None for one that is deleted.

    One that never had a content is left out.
    """
    snapshot.load(names)
    found = candidates(snapshot, names)
    snapshot.load(other for name in found for other in _editors_concern(snapshot.article(name)))
    comparison = Comparison(rules)
    decided: dict[str, Verdict | None] = {}
    for name in names:
        row = snapshot.article(name)
        if row.first is None:
            continue
        decided[name] = None
        if row.current is not None:
            said = editorial(snapshot, name)
            decided[name] = decide(row.current, found[name], rules, said, comparison)
    return decided


def candidates(snapshot: Snapshot, names: Iterable[str]) -> dict[str, list[Candidate]]:
    """Give, per live one of these loaded articles, whom it is compared with.

    Articles may share a list.
    """
    live = _firsts(snapshot, names)
    keys_of = {name: snapshot.carried(name) for name in live}
    snapshot.load_near(key for carried in keys_of.values() for key in carried)
    seen_by = {
        name: {other for key in carried for other in snapshot.near(key)}
        for name, carried in keys_of.items()
    }
    snapshot.load_visible({(key, live[name]) for name, seen in seen_by.items() for key in seen})
    found: dict[str, list[Candidate]] = {}
    together: dict[frozenset[int], list[Candidate]] = {}
    for name, seen in seen_by.items():
        groups = [group for key in seen if (group := snapshot.compared(key, live[name]))]
        # Copies of one story see the same ones under the same keys.
        same = frozenset(map(id, groups))
        if same not in together:
            union: dict[str, Candidate] = {}
            for group in groups:
                union |= group
            together[same] = list(union.values())
        found[name] = together[same]
    return found


def editorial(snapshot: Snapshot, name: str) -> Editorial:
    """Give what editors say of an article; `verdicts` loads the rows that it needs."""
    row = snapshot.article(name)
    if not row.overrides and not row.named_by:
        return NO_EDITOR
    own = row.standing
    lives = own.original is not None and snapshot.article(own.original).current is not None
    naming = {other for other in row.named_by if snapshot.article(other).standing.original == name}
    return Editorial(own, lives, frozenset(naming))


def _firsts(snapshot: Snapshot, names: Iterable[str]) -> Mapping[str, Position]:
    live = {}
    for name in names:
        row = snapshot.article(name)
        if row.first is not None and row.current is not None:
            live[name] = row.first
    return live


def _editors_concern(row: ArticleRow) -> Iterable[str]:
    """Give the articles whose rows tell which overrides apply to an article."""
    return row.named_by if row.standing.original is None else {row.standing.original, *row.named_by}
