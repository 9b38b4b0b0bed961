"""Figures of several contestants as a picture of bars: SVG that reads on light and dark alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

COLOURS = ("#1f6fb4", "#4f9fd8", "#9cc7e8")
INK, FAINT = "#888888", "#88888840"
LEFT, WIDTH, THICK, GAP, TOP = 190, 420, 11, 16, 58


@dataclass(frozen=True)
class Bar:
    """A contestant, and a figure for each of the things that are measured."""

    name: str
    figures: Sequence[float]


def bars(title: str, kinds: Sequence[str], contestants: Sequence[Bar], most: float = 1) -> str:
    """Draw a group of horizontal bars for each contestant, and label every bar."""
    group = len(kinds) * THICK + GAP
    height = TOP + group * len(contestants)
    shapes = [text(LEFT, 18, title, "start", 'font-weight="bold"')]
    for number, kind in enumerate(kinds):
        x = LEFT + number * WIDTH / len(kinds)
        shapes.append(f'<rect x="{x:.0f}" y="28" width="10" height="10" fill="{COLOURS[number]}"/>')
        shapes.append(text(x + 15, 37, kind))
    shapes.append(f'<path d="M{LEFT} {TOP - 8}V{height - GAP / 2}" stroke="{FAINT}"/>')
    for place, contestant in enumerate(contestants):
        y = TOP + place * group
        shapes.append(text(LEFT - 10, y + group / 2 - 4, contestant.name, "end"))
        for number, figure in enumerate(contestant.figures):
            top, length = y + number * THICK, WIDTH * figure / most
            shapes.append(
                f'<rect x="{LEFT}" y="{top}" width="{length:.1f}" height="{THICK - 2}"'
                f' fill="{COLOURS[number]}"/>'
            )
            shapes.append(text(LEFT + length + 5, top + THICK - 2, f"{figure:.3f}"))
    body = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 50} {height}"'
        f' font-family="sans-serif" font-size="11">\n{body}\n</svg>\n'
    )


def text(x: float, y: float, words: str, anchor: str = "start", more: str = "") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{INK}" {more}>'
        f"{escape(words)}</text>"
    )
