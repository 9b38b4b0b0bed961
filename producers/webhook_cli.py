"""``leitong webhook``: take article events over HTTP."""

from pathlib import Path

import click

from streaming.commands.options import configured, read_settings
from streaming.interrupts import wait

DEFAULT_ADDRESS = "127.0.0.1:8700"


@click.command()
@click.option(
    "--to",
    "target",
    required=True,
    metavar="LOG",
    help="file:DIR or kafka://HOST:PORT/TOPIC; created if it is not there.",
)
@click.option(
    "--listen",
    "address",
    metavar="HOST:PORT",
    default=DEFAULT_ADDRESS,
    show_default=True,
    help="Where it is. One that other machines can reach needs a secret.",
)
@click.option(
    "--secret-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with the secret that messages are signed with; several, a line each, while it is"
    " being replaced. [default: LEITONG_WEBHOOK_SECRET, if it is set]",
)
@click.option(
    "--most-waiting",
    type=click.IntRange(1, 500),
    default=64,
    show_default=True,
    help="Requests that wait for the log at a time; others are told to come again.",
)
@configured
def webhook(
    *,
    target: str,
    address: str,
    secret_file: Path | None,
    most_waiting: int,
    file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Take article events over HTTP and publish them.

    A CMS posts an event, as leitong produce takes it, to /events and has its answer when the
    log has it: 200. An event that is none is refused at once with its reason (422). While too
    many wait (429), or while the log does not answer (503), it has to be sent again.

    Messages are signed as Standard Webhooks says: an HMAC over id, time and body in the headers
    webhook-id, webhook-timestamp and webhook-signature.

    \b
      openssl rand -base64 32 > secret
      leitong webhook --to kafka://127.0.0.1:9092/articles --secret-file secret
      curl 127.0.0.1:8700/health
    """  # noqa: D301 - click wants the character, not its escape
    from producers.cli import open_target, parser_of  # noqa: PLC0415
    from producers.committing import Committer  # noqa: PLC0415
    from producers.signing import SECRET_VARIABLE, Secrets  # noqa: PLC0415
    from producers.webhook import MOST_BYTES, Webhook  # noqa: PLC0415
    from streaming.errors import SettingsError  # noqa: PLC0415
    from streaming.serving import Address, Limits, served  # noqa: PLC0415

    where = Address.parse(address)
    secrets = Secrets.read(secret_file)
    if secrets is None and not where.is_loopback:
        raise SettingsError(
            f"{where} can be reached from other machines, so messages have to be signed:"
            f" --secret-file FILE, or {SECRET_VARIABLE} in the environment"
        )
    settings = read_settings(file, assignments)
    # Now, so that a mistake in the address is told to whoever starts it.
    opened = [open_target(target, settings, "now", None)]
    committer = Committer(
        lambda: opened.pop() if opened else open_target(target, settings, "now", None),
        most_waiting,
    )
    most_bytes = max(MOST_BYTES, settings.events.max_bytes)
    # A few more than may wait: they answer that no more may.
    limits = Limits(most_waiting + 8, 4 * most_waiting + 32, most_bytes)
    app = Webhook(committer, parser_of(settings), secrets, most_bytes)
    try:
        with served(app, where, limits) as there:
            click.echo(f"events for {target}: POST http://{there}/events (Ctrl-C ends it)")
            wait()
            click.echo()
    finally:
        committer.close()
