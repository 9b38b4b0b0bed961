"""The command line, ``leitong``."""

import importlib
import logging
import sys
from typing import Any

import click

from streaming import collecting
from streaming.errors import LeitongError

_COMMANDS = {
    "calibrate": "streaming.commands.calibrate:calibrate",
    "check": "streaming.commands.check:check",
    "config": "streaming.commands.config:config",
    "dashboard": "streaming.commands.dashboard:dashboard",
    "dead-letters": "streaming.commands.dead_letters:dead_letters",
    "demo": "streaming.commands.demo:demo",
    "doctor": "streaming.commands.doctor:doctor",
    "evaluate": "streaming.commands.evaluate:evaluate",
    "explain": "streaming.commands.explain:explain",
    "export": "streaming.commands.export:export",
    "generations": "streaming.commands.generations:generations",
    "match": "streaming.commands.match:match",
    "models": "streaming.commands.models:models",
    "pack": "streaming.commands.packaging:pack",
    "plan": "streaming.commands.plan:plan",
    "prepare": "streaming.commands.packaging:prepare",
    "produce": "producers.cli:produce",
    "replay": "streaming.commands.run:replay",
    "run": "streaming.commands.run:run",
    "similar": "streaming.commands.similar:similar",
    "stack": "streaming.stack.cli:stack_commands",
    "store": "streaming.commands.store:store",
    "topics": "streaming.commands.topics:topics",
    "train": "streaming.commands.train:train",
    "webhook": "producers.webhook_cli:webhook",
}


class _Lazy(click.Group):
    """A group that imports a command when it is named: help should not wait for Spark."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-v", "--verbose", is_flag=True, help="Log what is tried and retried as well.")
@click.version_option(package_name="leitong")
def leitong(*, verbose: bool) -> None:
    """Tell a newsroom, within seconds, whether an article was published before.

    \b
    A first round, without a broker:
      leitong produce --from newsroom:1 --limit 1000 --to file:log/
      leitong run     --source file:log/ --store sqlite:leitong.db --until-caught-up
      leitong export  verdicts --store sqlite:leitong.db --to verdicts.jsonl
    """  # noqa: D301 - click wants the character, not its escape
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.WARNING,
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%H:%M:%S",
    )
    # Py4J logs what a batch raised before we can say it in one line.
    logging.getLogger("py4j").setLevel(logging.ERROR if verbose else logging.CRITICAL)
    for name in ("streaming", "producers"):
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; a user's mistake ends in one line, not in a trace."""
    collecting.seldom()
    try:
        return leitong.main(arguments, prog_name="leitong", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as ending:
        sys.exit(ending.exit_code)
    except LeitongError as error:
        click.echo(f"leitong: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        sys.stderr.close()
        sys.exit(0)
