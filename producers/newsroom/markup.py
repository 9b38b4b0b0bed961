"""Plain paragraphs as the HTML that content management systems send."""

from collections.abc import Sequence
from random import Random

_ENTITIES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", "“": "&ldquo;", "”": "&rdquo;", "·": "&middot;"}
)
_NUMERIC = str.maketrans(
    {"&": "&#38;", "<": "&#60;", ">": "&#62;", "“": "&#8220;", "”": "&#x201D;"}
)
# The third lacks its semicolon, as in much of the real thing.
_INDENTS = ("", "　　", "&nbsp&nbsp", "&nbsp;&nbsp;&nbsp;&nbsp;", "&emsp;&emsp;", "&#160;&#12288;")
_OPENINGS = ("<p>", '<p class="text">', '<p style="text-indent:2em">', "<div>")
_EXTRAS = (
    "<!-- advertisement -->",
    '<img src="/images/cover.jpg" width="600"/>',
    "<br/>",
    "<script>var page = {id: 1, related: [2, 3]};</script>",
    "<style>.text { line-height: 1.8 }</style>",
)
_EXTRA_SHARE = 0.15
_STRONG_SHARE = 0.1
_TIGHT_SHARE = 0.5


def html(paragraphs: Sequence[str], random: Random) -> str:
    """Return the paragraphs as HTML whose visible text is theirs.

    White space between paragraphs, and at their beginning, is not kept.
    """
    entities = random.choice((_ENTITIES, _NUMERIC, _ENTITIES))
    opening = random.choice(_OPENINGS)
    closing = f"</{opening[1:].split()[0].rstrip('>')}>"
    indent = random.choice(_INDENTS)
    blocks: list[str] = []
    for paragraph in paragraphs:
        text = paragraph.translate(entities)
        if random.random() < _STRONG_SHARE:
            text = f"<strong>{text}</strong>"
        blocks.append(f"{opening}{indent}{text}{closing}")
        if random.random() < _EXTRA_SHARE:
            blocks.append(random.choice(_EXTRAS))
    return ("" if random.random() < _TIGHT_SHARE else "\n").join(blocks)
