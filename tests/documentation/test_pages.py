"""Pages can be found, read on a code host, and built into a site; none is out of date."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

from docs.generate import pages as generated
from docs.generate import renewed
from streaming.matching.verification import DEFAULT_THRESHOLDS
from streaming.settings import load
from streaming.stamping import stamp
from streaming.thresholds import write_thresholds
from tests.pages import CHINESE, DOCS, README, ROOT, anchors, blocks, headings, links, pages

LANGUAGES = {"sh", "json", "toml", "python", "java", "yaml", "xml", "ruby", "text"}
DIRECTIVES = {"{toctree}": {"index.md"}, "{include}": {"chinese.md"}}


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    lost = []
    for link in links(page):
        if urlparse(link).scheme:
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        found = target.is_file() and ROOT in target.parents
        if not found or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), {README}
    while waiting:
        page = waiting.pop()
        reached.add(page)
        local = {(page.parent / link.partition("#")[0]).resolve() for link in links(page)}
        waiting |= {each for each in local if each.suffix == ".md"} - reached
    assert set(pages()) - reached == set()


def test_examples_say_what_they_are_written_in() -> None:
    for page in pages():
        for block in blocks(page):
            known = block.language in LANGUAGES
            assert known or page.name in DIRECTIVES.get(block.language.split()[0], ()), str(block)


def test_what_the_program_knows_better_is_written_from_it() -> None:
    stale = [
        path.name for path, text in generated().items() if path.read_text(encoding="utf-8") != text
    ]
    assert stale == [], "make docs writes these pages anew"


def test_a_page_without_a_place_for_a_part_is_an_error() -> None:
    with pytest.raises(ValueError, match="no place for settings"):
        renewed("# A page\n", "settings", "| key |")


def test_the_readmes_keep_step() -> None:
    english, chinese = headings(README), headings(CHINESE)
    assert [level for level, _ in english] == [level for level, _ in chinese]
    assert [(b.language, b.text) for b in blocks(README)] == [
        (b.language, b.text) for b in blocks(CHINESE)
    ]
    pictured = [
        [link for link in links(page) if "README" not in link] for page in (README, CHINESE)
    ]
    assert pictured[0] == pictured[1]
    rows = [page.read_text(encoding="utf-8").count("\n| ") for page in (README, CHINESE)]
    assert rows[0] == rows[1]


CHANGED = {
    "channels.99": "a new one",
    "events.max_bytes": "1000",
    "events.utc_offset_hours": "0",
    "events.debezium": '{channel = "section"}',
    "text.hmm": "false",
    "text.user_dictionaries": '["words.txt"]',
    "text.stop_words": '"words.txt"',
    "text.extra_stop_words": '"words.txt"',
    "text.idf": '"words.txt"',
    "text.lexicon": '"words.txt"',
    "text.channel_lexicons": '{go = "words.txt"}',
    "matching.k": "2",
    "matching.blocks": "6",
    "matching.chosen": "2",
    "matching.visible": "3",
    "matching.window": "1d",
    "matching.scope": "newsroom",
    "matching.shingles": "false",
    "matching.verify_simhash": "false",
    "matching.max_matches": "3",
    "matching.thresholds_file": '"thresholds.toml"',
    "stories.sources": '["agency"]',
    "store.url": "memory:other",
    "store.generation": "k2",
    "store.retention": "200d",
    "store.edit_horizon": "1d",
    "store.lateness": "1h",
    "query.source": "file:other",
    "query.checkpoint": "other",
    "query.trigger": "9s",
    "query.max_batch": "9",
    "query.patience": "9s",
    "query.lease": "9s",
    "query.tasks": "9",
    "query.models": "models",
    "query.views": "views",
    "query.backlog": "9",
    "query.verdicts": "file:verdicts",
    "query.dead_letters": "file:letters",
    "kafka.security.protocol": "SSL",
    "spark.driver.memory": "2g",
}


def test_settings_that_decide_verdicts_are_marked(no_settings: Path) -> None:
    (no_settings / "words.txt").write_text("词语 3\n", encoding="utf-8")
    learned = DEFAULT_THRESHOLDS.having({"overlap": 0.5})
    write_thresholds(no_settings / "thresholds.toml", learned, {})
    page = (DOCS / "configuration.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)\.(\w+)` \|[^|]*\|[^|]*\| (yes|no) \|", page, flags=re.MULTILINE)
    marked = {group if key == "NAME" else f"{group}.{key}": told for group, key, told in rows}
    base = [("matching.scope", "channel", "test"), ("matching.blocks", "5", "test")]
    before = stamp(load(overrides=base, environment={}).settings)
    seen = {}
    for name, value in CHANGED.items():
        after = stamp(load(overrides=[*base, (name, value, "test")], environment={}).settings)
        group = name.partition(".")[0]
        seen[name if name in marked else group] = "yes" if after != before else "no"
    assert seen == marked


class Page(HTMLParser):
    """Where a page leads, what it loads, and its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.leads: list[str] = []
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.ids |= {told["id"] or ""} if "id" in told else set()
        if tag == "a":
            self.leads.append(told.get("href") or "")
        elif tag != "form":
            self.loads += [told[name] or "" for name in ("href", "src") if name in told]


def test_the_site_has_every_page_in_its_navigation(site: Path) -> None:
    home = Page((site / "index.html").read_text(encoding="utf-8"))
    built = {page.stem for page in DOCS.glob("*.md")}
    assert built - {link.removesuffix(".html") for link in home.leads} == {"index"}


def test_the_site_leads_nowhere_that_is_not_there_and_loads_nothing_from_elsewhere(
    site: Path,
) -> None:
    told = {path: Page(path.read_text(encoding="utf-8")) for path in site.glob("*.html")}
    assert len(told) > 20
    for path, page in told.items():
        for link in (*page.leads, *page.loads):
            if urlparse(link).scheme == "data":
                continue
            if urlparse(link).scheme or link.startswith("//"):
                assert link in page.leads, f"{path.name} loads {link}"
                continue
            name, _, anchor = unquote(link).partition("#")
            target = path.parent / name.partition("?")[0] if name else path
            assert target.is_file(), f"{path.name}: {link}"
            if anchor and target in told:
                assert anchor in told[target].ids, f"{path.name}: {link}"
