"""``leitong explain``: why one article names another, or does not."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from streaming.commands.options import (
    configured,
    generation_option,
    read_settings,
    stamped_index,
    store_option,
)

if TYPE_CHECKING:
    from streaming.explaining import Explanation


@click.command()
@click.argument("a")
@click.argument("b")
@click.option("--no-diff", is_flag=True, help="Leave out what differs between the texts.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on one line.")
@store_option
@generation_option
@configured
def explain(
    *,
    a: str,
    b: str,
    no_diff: bool,
    as_json: bool,
    store: str | None,
    generation: str | None,
    file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Say why one of the articles A and B names the other in its verdict, or does not.

    Whichever of the two appeared first is the earlier one, and the later one is judged
    against it. Tells their fingerprints and the keys that they share, every measure of the
    pair beside its thresholds, the check that decided, whether the later one saw the
    earlier (scope, window, slots under a key), and what the stored verdicts say. Then what
    differs between their current texts: on a terminal in colours, elsewhere as
    [-removed-]{+added+}, from the earlier to the later.

    \b
      leitong explain a03 b17 --store sqlite:leitong.db
      leitong explain a03 b17 --json --no-diff
    """  # noqa: D301 - click wants the character, not its escape
    from streaming import explainview  # noqa: PLC0415
    from streaming.explaining import explain as explain_pair  # noqa: PLC0415
    from streaming.wording import json_line  # noqa: PLC0415

    if a == b:
        raise click.UsageError("A and B are one article: name two")
    settings = read_settings(file, assignments, store__url=store, store__generation=generation)
    rules = settings.matching.rules()
    found = explain_pair(stamped_index(settings), rules, a, b)
    if not no_diff:
        _check_texts(found)
    if as_json:
        fields = found.fields()
        if not no_diff:
            fields["difference"] = {
                name: [[each.change, each.text] for each in passages]
                for name, passages in explainview.differences(found)
            }
        click.echo(json_line(fields))
        return
    for line in explainview.page(found, rules):
        click.echo(line)
    if not no_diff:
        _show_difference(found)


def _check_texts(found: "Explanation") -> None:
    missing = [each.article for each in (found.earlier, found.later) if each.text is None]
    if missing:
        raise click.ClickException(
            f"the text of {missing[0]!r} is not kept, so it cannot be compared; --no-diff leaves"
            " that out"
        )


def _show_difference(found: "Explanation") -> None:
    from rich.console import Console  # noqa: PLC0415

    from streaming import explainview  # noqa: PLC0415

    console = Console(highlight=False, markup=False, emoji=False)
    for name, passages in explainview.differences(found):
        click.echo(f"\n{name}")
        text = explainview.styled(passages, marks=console.color_system is None)
        console.print(text, soft_wrap=True)
