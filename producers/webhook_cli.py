"""``leitong webhook``: take article events over HTTP."""

from contextlib import ExitStack
from pathlib import Path

import click

from streaming.commands.options import configured, generation_option, listen_option, read_settings
from streaming.interrupts import wait

DEFAULT_ADDRESS = "127.0.0.1:8700"


@click.command()
@click.option(
    "--to",
    "target",
    metavar="LOG",
    help="Publish events there: file:DIR or kafka://HOST:PORT/TOPIC; created if it is not there.",
)
@listen_option(DEFAULT_ADDRESS, "secret")
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
@click.option(
    "--store",
    metavar="URL",
    help="Check drafts against this index: sqlite:PATH or hbase://HOST:PORT/PREFIX.",
)
@generation_option
@configured
def webhook(
    *,
    target: str | None,
    address: str,
    secret_file: Path | None,
    most_waiting: int,
    store: str | None,
    generation: str | None,
    file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Take article events over HTTP and publish them; check drafts.

    A CMS posts an event, as leitong produce takes it, to /events and has its answer when the
    log has it: 200. An event that is none is refused at once with its reason (422). While too
    many wait (429), or while the log does not answer (503), it has to be sent again.

    With --store a CMS may ask at /check what would be said of an article before it publishes
    it: the verdict and the evidence for it, as leitong check --json tells them.

    Messages are signed as Standard Webhooks says: an HMAC over id, time and body in the headers
    webhook-id, webhook-timestamp and webhook-signature.

    \b
      openssl rand -base64 32 > secret
      leitong webhook --to kafka://127.0.0.1:9092/articles --secret-file secret
      leitong webhook --store hbase://127.0.0.1:9090/leitong
    """  # noqa: D301 - click wants the character, not its escape
    from producers.checks import Checks  # noqa: PLC0415
    from producers.cli import open_target  # noqa: PLC0415
    from producers.committing import Committer  # noqa: PLC0415
    from producers.signing import SECRET_VARIABLE, Secrets  # noqa: PLC0415
    from producers.webhook import MOST_BYTES, Webhook  # noqa: PLC0415
    from streaming.errors import SettingsError  # noqa: PLC0415
    from streaming.events import parser_of  # noqa: PLC0415
    from streaming.serving import Address, Limits, check_guarded, served  # noqa: PLC0415

    where = Address.parse(address)
    secrets = Secrets.read(secret_file)
    check_guarded(
        where,
        secrets,
        f"messages have to be signed: --secret-file FILE, or {SECRET_VARIABLE} in the environment",
    )
    if target is None and store is None:
        raise SettingsError("nothing to do: publish --to a log, check drafts in a --store, or both")
    settings = read_settings(file, assignments, store__url=store, store__generation=generation)
    most_bytes = max(MOST_BYTES, settings.events.max_bytes)
    # A few more than may wait: they answer that no more may.
    limits = Limits(most_waiting + 8, 4 * most_waiting + 32, most_bytes)
    with ExitStack() as stack:
        committer = checks = None
        if target is not None:
            # Now, so that a mistake in the address is told to whoever starts it.
            first = [open_target(target, settings, "now", None)]
            committer = Committer(
                lambda: first.pop() if first else open_target(target, settings, "now", None),
                most_waiting,
            )
            stack.callback(committer.close)
        if store is not None:
            checks = Checks(settings)
            stack.callback(checks.close)
            checks.open()
        app = Webhook(committer, parser_of(settings), secrets, most_bytes, checks=checks)
        there = stack.enter_context(served(app, where, limits))
        if target is not None:
            click.echo(f"events for {target}: POST http://{there}/events")
        if store is not None:
            click.echo(f"drafts beside {store}: POST http://{there}/check")
        click.echo("Ctrl-C ends it")
        wait()
        click.echo()
