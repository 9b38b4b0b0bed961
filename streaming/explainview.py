"""An explanation as text for a person: what lies between two articles, and what differs.

What stands in articles must not act on the terminal: it is shown as `letterview` shows it.
"""

from collections.abc import Iterator

from rich.text import Text as Styled

from streaming.differences import Change, Passage, difference
from streaming.durations import show
from streaming.explaining import Explanation, Obstacle, Side
from streaming.letterview import visible
from streaming.matching.content import Tier
from streaming.matching.rules import Rules
from streaming.position import timestamp_ms
from streaming.texts import Text
from streaming.wording import RELATIONS, measure_lines, shown_title

_CONTEXT = 60
"""Characters that stay on either side of what is left out."""
_SHOWN_KEYS = 6
_STYLES = {Change.SAME: "", Change.REMOVED: "red strike", Change.ADDED: "green underline"}
_MARKS = {Change.REMOVED: ("[-", "-]"), Change.ADDED: ("{+", "+}")}


def page(found: Explanation, rules: Rules) -> Iterator[str]:
    """Yield the lines that tell everything but the difference of the texts."""
    yield from _side("earlier", found.earlier)
    yield from _side("later", found.later)
    yield from _keys(found, rules)
    yield "measures"
    yield from measure_lines(found.measures)
    yield f"relation    {_relation(found)}"
    yield f"compared    {_compared(found, rules)}"
    for side, other in ((found.later, found.earlier), (found.earlier, found.later)):
        yield f"verdict     of {visible(side.article)}: {_stored(side, other)}"
    if found.stale:
        yield (
            "            what is stored is not what the index gives now: a batch is under way,"
            " or one has to be done again"
        )


def differences(found: Explanation) -> Iterator[tuple[str, list[Passage]]]:
    """Yield the difference of titles and bodies, from the earlier article to the later one."""
    old, new = found.earlier.text or Text("", ""), found.later.text or Text("", "")
    for name, one, other in zip(Text._fields, old, new, strict=True):
        yield name, difference(one, other)


def styled(passages: list[Passage], *, marks: bool) -> Styled:
    """Give a difference in colours; with ``marks`` also as ``[-gone-]{+come+}``, for files.

    Long passages that are the same are cut in the middle.
    """
    text = Styled()
    for number, passage in enumerate(passages):
        shown = passage.text
        if passage.change is Change.SAME:
            shown = _cut(shown, first=number == 0, last=number == len(passages) - 1)
        begin, end = _MARKS.get(passage.change, ("", "")) if marks else ("", "")
        text.append(begin + visible(shown, keep="\n") + end, _STYLES[passage.change])
    return text


def _cut(same: str, *, first: bool, last: bool) -> str:
    before = 0 if first else _CONTEXT
    after = 0 if last else _CONTEXT
    left_out = len(same) - before - after
    if left_out <= _CONTEXT:
        return same
    return f"{same[:before]} ...{left_out:,} characters the same... {same[len(same) - after :]}"


def _side(role: str, side: Side) -> Iterator[str]:
    fields = side.fields()
    place = ", ".join(visible(each) for each in (fields["channel"], fields["source"]) if each)
    yield f"{role:<12}{visible(side.article)}  ({place})"
    yield f"            {shown_title(None if side.text is None else side.text.title)}"
    yield f"            first seen {fields['first_seen']}"
    yield f"            fingerprint {fields['fingerprint'] or 'none: it has no words'}"


def _keys(found: Explanation, rules: Rules) -> Iterator[str]:
    bits = "unknown" if found.distance is None else f"{found.distance} bits"
    yield f"distance    {bits} between the fingerprints, near are at most {rules.k}"
    for tier in Tier:
        shared = [each for each in found.keys if each.key.tier is tier]
        names = [f"{each.key.value:016x}" for each in shared[:_SHOWN_KEYS]]
        more = ["..."] if len(shared) > _SHOWN_KEYS else []
        line = f"shared      {len(shared)} {tier.label} {' '.join([*names, *more])}"
        yield line.rstrip()


def _relation(found: Explanation) -> str:
    later, earlier = visible(found.later.article), visible(found.earlier.article)
    finding, answer = found.finding, found.answer
    verified = f"texts: {answer.relation}" if answer.relation else "texts: no relation"
    if answer.failed:
        verified += f", by the check {answer.failed}"
    verified += f", score {answer.score:g}"
    if finding is None:
        return (
            f"none between {later} and {earlier}: {found.refusal or 'nothing alike'} ({verified})"
        )
    if finding.tier is None:
        by = "by an editor's word"
    else:
        by = f"{finding.tier_label}, similarity {finding.similarity:g}"
    return f"{later}: {RELATIONS[finding.relation]} {earlier}, {by} ({verified})"


def _compared(found: Explanation, rules: Rules) -> str:
    later, earlier = visible(found.later.article), visible(found.earlier.article)
    seen = sum(each.seen for each in found.keys)
    apart = timestamp_ms(found.later.first) - timestamp_ms(found.earlier.first)
    match found.obstacle:
        case None:
            return f"yes: {later} sees {earlier} under {seen} of {len(found.keys)} shared keys"
        case Obstacle.SCOPE:
            return "no: articles are compared within their channel only"
        case Obstacle.KEY:
            return "no: they share no shingle, and the fingerprints are not near"
        case Obstacle.WINDOW:
            return f"no: they are {show(apart)} apart, the window is {show(rules.window_ms)}"
        case Obstacle.SLOTS:
            return (
                f"no: under every shared key {later} sees the {rules.visible} earliest articles"
                f" of its window, and {earlier} is not among them"
            )
        case Obstacle.INDEX:
            return (
                f"no: the index does not name {earlier} under a shared key; it is being written,"
                " or was forgotten"
            )


def _stored(side: Side, other: Side) -> str:
    said, name = side.says_of(other.article), visible(other.article)
    if said is None:
        return "not judged yet"
    parts = [field for field in ("duplicate_of", "template_of") if said[field]]
    if said["match"]:
        _, relation, similarity = said["match"]
        how = "by an editor's word" if similarity is None else f"similarity {similarity}"
        parts.append(f"match ({relation}, {how})")
    if said["reason"]:
        parts.append(f"the best refused ({said['reason']['why']}, {said['reason']['score']})")
    parts += [f"override {ruling}" for ruling, _ in said["overrides"]]
    return f"{name} is {', '.join(parts)}" if parts else f"does not name {name}"
