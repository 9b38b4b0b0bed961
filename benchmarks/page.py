"""The page of what the benchmarks measured: `docs/benchmarks.md`, with pictures.

It is made of the results that are there, whichever they are, and says of each where it was
measured; sections of others stay as they were. Benchmarks that are not known here are told as they
are: what has rows as a table, the rest figure by figure.

    python benchmarks/page.py
"""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.bars import Bar, bars
from benchmarks.lines import Points, lines
from benchmarks.measuring import RESULTS
from benchmarks.quality import markdown

DOCS = Path(__file__).resolve().parents[1] / "docs"

HEAD = """\
# Benchmarks

Written by `benchmarks/page.py` from what `make bench`, `bench-quick`, `bench-lists` and
`bench-growth` measured. Contestants of one table took turns in one run; a figure is the median of
the repetitions, with the least and the most behind it. Rates are per second of one core's time
unless it says *by the clock*. Only ratios within one table mean something on another machine.
"""

_ABOUT = {"machine", "measured", "versions"}
"""What results say of themselves, which is no figure."""
_IMMENSE = "look-up in 2^37"

Told = Mapping[str, Any]
Section = tuple[str, list[str]]


def main() -> int:
    results = {file.stem: json.loads(file.read_text()) for file in sorted(RESULTS.glob("*.json"))}
    file = DOCS / "benchmarks.md"
    page, pictures = render(results, file.read_text() if file.exists() else "")
    file.write_text(page)
    for name, picture in pictures.items():
        (DOCS / "pictures" / name).write_text(picture)
    return 0


def render(results: Mapping[str, Told], before: str = "") -> tuple[str, dict[str, str]]:
    """Give the page and its pictures by their names.

    Sections of the page ``before`` that no result is here for stay as they are, where they are.
    """
    pictures: dict[str, str] = {}
    _, *kept = re.split(r"^## (.+)\n", before, flags=re.MULTILINE)
    sections = {title: body.strip() for title, body in zip(kept[::2], kept[1::2], strict=True)}
    growth = {name: told for name, told in results.items() if name.startswith("growth-")}
    others = {name: told for name, told in results.items() if name not in growth}
    if growth:
        sections["As the index grows"] = "\n".join(_growth(growth, pictures))
    for name, told in others.items():
        title, body = KNOWN.get(name, _any)(name, told, pictures)
        sections[title] = "\n".join([*_where(told), "", *body])
    return "\n".join([HEAD, *(f"## {t}\n\n{b}\n" for t, b in sections.items())]), pictures


def _where(told: Told) -> list[str]:
    machine = told.get("machine", {})
    parts = [f"{machine.get('processor')}, {machine.get('cores')} cores, {machine.get('memory')}"]
    parts += [f"{name} {machine[name]}" for name in ("python", "java") if name in machine]
    parts += [f"{name} {number}" for name, number in told.get("versions", {}).items()]
    return [f"Measured {told.get('measured', '')} on {', '.join(parts)}."]


def _stages(name: str, told: Told, pictures: dict[str, str]) -> Section:
    body = [
        (
            f"{told['articles']:,} real articles of {told['mean_characters']:,.0f} characters,"
            f" {told['indexed']:,} fingerprints to look up in."
        ),
        "",
    ]
    drawn, rows = [], []
    for stage, of_stage in told["stages"].items():
        rates = of_stage["per_processor_second"]
        best = max(rate["median"] for rate in rates.values())
        for who, rate in rates.items():
            against = of_stage["ours_against"].get(who)
            rows.append([stage, who, _spread(rate), _spread(against) if against else ""])
            drawn.append(Bar(f"{stage}: {who}"[:34], [rate["median"] / best]))
    body += _table(["stage", "who", "a second", "ours is so many times as fast"], rows)
    if told["slower_than"]:
        body += ["", f"Ours is slower than: {'; '.join(told['slower_than'])}."]
    picture = f"{name}.svg"
    pictures[picture] = bars("Rate, as a share of the fastest of the stage", ["share"], drawn)
    body += ["", f"![Rates of each stage, as shares of the fastest](pictures/{picture})"]
    return "Stages beside the best of their kind" + _quick(name), body


def _quick(name: str) -> str:
    return ", small and quick" if name.endswith("-quick") else ""


def _growth(results: Mapping[str, Told], pictures: dict[str, str]) -> list[str]:
    body: list[str] = []
    rates: dict[str, Points] = {}
    for told in results.values():
        bands = told["bands"]
        title = f"{told['store']}, bands of {bands['blocks']} choose {bands['chosen']}"
        clock = told["store"] == "hbase"
        rate = "per_second" if clock else "per_processor_second"
        rows = []
        for size, at in told["curve"].items():
            gets, cells = at["gets_per_article"], at["cells_per_article"]
            rows.append(
                [
                    f"{int(size):,}",
                    _spread(at[rate]),
                    _spread(at["with_enriching_per_processor_second"]) if not clock else "-",
                    f"{sum(gets.values()):.1f}",
                    f"{cells.get('bucket', 0):.2f}",
                    f"{gets.get('article', 0):.1f}",
                ]
            )
        heads = ["indexed", "put and judge, by the clock" if clock else "put and judge"]
        heads += ["with enriching", "gets per article", "fingerprints met in bands"]
        heads += ["article rows read"]
        body += [f"### {title}: up to {rows[-1][0]}", "", *_where(told), ""]
        body += _table(heads, rows)
        per_article = {k: v for k, v in told["bytes_per_article"].items() if v >= 1}
        listed = ", ".join(f"{table} {size:,.0f}" for table, size in per_article.items())
        body += ["", f"Bytes on disk per real article: {listed}.", ""]
        if told.get("forms"):
            forms = told["forms"]
            body += [
                (
                    f"Articles with a key that is full ({forms['share_of_articles']:.1%} of all):"
                    f" {_spread(forms['forms'])} a second; those without:"
                    f" {_spread(forms['others'])}."
                ),
                "",
            ]
        if told.get("story"):
            body += [f"After {told['story']['copies']:,} copies of one story:", ""]
            body += _table(
                ["share of the batch that are copies", "a second", "times as fast as without"],
                [
                    [f"{float(share):.0%}", _spread(each), _spread(against)]
                    for (share, each), against in zip(
                        told["story"]["per_processor_second"].items(),
                        told["story"]["times_as_fast_as_without"].values(),
                        strict=True,
                    )
                ],
            )
            body.append("")
        if not clock:
            rates[title] = [(float(s), at[rate]["median"]) for s, at in told["curve"].items()]
    if rates:
        pictures["growth.svg"] = lines("Put and judge", "articles a second and core", rates)
        body += ["![Articles a second and core by indexed articles](pictures/growth.svg)"]
    return body


def _regions(name: str, told: Told, pictures: dict[str, str]) -> Section:  # noqa: ARG001
    rows = [
        [table, f"{of_table['rows']:,}"]
        + [f"{of_table[f'busiest_by_{what}']:.2%}" for what in ("rows", "cells", "bytes")]
        + [f"{of_table['by_chance']:.2%}"]
        for table, of_table in told["spread"].items()
        if table != "even"
    ]
    body = [
        (
            f"The busiest of {told['salts']} salts over {told['articles']:,} real articles; an even"
            f" share is {told['spread']['even']:.2%}, and the last column is what"
            " chance makes of it."
        ),
        "",
        *_table(["table", "rows", "share of rows", "of cells", "of bytes", "by chance"], rows),
    ]
    for table, measured in told.get("settings", {}).items():
        heads = ["setting", "bytes a row", "put", "get", "get of nothing", "gets by the clock"]
        rows = [
            [
                setting,
                f"{of_setting['bytes_per_row']:,.1f}",
                *(_spread(of_setting[k]["work"]) for k in ("put", "get", "get of nothing")),
                f"{of_setting['get']['per_second']['median']:,.0f}/s",
            ]
            for setting, of_setting in measured["variants"].items()
        ]
        refused = ", ".join(measured["refused"]) or "nothing"
        body += [
            "",
            (
                f"Table `{table}`, {measured['rows']:,} rows; microseconds of all processors"
                f" per row. The server did not have: {refused}."
            ),
            "",
            *_table(heads, rows),
        ]
    return "Regions, and the settings of HBase's tables", body


def _executors(name: str, told: Told, pictures: dict[str, str]) -> Section:  # noqa: ARG001
    rows = [
        [master, _spread(told["per_second"][master])]
        + [_spread(of_stage) for of_stage in of_master.values()]
        for master, of_master in told["seconds_per_batch"].items()
    ]
    stages = list(next(iter(told["seconds_per_batch"].values())))
    scaling = ", ".join(f"{k} {_spread(v)}" for k, v in told["from_one_core_to_two"].items())
    same = "differ" if told["exports_differ"] else "are the same bytes"
    return "Many executors", [
        (
            f"{told['articles']:,} articles in batches of {told['batch']:,}, {told['repetitions']}"
            f" repetitions, by the clock; the exports {same}."
        ),
        "",
        *_table(["master", "articles a second", *(f"{s}, seconds a batch" for s in stages)], rows),
        "",
        f"Two cores are so many times as fast as one: {scaling}.",
    ]


def _core(name: str, told: Told, pictures: dict[str, str]) -> Section:  # noqa: ARG001
    rows = []
    for who, of_one in told["contestants"].items():
        shares = ", ".join(f"{k} {_figure(100 * v)}%" for k, v in of_one.get("share", {}).items())
        rate, times = of_one["per_processor_second"], of_one["times_the_tutorials"]
        rows.append([who, _spread(rate), _spread(times), f"{of_one['flagged']:,}", shares])
    return "The decision core beside the tutorials' stack", [
        (
            f"{told['articles']:,} articles of {told['mean_characters']:,.0f} characters in batches"
            f" of {told['batch']:,}; from the bytes of an event to a stored verdict."
        ),
        "",
        *_table(["", "articles a second", "times the tutorials'", "flagged", "time goes to"], rows),
    ]


def _end_to_end(name: str, told: Told, pictures: dict[str, str]) -> Section:  # noqa: ARG001
    flows = told["throughput"]
    stages = list(next(iter(flows.values()))["milliseconds_per_article"])
    rows = [
        [flow, _figure(each["articles_per_second"]), _figure(each["slowest_batch_per_second"])]
        + [_figure(each["milliseconds_per_article"][stage]) for stage in stages]
        for flow, each in flows.items()
    ]
    spent = [
        f"{flow}: {', '.join(f'{k} {_figure(v)}' for k, v in each['processor_seconds'].items())}"
        for flow, each in flows.items()
    ]
    paced = [
        [flow, str(each["per_second"]), f"{each['articles']:,}"]
        + [f"{each['milliseconds'][cut]:,}" for cut in each["milliseconds"]]
        for flow, each in told["latency"].items()
    ]
    cuts = list(next(iter(told["latency"].values()))["milliseconds"])
    return "The whole query", [
        (
            f"{told['articles']:,} articles of {told['mean_characters']:,} characters in batches of"
            f" {told['batch']:,}, with similar lists; servers, Spark and {told['workers']} workers"
            f" share the machine; HBase ({told['hbase_heap']} of heap, Java's parallel collector)"
            f" had taken {told['warmed_by']:,} others before. By the clock, from the second batch"
            " on."
        ),
        "",
        *_table(
            ["", "articles a second", "slowest batch", *(f"{s}, ms an article" for s in stages)],
            rows,
        ),
        "",
        f"Seconds of the processor. {'; '.join(spent)}.",
        "",
        "From an event's stamp to its verdict's, with a trigger of a second, in milliseconds:",
        "",
        *_table(["", "articles a second", "articles", *cuts], paced),
    ]


def _claims(name: str, told: Told, pictures: dict[str, str]) -> Section:  # noqa: ARG001
    rows = [
        [what, who, _spread(each), str(timed.get("claimed_ms", ""))]
        for what, timed in told.items()
        if what not in {*_ABOUT, _IMMENSE}
        for who, each in timed.items()
        if isinstance(each, Mapping)
    ]
    immense = told[_IMMENSE]
    schemes = {label: each for label, each in immense.items() if "choose" in label}
    looked_up = [
        [label, *_expected(each["candidates"], "plan"), _figure(each["candidates"]["monte_carlo"])]
        + [_figure(each["candidates"]["uniform"])]
        + [_spread(compared) for compared in each["compared_ms"].values()]
        + [_figure(each["read_from_hbase_ms"])]
        for label, each in schemes.items()
    ]
    compared = list(next(iter(schemes.values()))["compared_ms"])
    as_claimed = ", ".join(f"{who} {_spread(each)}" for who, each in immense["as claimed"].items())
    return "What others claim, measured again", [
        "Milliseconds of one core; the last column is what the articles about such systems tell.",
        "",
        *_table(["what", "who", "milliseconds", "claimed"], rows),
        "",
        (
            f"One look-up among 2^37 fingerprints, by bits as skewed as those of real ones: the"
            f" plan, and a Monte Carlo of {immense['monte_carlo']:,}. Claimed are"
            f" {immense['claimed_comparisons']:,} comparisons; so many take, in milliseconds:"
            f" {as_claimed}."
        ),
        "",
        *_table(
            ["bands", "candidates by the plan", "range", "by Monte Carlo", "if bits were uniform"]
            + [f"compared by {who}, ms" for who in compared]
            + ["read from HBase, ms"],
            looked_up,
        ),
    ]


def _plan(name: str, told: Told, pictures: dict[str, str]) -> Section:  # noqa: ARG001
    body = [
        (
            "Candidates of a query: counted among real fingerprints, and as the plan expects them"
            " from the same ones; *times* is expected over counted."
        ),
        "",
    ]
    rows = [
        [
            stream,
            label,
            f"{last['size']:,}",
            _figure(last["counted"]),
            *_expected(last["whole"]),
            _times(last["first_4000"]),
        ]
        for stream, each in told["streams"].items()
        for label, (*_, last) in each["schemes"].items()
    ]
    heads = ["fingerprints", "bands", "among", "counted", "expected", "range", "times"]
    body += _table([*heads, "times, knowing 4,000"], rows)
    crowd = told["monte_carlo"]
    body += [
        "",
        f"Among {crowd['size']:,} generated with the same skew, {crowd['queries']:,} queries:",
        "",
        *_table(
            ["bands", "counted", "expected", "range", "times"],
            [
                [label, _figure(each["counted"]), *_expected(each["profile"])]
                for label, each in crowd["schemes"].items()
            ],
        ),
        "",
        f"Projected from {told['projections']['figures']}:",
        "",
    ]
    rows = [
        [
            size,
            label,
            *_expected(each["newsroom"], "candidates"),
            *_expected(each["channel"], "candidates"),
            _figure(each["newsroom"]["uniform"]),
        ]
        for size, schemes in told["projections"].items()
        if size != "figures"
        for label, each in schemes.items()
    ]
    heads = ["indexed", "bands", "all channels", "range", "within a channel", "range"]
    return "The plan beside what was counted", [*body, *_table([*heads, "uniform bits"], rows)]


def _expected(told: Mapping[str, Any], what: str = "expected") -> list[str]:
    """Give an expected number, its range, and how many times what was counted it is, if it was."""
    times = [_times(told)] if "ratio" in told else []
    return [_figure(told[what]), f"{_figure(told['low'])}–{_figure(told['high'])}", *times]


def _times(told: Mapping[str, Any]) -> str:
    return "" if told["ratio"] is None else _figure(told["ratio"])


def _any(name: str, told: Told, pictures: dict[str, str]) -> Section:  # noqa: ARG001
    tables: list[str] = []
    single: list[list[str]] = []
    for key, value in told.items():
        if key in _ABOUT:
            continue
        what = key.replace("_", " ")
        if rows := _rows(value):
            heads = list(dict.fromkeys(head for of_row in rows.values() for head in of_row))
            cells = [[row, *(each.get(head, "") for head in heads)] for row, each in rows.items()]
            tables += ["", f"{what}:", "", *_table(["", *heads], cells)]
        else:
            single += map(list, _figures(value, what))
    return name.replace("_", " "), [*_table(["what", "figure"], single), *tables]


def _rows(told: Any) -> dict[str, dict[str, str]]:
    """Give the rows of what is a table, contestants or runs of which each has figures."""
    if isinstance(told, Sequence):
        told = {str(number): each for number, each in enumerate(told, 1)}
    if not isinstance(told, Mapping) or not all(
        isinstance(each, Mapping) for each in told.values()
    ):
        return {}
    return {row: dict(_figures(each, "")) for row, each in told.items()}


def _quality(name: str, told: Told, pictures: dict[str, str]) -> Section:  # noqa: ARG001
    return "Verdicts beside those of other tools", markdown(dict(told)).splitlines()


KNOWN: dict[str, Callable[[str, Told, dict[str, str]], Section]] = {
    "stages": _stages,
    "stages-quick": _stages,
    "regions": _regions,
    "quality": _quality,
    "executors": _executors,
    "core": _core,
    "end_to_end": _end_to_end,
    "claims": _claims,
    "plan": _plan,
}


def _figures(told: Any, path: str) -> Iterator[tuple[str, str]]:
    """Name every figure of a result by the way to it."""
    if isinstance(told, Mapping) and told.keys() >= {"median", "least", "most"}:
        yield path, _spread(told)
    elif isinstance(told, Mapping):
        for key, value in told.items():
            name = str(key).replace("_", " ")
            yield from _figures(value, f"{path}, {name}" if path else name)
    elif isinstance(told, Sequence) and not isinstance(told, str):
        yield path, ", ".join(figure for value in told for _, figure in _figures(value, ""))
    else:
        plain = isinstance(told, str | bool) or told is None
        yield path, str(told) if plain else _figure(told)


def _spread(told: Mapping[str, float]) -> str:
    return f"{_figure(told['median'])} ({_figure(told['least'])}–{_figure(told['most'])})"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(heads)} |",
        f"|{'---|' * len(heads)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


if __name__ == "__main__":
    sys.exit(main())
