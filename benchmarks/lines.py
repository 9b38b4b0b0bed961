"""Figures that depend on a size as a picture of lines: SVG that reads on light and dark alike."""

from collections.abc import Mapping, Sequence
from math import log10

from benchmarks.bars import COLOURS, FAINT, INK, text

LEFT, WIDTH, TOP, HEIGHT, RIGHT, BOTTOM = 70, 420, 40, 200, 170, 40

Points = Sequence[tuple[float, float]]


def lines(title: str, unit: str, curves: Mapping[str, Points]) -> str:
    """Draw a line for each curve, over sizes on a logarithmic axis, from zero on."""
    sizes = sorted({size for points in curves.values() for size, _ in points})
    highest = max(value for points in curves.values() for _, value in points) * 1.1
    low, high = log10(sizes[0]), log10(sizes[-1])

    def x(size: float) -> float:
        return LEFT + WIDTH * (log10(size) - low) / ((high - low) or 1)

    def y(value: float) -> float:
        return TOP + HEIGHT * (1 - value / highest)

    shapes = [text(LEFT, 18, title, "start", 'font-weight="bold"')]
    for part in range(5):
        value = highest * part / 4
        shapes.append(f'<path d="M{LEFT} {y(value):.1f}H{LEFT + WIDTH}" stroke="{FAINT}"/>')
        shapes.append(text(LEFT - 6, y(value) + 4, f"{value:,.0f}", "end"))
    shapes += [text(x(size), TOP + HEIGHT + 18, f"{size:,.0f}", "middle") for size in sizes]
    shapes.append(text(LEFT, TOP - 8, unit))
    for number, (name, points) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in points)
        shapes.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        shapes += [
            f'<circle cx="{x(size):.1f}" cy="{y(value):.1f}" r="3" fill="{colour}"/>'
            for size, value in points
        ]
        last = points[-1]
        shapes.append(text(x(last[0]) + 8, y(last[1]) + 4, name))
    body = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg"'
        f' viewBox="0 0 {LEFT + WIDTH + RIGHT} {TOP + HEIGHT + BOTTOM}"'
        f' font-family="sans-serif" font-size="11" color="{INK}">\n{body}\n</svg>\n'
    )
