"""The documentation, read as a reader of Markdown does: examples, headings, links."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
CHINESE = ROOT / "README.zh.md"
DOCS = ROOT / "docs"


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced example, and the headings above it, the page's first."""

    page: Path
    line: int
    language: str
    text: str
    headings: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def pages() -> list[Path]:
    """Every page there is."""
    return [README, CHINESE, *sorted(DOCS.glob("*.md"))]


@cache
def tokens(page: Path) -> tuple[Token, ...]:
    markdown = MarkdownIt("commonmark").enable("table")
    return tuple(markdown.parse(page.read_text(encoding="utf-8")))


@cache
def headings(page: Path) -> tuple[tuple[int, str], ...]:
    """Levels and texts, without marks."""
    found = tokens(page)
    return tuple(
        (int(token.tag[1:]), plain(found[number + 1]))
        for number, token in enumerate(found)
        if token.type == "heading_open"
    )


def plain(inline: Token) -> str:
    return "".join(each.content for each in inline.children or ())


def anchors(page: Path) -> set[str]:
    """The names that a code host gives to headings."""
    return {
        re.sub(r"[^\w\- ]", "", text).strip().lower().replace(" ", "-")
        for _, text in headings(page)
    }


def links(page: Path) -> Iterator[str]:
    """Where links and pictures of a page lead."""
    for token in tokens(page):
        for each in token.children or ():
            target = each.attrGet("href") or each.attrGet("src")
            if isinstance(target, str):
                yield target


def blocks(page: Path, language: str | None = None, heading: str | None = None) -> list[Block]:
    """The examples of a page, of one language, or under one heading."""
    above: list[str] = []
    found = []
    for number, token in enumerate(tokens(page)):
        if token.type == "heading_open":
            level = int(token.tag[1:])
            above = [*above[: level - 1], plain(tokens(page)[number + 1])]
        elif token.type == "fence":
            line = (token.map or [0])[0] + 1
            found.append(Block(page, line, token.info, token.content, tuple(above)))
    return [
        each
        for each in found
        if (language is None or each.language == language)
        and (heading is None or heading in each.headings)
    ]


def block(page: Path, language: str, heading: str) -> str:
    """The only example of a language under a heading."""
    (found,) = blocks(page, language, heading)
    return found.text


def commands(script: str) -> Iterator[list[str]]:
    """The words of each simple command of a shell script, in order, without redirections.

    Enough of a shell for examples: lines that go on, comments, here-documents, pipes, ``&&``,
    variables before a command, and commands in ``$( )``.
    """
    script = re.sub(r"<<'(\w+)'\n.*?^\1$", "", script, flags=re.DOTALL | re.MULTILINE)
    for line in script.replace("\\\n", " ").splitlines():
        for inner in re.findall(r"\$\(([^()]*)\)", line):
            yield from commands(inner)
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        passed = False
        for word in lexer:
            if passed:
                passed = False
            elif set(word) <= set("|&;"):
                yield from _command(words)
                words = []
            elif set(word) <= set("<>"):
                passed = True
            else:
                words.append(word)
        yield from _command(words)


def _command(words: list[str]) -> Iterator[list[str]]:
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    if words:
        yield words
