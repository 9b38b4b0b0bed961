"""``leitong similar``: what is like an article of the index."""

from pathlib import Path

import click

from streaming.commands.options import (
    configured,
    existing_index,
    generation_option,
    models_option,
    read_settings,
    stamped_index,
    store_option,
)

_BY = ("lists", "vector", "keywords", "simhash", "tfidf")


@click.command()
@click.argument("article_id")
@click.option(
    "--by",
    type=click.Choice(_BY),
    default="lists",
    show_default=True,
    help="What says how alike two articles are.",
)
@click.option(
    "-n",
    "count",
    type=click.IntRange(1, 1000),
    default=6,
    show_default=True,
    help="Articles to show, at most.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on one line.")
@store_option
@generation_option
@models_option
@configured
def similar(
    *,
    article_id: str,
    by: str,
    count: int,
    as_json: bool,
    store: str | None,
    generation: str | None,
    models: str | None,
    file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Show which articles are like ARTICLE_ID, the most alike first.

    By default this is the list that leitong run made under the models that readers follow,
    read as it is served: one row. The other ways are worked out now, for comparison, and
    neither time nor copies of one story count in them. Vector and keywords are the two
    parts of a list's score, each alone; tfidf is the cosine of the TF-IDF weights of all
    words of both texts. These three need the models, are of the articles that could be in
    the list (its channel or newsroom, the window before and after), and keep a copy of
    the index's log of descriptions on this host; tfidf reads the texts of the 300 best by
    keywords, and tells the best of those. simhash counts the bits in which fingerprints
    differ, over all articles that verdicts compare (matching.scope), and reads all of them.

    With the models at hand the keywords that both articles have are shown as well, those
    that weigh most first. Nothing is written to the index, and the query may be running.

    \b
      leitong similar a03 --store sqlite:leitong.db
      leitong similar a03 --by tfidf -n 20 --models models/
      leitong similar a03 --json
    """  # noqa: D301 - click wants the character, not its escape
    from streaming import similarview  # noqa: PLC0415
    from streaming.similarity import By  # noqa: PLC0415
    from streaming.similarity import similar as similar_to  # noqa: PLC0415
    from streaming.store.opening import resolved  # noqa: PLC0415
    from streaming.wording import json_line  # noqa: PLC0415

    settings = resolved(
        read_settings(
            file,
            assignments,
            store__url=store,
            store__generation=generation,
            query__models=models,
        )
    )
    # A list is served whatever the settings are; what is worked out here depends on them.
    index = existing_index(settings) if by == By.LISTS else stamped_index(settings)
    answer = similar_to(index, settings, article_id, By(by), count)
    if as_json:
        click.echo(json_line(answer.fields()))
        return
    for line in similarview.page(answer):
        click.echo(line)
    if answer.warning:
        click.echo(f"warning: {answer.warning}", err=True)
