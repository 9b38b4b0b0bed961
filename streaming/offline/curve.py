"""Precision and recall over one threshold, as lines of text and as a picture."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from xml.sax.saxutils import escape

from streaming.matching.verification import Thresholds
from streaming.offline.measures import Measured, score
from streaming.offline.scoring import Tally

OVER = "overlap"
"""The threshold that is moved; the others stay."""

_STEPS = 100
_BAR = 40
_SIZE, _EDGE = 480, 60
_INK, _FAINT, _LINE, _CHOSEN = "#222222", "#d0d0d0", "#1f6fb4", "#c0392b"


@dataclass(frozen=True, slots=True)
class Point:
    """A value of the threshold, and what it does."""

    value: float
    tally: Tally


def curve(pairs: Sequence[Measured], thresholds: Thresholds) -> list[Point]:
    """Move one threshold from 0 to 1 in steps of a hundredth."""
    return [at_value(pairs, thresholds, step / _STEPS) for step in range(_STEPS + 1)]


def at_value(pairs: Sequence[Measured], thresholds: Thresholds, value: float) -> Point:
    """Give the point of one value."""
    moved: dict[str, Any] = {OVER: value}
    return Point(value, score(pairs, replace(thresholds, **moved)))


def lines(points: Sequence[Point], every: int = 5) -> list[str]:
    """Draw precision and recall as bars of text, for one point in so many.

    A full block is where both are, a light one where only the better one is.
    """
    drawn = [f"{OVER:<8} precision recall  F1"]
    for point in points[::every]:
        told = point.tally
        both = sorted(each or 0.0 for each in (told.precision, told.recall))
        low, high = (round(each * _BAR) for each in both)
        figures = "  ".join(
            "    -" if each is None else f"{each:5.3f}"
            for each in (told.precision, told.recall, told.f1)
        )
        drawn.append(f"{point.value:<8.2f} {figures}  {'█' * low}{'░' * (high - low)}")
    return drawn


def picture(points: Sequence[Point], chosen: Point, title: str) -> str:
    """Draw precision over recall as an SVG document, with the chosen threshold marked.

    Points at which nothing is flagged have no precision, and are left out.
    """
    side = _SIZE - 2 * _EDGE
    shapes = [
        f'<rect width="{_SIZE}" height="{_SIZE}" fill="white"/>',
        _text(_SIZE / 2, _EDGE / 2, escape(title), "middle"),
        _text(_SIZE / 2, _SIZE - 14, "recall", "middle"),
        f'<g transform="rotate(-90)">{_text(-_SIZE / 2, 18, "precision", "middle")}</g>',
    ]
    for tenth in range(0, 11, 2):
        share = tenth / 10
        x, y = _place(share, share)
        shapes += [
            f'<path d="M{x:.1f} {_EDGE}v{side}M{_EDGE} {y:.1f}h{side}" stroke="{_FAINT}"/>',
            _text(x, _SIZE - _EDGE + 18, f"{share:.1f}", "middle"),
            _text(_EDGE - 8, y + 4, f"{share:.1f}", "end"),
        ]
    known = [point for point in points if point.tally.precision is not None]
    path = " ".join("{:.1f},{:.1f}".format(*_at(point)) for point in known)
    shapes.append(f'<polyline points="{path}" fill="none" stroke="{_LINE}" stroke-width="2"/>')
    for point in known[:: _STEPS // 10]:
        x, y = _at(point)
        shapes.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{_LINE}">'
            f"<title>{OVER} {point.value:.2f}</title></circle>"
        )
    if chosen.tally.precision is not None:
        x, y = _at(chosen)
        ring = f'fill="none" stroke="{_CHOSEN}" stroke-width="2"'
        shapes.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" {ring}/>')
        shapes.append(_text(x - 10, y + 18, f"{OVER} {chosen.value:g}", "end", _CHOSEN))
    body = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIZE} {_SIZE}"'
        f' font-family="sans-serif" font-size="13">\n{body}\n</svg>\n'
    )


def _at(point: Point) -> tuple[float, float]:
    return _place(point.tally.recall or 0.0, point.tally.precision or 0.0)


def _place(recall: float, precision: float) -> tuple[float, float]:
    side = _SIZE - 2 * _EDGE
    return _EDGE + side * recall, _SIZE - _EDGE - side * precision


def _text(x: float, y: float, text: str, anchor: str, colour: str = _INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{text}</text>'
