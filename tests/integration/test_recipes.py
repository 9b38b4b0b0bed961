"""What docs/recipes.md tells readers of similar lists to do, done."""

import re
import uuid
from pathlib import Path
from typing import Any

import orjson
import pytest

from streaming import announcements
from streaming.cli import main
from streaming.settings import load
from streaming.similar.scoring import ONE
from streaming.stack.stack import LocalStack
from streaming.store import models, ownership
from streaming.store.opening import open_index
from streaming.store.similar import read_lists
from tests.engine.worlds import batch, deletion, event, index
from tests.indexed import everything, publish
from tests.listed import BODY, EVENTS, version

PAGE = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text(encoding="utf-8")
RECOMMENDATION, CONSUMER = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


def carried_out(recipe: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    exec(compile(recipe, "docs/recipes.md", "exec"), found)  # noqa: S102 - our own page
    return found


def test_lists_are_read_with_happybase_and_asked_about_on_hbase(
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
    recipe = RECOMMENDATION.replace('"127.0.0.1", 9090', f'"{host}", {port}')
    recipe = recipe.replace('"leitong"', f'"{prefix}"')
    assert recipe.count(prefix) == recipe.count(port) == 1
    found = carried_out(recipe)
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
    (shell,) = re.findall(r"```\n(get .*?)```", PAGE, flags=re.DOTALL)
    assert shell.splitlines() == [
        "get 'leitong_main_meta', 'models', 'c:followed'",
        "get 'leitong_main_article_similar', 'a03/v0003-1a2b3c4d'",
    ]


def test_a_consumer_of_verdicts_reads_the_list_in_a_message() -> None:
    similar_in = carried_out(CONSUMER)["similar_in"]
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)
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
