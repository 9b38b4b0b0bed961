"""Every example of the documentation is read as what it says it is; commands, by the program."""

import base64
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import orjson
import pytest
import yaml

import schemas
from producers.committing import Committer
from producers.signing import Secrets
from producers.webhook import Webhook
from streaming.alerts import Alert
from streaming.cli import leitong
from streaming.commands.match import match
from streaming.durations import parse
from streaming.errors import SettingsError
from streaming.events import EventParser, parser_of
from streaming.matching.verification import DEFAULT_THRESHOLDS
from streaming.offline.pairs import read_pairs
from streaming.reasons import Rejected
from streaming.serving import Address, served
from streaming.settings import Settings, load
from streaming.sinks import MemorySink
from streaming.store.urls import open_store
from streaming.thresholds import write_thresholds
from streaming.urls import LogUrl
from tests.pages import DOCS, README, ROOT, Block, block, blocks, commands, pages

LOGIN_FILE = "/run/secrets/kafka-login"
OURS = {"leitong", ".venv/bin/leitong"}


def of(*languages: str) -> pytest.MarkDecorator:
    found = [each for page in pages() for each in blocks(page) if each.language in languages]
    assert found
    return pytest.mark.parametrize("example", found, ids=str)


def parsed(words: list[str]) -> click.Context:
    """What the program makes of a command line, without running it."""
    command: click.Command = leitong
    context, name, rest = None, "leitong", words[1:]
    while True:
        context = command.make_context(name, list(rest), parent=context)
        if not isinstance(command, click.Group):
            return context
        found = command.resolve_command(context, [*context._protected_args, *context.args])
        name, command, rest = found[0] or "", found[1] or command, found[2]


@pytest.fixture
def any_file(no_settings: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files that examples name need not be there, but for those that settings read."""
    monkeypatch.setattr(click.Path, "convert", lambda _self, value, _param, _context: Path(value))
    write_thresholds(no_settings / "thresholds.toml", DEFAULT_THRESHOLDS, {})
    return no_settings


@of("sh")
@pytest.mark.usefixtures("any_file")
def test_commands_are_such_that_the_program_takes_them(example: Block) -> None:
    shell = subprocess.run(
        ["bash", "-n"], input=example.text, capture_output=True, text=True, check=False
    )
    assert (shell.returncode, shell.stderr) == (0, "")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = list(commands(example.text))
    assert found
    for words in found:
        if words[0] == "make":
            assert all(f"\n{target}:" in makefile for target in words[1:])
        elif words[0] in OURS:
            confirm(parsed(words))


def confirm(context: click.Context) -> None:
    """Look at what the program looks at once it runs: addresses, durations, settings."""
    for name, value in context.params.items():
        for each in value if isinstance(value, tuple) else (value,):
            if re.match("(kafka|file):", str(each)):
                LogUrl.parse(str(each))
            elif re.match("(hbase|sqlite):", str(each)):
                open_store(str(each))
        if name in {"trigger", "window", "half_life"} and isinstance(value, str):
            parse(value)
    pairs = [each.split("=", 1) for each in context.params.get("assignments") or ()]
    load(overrides=[(key, value, "--set") for key, value in pairs], environment={})


@pytest.mark.usefixtures("any_file")
@pytest.mark.parametrize(
    "line",
    [
        "leitong run --sauce file:log",
        "leitong export verdict",
        "leitong stack start",
        "leitong produce --from a.jsonl",
        "leitong run --source kafka://127.0.0.1/",
        "leitong run --trigger 1x",
        "leitong run --set matching.kk=1",
        "cat a | leitong check",
        'echo "$(leitong stack jars zookeeper)"',
    ],
)
def test_a_command_that_the_program_would_refuse_is_seen(line: str) -> None:
    ours = [words for words in commands(line) if words[0] in OURS]
    assert len(ours) == 1
    with pytest.raises((click.UsageError, SettingsError, ValueError)):
        confirm(parsed(ours[0]))


def test_every_command_is_told_of_in_the_readme() -> None:
    text = README.read_text(encoding="utf-8")
    context = click.Context(leitong)
    assert [
        name for name in leitong.list_commands(context) if f"| `leitong {name}" not in text
    ] == []


@of("toml")
def test_settings_can_be_read(example: Block, tmp_path: Path) -> None:
    login = tmp_path / "login"
    kind = "scram.Scram" if "SCRAM" in example.text else "plain.Plain"
    login.write_text(
        f'org.apache.kafka.common.security.{kind}LoginModule required username="a" password="b";'
    )
    file = tmp_path / "leitong.toml"
    file.write_text(example.text.replace(LOGIN_FILE, str(login)), encoding="utf-8")
    assert load(file, environment={}).origins


@of("yaml")
def test_yaml_can_be_read_and_names_files_that_there_are(example: Block) -> None:
    documents = list(yaml.safe_load_all(example.text))
    assert all(documents)
    named = re.findall(r"deploy/[\w./-]+", example.text)
    assert [name for name in named if not (ROOT / name).exists()] == []


def documents(text: str) -> Iterator[Any]:
    """JSON documents one after the other, each on as many lines as it likes."""
    rest = text.strip()
    while rest:
        document, end = json.JSONDecoder().raw_decode(rest)
        yield document
        rest = rest[end:].lstrip()


@of("json")
def test_json_is_what_the_program_reads_or_writes(example: Block, tmp_path: Path) -> None:
    found = list(documents(example.text))
    assert found
    for document in found:
        if "id1" in document:
            file = tmp_path / "pairs.jsonl"
            file.write_bytes(orjson.dumps(document))
            assert len(read_pairs(file)) == 1
        elif "left" in document:
            assert example.text.strip() in (match.help or "")
        elif "rule" in document:
            told = Alert(document["rule"], document["subject"], document["message"])
            assert told.severity == document["severity"]
            assert set(document) == {*told.fields(), "state", "at_ms"}
        elif "first_seen" in document:
            assert list(schemas.violations("verdict", document)) == []
        else:
            answer = parser_of(Settings()).parse(orjson.dumps(document))
            assert not isinstance(answer, Rejected), str(answer)


@of("python")
def test_python_compiles(example: Block) -> None:
    compile(example.text, str(example), "exec")


def test_the_webhook_believes_what_the_page_signs() -> None:
    found: dict[str, Any] = {}
    exec(block(DOCS / "webhook.md", "python", "Signing"), found)  # noqa: S102 - our own page
    key = b"n" * 32
    log = MemorySink()
    committer = Committer(lambda: log, 8, 5.0)
    app = Webhook(committer, EventParser(), Secrets([key]), 50_000)
    body = orjson.dumps({"article_id": "a", "channel": "go", "title": "t", "body": "b"})
    try:
        with served(app, Address("127.0.0.1", 0)) as where:
            assert (
                found["post"](f"http://{where}/events", base64.b64encode(key).decode(), body) == 200
            )
    finally:
        committer.close()
    assert len(log.messages) == 1
