"""``leitong check``: the verdict of a text that is not published yet."""

import re
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from streaming.commands.options import (
    Moment,
    configured,
    generation_option,
    milliseconds,
    models_option,
    read_settings,
    stamped_index,
    store_option,
)

if TYPE_CHECKING:
    from streaming.checking import Answer
    from streaming.settings import Settings
    from streaming.store.contract import Store

_OBJECT = re.compile(rb"\{\s*[\"}]")
"""How an object of JSON begins, and a text does not."""


@click.command()
@click.argument(
    "draft", metavar="FILE|-", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True)
)
@click.option("--title", help="Title of the draft; the whole text is then its body.")
@click.option("--channel", help="Channel, by name or number; needed where it is the scope.")
@click.option("--at", "at", type=Moment(), help="Judge as of this time. [default: now]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on one line.")
@store_option
@generation_option
@models_option
@configured
def check(
    *,
    draft: Path,
    title: str | None,
    channel: str | None,
    at: datetime | None,
    as_json: bool,
    store: str | None,
    generation: str | None,
    models: str | None,
    file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Judge a draft as if it were published now; nothing is written.

    FILE, or - for standard input, is plain text or one article as JSON, as leitong produce
    takes it. The first line of a text is its title if it has at most 80 characters and
    something follows it. JSON needs no id; with the id of a published article it is judged
    as an edit of that one, which keeps its place in the log.

    Tells the verdict, each match with the measures of the pair and the thresholds, and
    why the best of the refused candidates was refused. Ends with status 0 whatever the
    verdict is. With --at it is compared with what had appeared by then, as it reads now.
    The query may be running; the settings must be those under which the index was built.

    With the models at hand that readers of similar lists follow, also tells which articles
    are like the draft: those that would be in its list at once. They are looked up in this
    host's copy of the log of descriptions, which the first time has to be made.

    \b
      leitong check draft.txt --store sqlite:leitong.db
      leitong check - --channel python --json < draft.json
      leitong check draft.txt --at 2026-01-31T06:00+08:00
    """  # noqa: D301 - click wants the character, not its escape
    from streaming import checkview  # noqa: PLC0415
    from streaming.checking import check as check_draft  # noqa: PLC0415
    from streaming.drafts import read_draft  # noqa: PLC0415
    from streaming.store.opening import resolved  # noqa: PLC0415
    from streaming.wording import json_line  # noqa: PLC0415

    settings = read_settings(
        file,
        assignments,
        store__url=store,
        store__generation=generation,
        query__models=models,
    )
    where = "standard input" if str(draft) == "-" else str(draft)
    given = {"title": title, "channel": channel}
    read = read_draft(
        _document(_read(draft, where), where, whole=title is not None),
        settings,
        where,
        {name: value for name, value in given.items() if value is not None},
    )
    settings = resolved(settings)
    index = stamped_index(settings)
    now_ms = int(time.time() * 1000)
    rules = settings.matching.rules()
    answer = check_draft(index, rules, read, now_ms, milliseconds(at))
    answer, without = _with_similar(answer, settings, index)
    if as_json:
        click.echo(json_line(answer.fields()))
    else:
        for line in checkview.page(answer, rules):
            click.echo(line)
        if answer.warning:
            click.echo(f"warning: {answer.warning}", err=True)
    if without:
        click.echo(f"warning: similar articles are left out: {without}", err=True)


def _with_similar(
    answer: "Answer", settings: "Settings", index: "Store"
) -> "tuple[Answer, str | None]":
    """Add what is like the draft, or say why not: its verdict does not depend on that."""
    if settings.query.models is None:
        return answer, None
    from streaming.errors import ModelsError  # noqa: PLC0415
    from streaming.likening import with_similar  # noqa: PLC0415

    try:
        return with_similar(answer, settings, index, settings.query.models), None
    except ModelsError as error:
        return answer, str(error)


def _read(file: Path, where: str) -> bytes:
    from streaming.errors import SettingsError  # noqa: PLC0415

    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise SettingsError(f"{where}: cannot be read ({error.strerror})") from error


def _document(content: bytes, where: str, *, whole: bool) -> dict[str, Any]:
    """Give a draft as an article; a text whose title is given elsewhere is a body as a whole."""
    from producers.texts import decode, split_title  # noqa: PLC0415
    from streaming.drafts import parse_document  # noqa: PLC0415
    from streaming.errors import SettingsError  # noqa: PLC0415

    stripped = content.removeprefix(b"\xef\xbb\xbf").strip()
    if _OBJECT.match(stripped):
        return parse_document(stripped, where)
    text = decode(content)
    if text is None:
        raise SettingsError(f"{where}: is neither UTF-8 nor GB 18030")
    title, body = (None, text) if whole else split_title(text)
    return {"title": title, "body": body}
