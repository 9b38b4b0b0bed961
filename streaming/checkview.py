"""The verdict of a draft as text for a person: a page with the evidence of every match.

What stands in articles must not act on the terminal: it is shown as `letterview` shows it.
"""

from collections.abc import Iterator

from streaming.checking import Answer, Named, Similar
from streaming.letterview import visible
from streaming.matching.rules import Rules
from streaming.position import decode, timestamp_ms
from streaming.times import write_time
from streaming.wording import RELATIONS, measures_in_line, shown_title


def page(answer: Answer, rules: Rules) -> Iterator[str]:
    """Yield the lines that tell everything."""
    verdict, draft = answer.verdict, answer.draft
    name = visible(draft.article) if draft.article else "the draft"
    if answer.edits:
        yield f"{name}, edited; first seen {decode(answer.first).sortable()}"
    else:
        yield f"{name}, published at {write_time(timestamp_ms(answer.first))}"
    if verdict.best is None:
        yield "verdict   no earlier article matches"
    else:
        relation = RELATIONS[verdict.best.finding.relation]
        yield f"verdict   {relation} {visible(verdict.best.article)}"
    if answer.root not in {None, draft.article, verdict.duplicate_of}:
        yield f"story     begins with {visible(str(answer.root))}"
    for ruling, about in verdict.overrides:
        yield f"editors   {ruling} {visible(about)}"
    yield f"compared  {answer.compared:,} earlier articles, {len(answer.matches):,} matches"
    for match in answer.matches:
        yield from _page(match)
    if answer.refused:
        yield from _page(answer.refused)
    if answer.matches or answer.refused:
        thresholds = rules.thresholds.listed().items()
        yield ""
        yield f"thresholds  {', '.join(f'{name} {limit:g}' for name, limit in thresholds)}"
    if answer.similar:
        yield from _similar(answer.similar)


def _page(named: Named) -> Iterator[str]:
    fields = named.fields()
    yield ""
    if named.why is None:
        parts = [fields["relation"], visible(named.article)]
        similarity, tier = fields["similarity"], fields["tier"]
        parts += ["by an editor's word"] if tier is None else [tier, f"similarity {similarity}"]
        if fields["distance"] is not None:
            parts.append(f"distance {fields['distance']}")
    else:
        parts = [f"refused: {named.why}", visible(named.article), f"score {named.score}"]
    yield "  ".join(parts)
    yield f"  first seen {fields['first_seen']}"
    place = [visible(each) for each in (fields["channel"], fields["source"]) if each]
    yield f"  {shown_title(named.title)} ({', '.join(place)})"
    yield f"  {measures_in_line(named.measures)}"


def _similar(found: Similar) -> Iterator[str]:
    yield ""
    yield f"like it, under {found.model}"
    if not found.articles:
        yield "  nothing that came before it scores more than 0"
    for article, score, title in found.articles:
        yield f"  {score:.6f}  {visible(article)}  {shown_title(title)}"
