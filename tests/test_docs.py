"""What the promises in the documentation point at is there."""

import re
from pathlib import Path

from streaming.settings import load
from tests.pages import DOCS, ROOT
from tests.simulation.planted import BUGS
from tests.simulation.test_simulation import HISTORIES

GUARANTEES = (DOCS / "guarantees.md").read_text(encoding="utf-8")
COMPARISON = (DOCS / "comparison.md").read_text(encoding="utf-8")


def test_every_promise_names_tests_that_there_are() -> None:
    rows = [line for line in GUARANTEES.splitlines() if line.startswith("| ")][1:]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert len(rows) > 10
    for row in rows:
        shown_by = re.findall(r"`([^`]+)`", row.split("|")[-2])
        assert shown_by, row
        for name in shown_by:
            target = name.removeprefix("make ")
            assert (ROOT / name).is_file() or f"\n{target}:" in makefile, name


def test_numbers_are_those_of_the_tests() -> None:
    assert f"runs {HISTORIES:,} histories".replace(",", " ") in " ".join(GUARANTEES.split())
    assert f"{len(BUGS)} bugs are switched on" in GUARANTEES


def test_settings_that_are_named_exist() -> None:
    known = load(environment={}).settings.model_dump()
    groups = "|".join(group for group in known if group not in {"kafka", "spark", "channels"})
    pages = [*DOCS.glob("*.md"), ROOT / "README.md"]
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    named = set(re.findall(rf"`((?:{groups})\.\w+)[` ]", text))
    assert len(named) > 20
    for name in named:
        if name.endswith((".yaml", ".toml")):
            continue
        group, _, key = name.partition(".")
        assert key in known[group], name


def test_the_settings_of_the_page_on_security_can_be_read(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    logins = re.findall(r"^org\.apache\..*;$", page, flags=re.MULTILINE)
    blocks = re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    protocols = []
    for block in blocks:
        login = tmp_path / "login"
        mechanism = "Scram" if "SCRAM" in block else "Plain"
        login.write_text(next(each for each in logins if f"{mechanism}LoginModule" in each))
        file = tmp_path / "leitong.toml"
        file.write_text(block.replace("/run/secrets/kafka-login", str(login)), encoding="utf-8")
        kafka = load(file, environment={}).settings.kafka
        protocols.append((kafka["security.protocol"], kafka.get("sasl.mechanism")))
    assert protocols == [
        ("SSL", None),
        ("SASL_SSL", "PLAIN"),
        ("SASL_SSL", "SCRAM-SHA-512"),
        ("SSL", None),
    ]


def test_figures_of_the_comparison_are_those_of_the_measurements() -> None:
    sources = ("benchmarks.md", "quality.md", "similar.md")
    measured = "".join((DOCS / name).read_text(encoding="utf-8") for name in sources)
    figures = set(re.findall(r"\d+\.\d+|\d[ ,]\d{3}(?!\d)", COMPARISON))
    assert len(figures) > 20
    assert figures - set(re.findall(r"\d+\.\d+|\d[ ,]\d{3}(?!\d)", measured)) == set()
