"""The report of a training as one page that needs nothing but itself, in light and in dark."""

from collections.abc import Iterable, Sequence
from html import escape
from unicodedata import east_asian_width

from streaming.offline.train_report import Map, ModelReport, TrainReport

_WIDTH, _HEIGHT = 520, 380
_MARGIN = 14
_BARS_HEIGHT = 90
_MOST_BARS = 260
_LEGEND = 12
_MOST_NAMES = 30
_NAME_HEIGHT = 15
_WIDE, _NARROW = 12, 7
"""What a Chinese and any other character take of a line, a little more rather than less."""
_GOLDEN_ANGLE = 137.508

_STYLE = """
:root { color-scheme: light dark; --paper: #fbfbf9; --ink: #1d2126; --soft: #626a73;
  --line: #dcdfe3; --card: #ffffff; --accent: #1f6f8b; --lightness: 42%; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171a; --ink: #e7e9ec; --soft: #9aa3ad; --line: #2c3238; --card: #1b1f24;
    --accent: #6cc0dc; --lightness: 66%; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1120px; padding: 32px 20px 64px; background: var(--paper);
  color: var(--ink); font: 15px/1.55 system-ui, "Noto Sans CJK SC", "PingFang SC",
  "Microsoft YaHei", sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 4px; }
h2 { font-size: 1.15rem; margin: 0 0 4px; overflow-wrap: anywhere; }
p.soft, .soft { color: var(--soft); margin: 0 0 16px; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 18px 20px; margin-top: 20px; }
.columns { display: flex; flex-wrap: wrap; gap: 24px; align-items: flex-start; }
.columns > * { flex: 1 1 420px; min-width: 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 10px 5px 0; border-top: 1px solid var(--line);
  vertical-align: top; }
thead th { border-top: 0; color: var(--soft); font-weight: 500; white-space: nowrap; }
td.n, th.n { text-align: right; white-space: nowrap; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 11px; }
svg + p.soft { margin-top: 6px; }
.frame { fill: none; stroke: var(--line); }
.centre { fill: none; stroke-width: 2; }
.bar { fill: var(--accent); }
svg text.name { fill: var(--ink); font-size: 12px; font-weight: 600; text-anchor: middle;
  paint-order: stroke; stroke: var(--card); stroke-width: 3px; stroke-linejoin: round;
  pointer-events: none; }
.words span { white-space: nowrap; margin-right: 5px; }
ul.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 14px; margin: 8px 0 0;
  padding: 0; font-size: 13px; color: var(--soft); }
ul.legend i { display: inline-block; width: 10px; height: 10px; border-radius: 50%;
  margin-right: 5px; }
a { color: var(--accent); }
"""


def page(report: TrainReport, source: str, created: str) -> str:
    """Write the page: self-contained HTML."""
    title = f"Models of {source}"
    refused = sum(report.refused.values())
    seconds = sum(report.seconds.values())
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="soft">{escape(created)} · {report.articles:,} articles in'
        f" {report.channels:,} channel{'s' if report.channels != 1 else ''}"
        + (f" · {refused:,} records refused" if refused else "")
        + f" · {seconds:,.0f} s</p>",
        _overview(report.models),
        *(_section(number, model) for number, model in enumerate(report.models)),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _overview(models: Sequence[ModelReport]) -> str:
    names = ("model", "articles", "words met", "vocabulary", "coverage", "cells", "probed",
             "recall@10", "seconds")  # fmt: skip
    head = "".join(f"<th{_right(place)}>{name}</th>" for place, name in enumerate(names))
    rows = "".join(
        _row(
            f'<a href="#model-{number}">{escape(model.name)}</a>',
            f"{model.articles:,}",
            f"{model.tokens:,}",
            f"{model.words:,}",
            f"{model.coverage:.1%}",
            f"{model.cells:,}",
            f"{model.probes:,}",
            "–" if model.recall is None else f"{model.recall:.3f}",
            f"{model.seconds:.1f}",
        )
        for number, model in enumerate(models)
    )
    return (
        f'<section><div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _section(number: int, model: ModelReport) -> str:
    words = "".join(
        _row(
            f'<span lang="zh">{escape(each.word)}</span>',
            f"{each.occurrences:,}",
            _words(each.nearest),
            right=(1,),
        )
        for each in model.typical
    )
    return (
        f'<section id="model-{number}"><h2>{escape(model.name)}</h2>'
        f'<p class="soft">{model.words:,} words with vectors of {model.dimensions} dimensions,'
        f" {model.known:,} with a document frequency; {model.coverage:.1%} of the words of"
        f' {model.articles:,} articles have a vector.</p><div class="columns"><div class="wide">'
        '<table><thead><tr><th>typical word</th><th class="n">times</th><th>nearest words</th>'
        f"</tr></thead><tbody>{words}</tbody></table></div>"
        f"<div>{_map(model)}{_sizes(model)}</div></div></section>"
    )


def _words(words: Iterable[str]) -> str:
    """Write words so that none is broken at the end of a line."""
    shown = " ".join(f"<span>{escape(word)}</span>" for word in words)
    return f'<div class="words" lang="zh">{shown}</div>'


def _map(model: ModelReport) -> str:
    drawn = model.map
    if not drawn.points:
        return '<p class="soft">Too few articles to draw.</p>'
    place = _Scale(drawn)
    several = len(drawn.groups) > 1
    colour = _colour if several else _plain
    circles = "".join(
        f'<circle cx="{place.x(x)}" cy="{place.y(y)}" r="3" fill="{colour(group)}"'
        f' fill-opacity=".75"><title>{escape(drawn.groups[group])}</title></circle>'
        for x, y, group in drawn.points
    )
    rings = "".join(
        f'<circle class="centre" cx="{place.x(x)}" cy="{place.y(y)}" r="6"'
        f' stroke="{_colour(cell)}">'
        f"<title>cell {cell}: {escape(drawn.groups[cell])}</title></circle>"
        for cell, (x, y) in enumerate(drawn.centres)
    )
    what = ", in the colour of their channel" if several else ""
    if drawn.centres:
        what = (
            ", in the colour of their cell; rings are the centres, with the words nearest to them"
        )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="Map of articles">'
        f'<rect class="frame" x=".5" y=".5" width="{_WIDTH - 1}" height="{_HEIGHT - 1}" rx="6"/>'
        f"{circles}{rings}{_names(drawn, place)}</svg>"
        f'<p class="soft">{len(drawn.points):,} articles, drawn in the two directions that hold'
        f" {drawn.share:.0%} of the variance{what}.</p>{_legend(drawn)}"
    )


def _names(drawn: Map, place: "_Scale") -> str:
    """Name the groups, the largest first; a name that would cover another one is left out."""
    members: dict[int, list[tuple[float, float]]] = {}
    for x, y, group in drawn.points:
        members.setdefault(group, []).append((x, y))
    taken: list[tuple[float, float, float]] = []
    texts: dict[str, str] = {}
    for group in sorted(members, key=lambda group: -len(members[group])):
        name = drawn.groups[group].partition(" ")[0] if drawn.centres else drawn.groups[group]
        spots = [drawn.centres[group]] if drawn.centres else members[group]
        middle = [sum(axis) / len(spots) for axis in zip(*spots, strict=True)]
        half = sum(_WIDE if east_asian_width(each) in "WF" else _NARROW for each in name) / 2
        x = min(max(place.x(middle[0]), half + 3), _WIDTH - half - 3)
        y = max(place.y(middle[1]) - (9 if drawn.centres else 0), _NAME_HEIGHT)
        free = all(
            abs(x - other) >= half + width or abs(y - line) >= _NAME_HEIGHT
            for other, line, width in taken
        )
        if free and name not in texts and len(texts) < _MOST_NAMES and len(drawn.groups) > 1:
            taken.append((x, y, half))
            texts[name] = f'<text class="name" x="{x:.1f}" y="{y:.1f}">{escape(name)}</text>'
    return "".join(texts.values())


def _legend(drawn: Map) -> str:
    if drawn.centres or len(drawn.groups) < 2:  # noqa: PLR2004 - one colour needs no legend
        return ""
    shown = [
        f'<li><i style="background:{_colour(number)}"></i>{escape(name)}</li>'
        for number, name in enumerate(drawn.groups[:_LEGEND])
    ]
    if len(drawn.groups) > _LEGEND:
        shown.append(f"<li>and {len(drawn.groups) - _LEGEND} others</li>")
    return f'<ul class="legend">{"".join(shown)}</ul>'


def _sizes(model: ModelReport) -> str:
    if not model.sizes:
        return '<p class="soft">One cell: every article of the channel is compared.</p>'
    sizes = sorted(model.sizes, reverse=True)
    shown = sizes[:_MOST_BARS]
    width = _WIDTH / len(shown)
    highest = max(shown[0], 1)
    bars = "".join(
        f'<rect class="bar" x="{number * width:.1f}" y="{_BARS_HEIGHT - height:.1f}"'
        f' width="{max(width * 0.8, 0.5):.1f}" height="{height:.1f}"><title>{size:,} articles'
        "</title></rect>"
        for number, size in enumerate(shown)
        for height in (max(1.0, size / highest * (_BARS_HEIGHT - 4)),)
    )
    median = sizes[len(sizes) // 2]
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_BARS_HEIGHT}" role="img" aria-label="Sizes of cells">'
        f"{bars}</svg>"
        f'<p class="soft">{len(sizes):,} cells of {sizes[-1]:,} to {sizes[0]:,} articles, half of'
        f" them {median:,} or more; {model.probes:,} are looked into and hold"
        f" {model.recall or 0:.1%} of the ten nearest.</p>"
    )


class _Scale:
    """Puts the plane of a map onto its picture, with one unit on both axes."""

    def __init__(self, drawn: Map) -> None:
        places = [(x, y) for x, y, _ in drawn.points] + list(drawn.centres)
        left, right = _ends(x for x, _ in places)
        low, high = _ends(y for _, y in places)
        self._unit = min(
            (_WIDTH - 2 * _MARGIN) / (right - left), (_HEIGHT - 2 * _MARGIN) / (high - low)
        )
        self._centre = (left + right) / 2, (low + high) / 2

    def x(self, value: float) -> float:
        return round(_WIDTH / 2 + (value - self._centre[0]) * self._unit, 1)

    def y(self, value: float) -> float:
        return round(_HEIGHT / 2 - (value - self._centre[1]) * self._unit, 1)


def _ends(values: Iterable[float]) -> tuple[float, float]:
    found = list(values)
    low, high = min(found), max(found)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _colour(group: int) -> str:
    """Give neighbouring numbers colours that are far apart."""
    return f"hsl({group * _GOLDEN_ANGLE % 360:.0f} 62% var(--lightness))"


def _plain(_group: int) -> str:
    return "var(--accent)"


def _row(*cells: str, right: Sequence[int] | None = None) -> str:
    ends = range(1, len(cells)) if right is None else right
    columns = (
        f'<td class="n">{cell}</td>' if place in ends else f"<td>{cell}</td>"
        for place, cell in enumerate(cells)
    )
    return f"<tr>{''.join(columns)}</tr>"


def _right(place: int) -> str:
    return ' class="n"' if place else ""
