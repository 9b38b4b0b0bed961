"""``leitong dashboard``: the page of dedup rates."""

from pathlib import Path

import click

from streaming.commands.options import (
    configured,
    generation_option,
    listen_option,
    read_settings,
    store_option,
)
from streaming.interrupts import wait

DEFAULT_ADDRESS = "127.0.0.1:8600"


@click.command()
@listen_option(DEFAULT_ADDRESS, "token")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File that holds the token which the page asks for."
    " [default: LEITONG_DASHBOARD_TOKEN, if it is set]",
)
@click.option(
    "--alerts-to",
    metavar="URL",
    help="Send alerts that are raised or cleared there: kafka://HOST:PORT/TOPIC, file:DIR, or"
    " a webhook, https://...",
)
@store_option
@generation_option
@configured
def dashboard(
    *,
    address: str,
    token_file: Path | None,
    alerts_to: str | None,
    store: str | None,
    generation: str | None,
    file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Show dedup rates, stories and dead letters on a web page.

    Reads the store and writes nothing; the query may be running or not. Ctrl-C ends it.

    \b
      leitong dashboard --store sqlite:leitong.db
      leitong dashboard --store hbase://127.0.0.1:9090/leitong --listen 0.0.0.0:8600 \\
                        --token-file /etc/leitong/token
    """  # noqa: D301 - click wants the character, not its escape
    from streaming.dashboard.access import check_address, read_token  # noqa: PLC0415
    from streaming.dashboard.app import Dashboard  # noqa: PLC0415
    from streaming.dashboard.telling import teller  # noqa: PLC0415
    from streaming.dashboard.watching import watching  # noqa: PLC0415
    from streaming.serving import Address, served  # noqa: PLC0415

    where = Address.parse(address)
    token = read_token(token_file)
    check_address(where, token)
    settings = read_settings(file, assignments, store__url=store, store__generation=generation)
    with teller(alerts_to, settings.kafka) as send:
        app = Dashboard(settings, token, send=send)
        with watching(app.watcher), served(app, where) as there:
            click.echo(f"dashboard of {settings.store.url}: http://{there}/ (Ctrl-C ends it)")
            wait()
            click.echo()
