"""What docs/recipes.md tells readers of verdicts and lists to do, done on real servers."""

import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import orjson
import pytest

from streaming import announcements
from streaming.cli import main
from streaming.query.announce import Announcer
from streaming.settings import load
from streaming.similar.scoring import ONE
from streaming.stack.jars import spark_kafka_jars
from streaming.stack.stack import LocalStack
from streaming.store import models, ownership
from streaming.store.opening import open_index
from streaming.store.similar import read_lists
from tests.engine.worlds import batch, deletion, event, index
from tests.indexed import everything, publish
from tests.listed import BODY, EVENTS, version
from tests.pages import DOCS, block

PAGE = DOCS / "recipes.md"
SPARK = "Spark"
KAFKA_PYTHON = "kafka-python"
IN_A_VERDICT = "Similar lists in a verdict"


def carried_out(recipe: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    exec(compile(recipe, "docs/recipes.md", "exec"), found)  # noqa: S102 - our own page
    return found


def adapted(recipe: str, **places: str) -> str:
    """A recipe for the test's own servers; each place has to be in it exactly once."""
    for before, after in places.items():
        assert recipe.count(before) == 1, before
        recipe = recipe.replace(before, after)
    return recipe


def in_jshell(section: str, jars: str, directory: Path, **places: str) -> str:
    """Save the script of a section and run it as the page says; gives what it prints."""
    assert shutil.which("jshell"), "jshell is needed: apt-get install openjdk-17-jdk-headless"
    script, command = block(PAGE, "java", section), block(PAGE, "sh", section)
    (directory / command.split()[-1]).write_text(adapted(script, **places))
    command = adapted(
        command,
        **{f"leitong stack jars {jars}": f"{sys.executable} -m streaming stack jars {jars}"},
    )
    done = subprocess.run(
        ["bash", "-euc", command],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def in_order(printed: list[str]) -> list[str]:
    """By article: only within one is the order of messages kept, since its partition is one."""
    return sorted(printed, key=lambda line: line.split()[0])


@pytest.fixture(scope="module")
def topic(stack: LocalStack) -> str:
    """What a query says: b and c repeat a, c is deleted; and late, one that lost its index."""
    name = f"verdicts-{uuid.uuid4().hex[:6]}"
    announcer = Announcer(f"kafka://{stack.kafka}/{name}", "verdicts", {})
    store = index()
    late: list[announcements.Message] = []
    for events in ([event("a", 5), event("b", 6), event("c", 7)], [deletion("c", 8)]):
        judged = batch(store, events)
        token = ownership.next_token(store)
        due = [each for item in judged if (each := announcements.due(item, token))]
        late = late or [each.message for each in due if each.article == "c"]
        announcements.deliver(store, token, due, announcer.send, None)
    assert len(late) == 1
    announcer.send(late)
    announcer.close()
    return name


def test_verdicts_are_read_with_kafka_python(
    stack: LocalStack, topic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = block(PAGE, "python", KAFKA_PYTHON)
    places = {"127.0.0.1:9092": str(stack.kafka), '"verdicts",': f'"{topic}",'}
    found = carried_out(adapted(recipe, **places))
    verdicts = found["verdicts"]
    assert {name: said and said["duplicate_of"] for name, said in verdicts.items()} == {
        "a": None, "b": "a", "c": None,
    }  # fmt: skip
    assert verdicts["c"] is None
    printed = capsys.readouterr().out.splitlines()
    assert in_order(printed) == [
        "b repeats a duplicate 1.0",
        "c repeats a duplicate 1.0",
        "c is gone",
    ]


def test_verdicts_are_read_with_spark(stack: LocalStack, topic: str, tmp_path: Path) -> None:
    recipe = block(PAGE, "python", SPARK)
    packages = '"spark.jars.packages", "org.apache.spark:spark-sql-kafka-0-10_2.13:4.0.0"'
    jars = ",".join(str(jar) for jar in spark_kafka_jars())
    places = {
        packages: f'"spark.jars", "{jars}"',
        "127.0.0.1:9092": str(stack.kafka),
        '"subscribe", "verdicts"': f'"subscribe", "{topic}"',
    }
    script = (
        adapted(recipe, **places) + "\nprint(sorted(tuple(row[:3]) for row in table.collect()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *shown, rows = done.stdout.splitlines()
    assert rows == "[('a', None, None), ('b', 'a', 'duplicate')]"
    assert [line for line in shown if line.startswith("|b ")]
    assert not [line for line in shown if line.startswith(("|a ", "|c "))]


def test_verdicts_are_read_in_jshell(stack: LocalStack, topic: str, tmp_path: Path) -> None:
    places = {"127.0.0.1:9092": str(stack.kafka), '"verdicts"': f'"{topic}"'}
    printed = in_jshell("Verdicts from Kafka", "kafka", tmp_path, **places).splitlines()
    assert in_order(printed) == ["b repeats a", "c repeats a", "c is gone"]


def test_lists_are_read_with_happybase_and_hbase_s_own_client_and_asked_about(
    stack: LocalStack, no_settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix = f"recipes-{uuid.uuid4().hex[:6]}"
    url = f"hbase://{stack.hbase}/{prefix}?regions=2"
    version(no_settings, "first")
    given = {"store.url": url, "query.models": "models", "query.views": "views"}
    overrides = [(name, value, "test") for name, value in given.items()]
    settings = load(overrides=overrides, environment={}).settings
    publish(no_settings / "log", settings, EVENTS)
    store = open_index(settings)
    before = everything(store)
    model = models.read(store).followed or ""
    served = read_lists(store, model, ["a03", "e05"])
    host, _, port = str(stack.hbase).partition(":")
    places = {'"127.0.0.1", 9090': f'"{host}", {port}', '"leitong"': f'"{prefix}"'}
    found = carried_out(adapted(block(PAGE, "python", "happybase"), **places))
    printed = capsys.readouterr().out
    similar, connection = found["similar_articles"], found["connection"]
    assert found["model"] == model
    expected = sorted(served["a03"].items(), key=lambda pair: -pair[1])
    assert len(expected) == 3
    assert similar(connection, "a03", model) == [(name, points / ONE) for name, points in expected]
    assert printed == f"{similar(connection, 'a03', model)}\n"
    assert similar(connection, "a03", model, count=1) == similar(connection, "a03", model)[:1]
    assert similar(connection, "e05", model) == similar(connection, "nobody", model) == []
    connection.close()

    places = {'"2181"': f'"{stack.ports.zookeeper}"', '"leitong_main_"': f'"{prefix}_main_"'}
    told = in_jshell("Similar lists from HBase", "hbase", no_settings, **places).splitlines()
    assert [line.split(" ")[0] for line in told] == [name for name, _ in expected]
    assert [float(line.split(" ")[1]) for line in told] == [points / ONE for _, points in expected]

    asked = ("--json", "--store", url, "--models", "models", "--set", "query.views=views")
    for by in ("lists", "vector", "keywords", "simhash", "tfidf"):
        main(["similar", "a03", "--by", by, *asked])
        answer = orjson.loads(capsys.readouterr().out)
        assert answer["similar"][0]["article_id"] == "b17"
        assert answer["similar"][0]["keywords"]
    (no_settings / "draft.txt").write_text(f"降温\n{BODY}")
    main(["check", "draft.txt", "--channel", "go", "--at", "2026-01-06", *asked])
    answer = orjson.loads(capsys.readouterr().out)
    assert {"a03", "b17"} < {name for name, _ in answer["similar"]["articles"]}
    assert everything(store) == before


def test_the_shell_is_told_the_same_rows() -> None:
    assert block(PAGE, "ruby", "HBase shell").splitlines() == [
        "get 'leitong_main_meta', 'models', 'c:followed'",
        "get 'leitong_main_article_similar', 'a03/v0003-1a2b3c4d'",
    ]


def test_a_consumer_of_verdicts_reads_the_list_in_a_message() -> None:
    similar_in = carried_out(block(PAGE, "python", IN_A_VERDICT))["similar_in"]
    example = block(PAGE, "json", IN_A_VERDICT)
    assert similar_in(example) == [("a03", 0.912345), ("c01", 0.364)]
    store = index()
    (judged,) = batch(store, [event("a", 5)])
    token = ownership.next_token(store)
    announced = announcements.due(judged, token)
    assert announced is not None
    assert similar_in(announced.message.value) == []
    cell = orjson.dumps({"model": "v0001-0", "articles": [["b", 0.5]]})
    assert similar_in(announcements.with_similar(announced, cell).message.value) == [("b", 0.5)]
    sent: list[announcements.Message] = []
    announcements.deliver(store, token, [announced], sent.extend, None)
    (judged,) = batch(store, [deletion("a", 6)])
    gone = announcements.due(judged, ownership.next_token(store))
    assert gone is not None
    assert similar_in(announcements.with_similar(gone, cell).message.value) == []
