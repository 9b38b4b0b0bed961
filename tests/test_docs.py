"""What the documentation points at is there."""

import re
import tomllib
from pathlib import Path

import pytest

from streaming.settings import load
from tests.simulation.planted import BUGS
from tests.simulation.test_simulation import HISTORIES

ROOT = Path(__file__).resolve().parent.parent
GUARANTEES = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


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
    named = set(re.findall(r"`((?:store|matching|query|stories)\.\w+)", GUARANTEES))
    assert len(named) > 5
    for name in named:
        group, _, key = name.partition(".")
        assert key in known[group], name


def test_the_settings_of_the_readme_can_be_read(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for number, block in enumerate(re.findall(r"```toml\n(.*?)```", readme, flags=re.DOTALL)):
        assert tomllib.loads(block)
        file = tmp_path / f"{number}.toml"
        file.write_text(block, encoding="utf-8")
        load(file, environment={})


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
