"""What is like an article as text for a person, the most alike first.

What stands in articles must not act on the terminal: it is shown as `letterview` shows it.
"""

from collections.abc import Iterator

from streaming.letterview import visible
from streaming.similar.scoring import ONE
from streaming.similarity import Alike, Answer, By
from streaming.wording import RELATIONS, shown_title

_SAID = {
    By.LISTS: "its list",
    By.VECTOR: "by vectors alone",
    By.KEYWORDS: "by keywords alone",
    By.SIMHASH: "by SimHash, in bits",
    By.TFIDF: "by TF-IDF",
}
_NOTHING = {
    By.LISTS: "nothing is in it: nothing is like the article, or it was not ranked yet",
    By.SIMHASH: "there is no other article with a fingerprint in its scope",
}


def page(answer: Answer) -> Iterator[str]:
    """Yield the lines that tell everything."""
    yield f"{visible(answer.article)}  {shown_title(answer.title)}"
    yield f"{_SAID[answer.by]}{f', under {answer.model}' if answer.model else ''}"
    if not answer.alike:
        yield _NOTHING.get(answer.by, "nothing in its scope and window has anything of it")
    for rank, each in enumerate(answer.alike, start=1):
        yield from _lines(rank, each)


def _lines(rank: int, alike: Alike) -> Iterator[str]:
    fields = alike.fields()
    near = f"{alike.distance:>2}" if alike.points is None else f"{alike.points / ONE:.6f}"
    place = [visible(each) for each in (fields["channel"], fields["source"]) if each]
    parts = [f"{rank:>3}", near, visible(alike.article)]
    parts.append(f"({', '.join(place)})" if place else "(deleted meanwhile)")
    parts.append(fields["published_at"] or "")
    if fields["duplicate_of"] is not None:
        parts.append(f"{RELATIONS[fields['relation']]} {visible(fields['duplicate_of'])}")
    yield "  ".join(parts).rstrip()
    yield f"     {shown_title(alike.title)}"
    if alike.keywords:
        yield f"     both: {' '.join(map(visible, alike.keywords))}"
