"""Events and messages of the next version of the schemas, and of the last: each is read by both.

The next version is this one with more fields that need not be there, which is all that a
version with the same first number may bring.
"""

import json
import os
import shutil
import sys
import uuid
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas
from streaming.events import Event, EventParser
from streaming.stack.stack import LocalStack
from tests.integration.logs import printed, publish
from tests.newsfeed import Message, simulated

REPOSITORY = Path(__file__).parents[2]
DESK = {"description": "Who is in charge of it.", "type": ["string", "null"]}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
NEW_FIELDS = st.dictionaries(st.sampled_from(["desk", "tags", "op", "after", "版面"]), JSON)
PARSER = EventParser({"18": "python"})
EVENTS: tuple[dict[str, Any], ...] = (
    {
        "article_id": "a",
        "channel": 18,
        "title": "标题",
        "body": "正文",
        "published_at": 1_767_571_200,
    },
    {"event": "deleted", "article_id": "a"},
    {"event": "not_duplicate", "article_id": "b", "other_id": "a"},
)


@pytest.fixture(scope="module")
def next_version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory whose schemas are those of the next version."""
    home = tmp_path_factory.mktemp("next")
    shutil.copytree(REPOSITORY / "schemas", home / "schemas")
    event = schemas.load("article-event")
    extended = orjson.loads(orjson.dumps(event))
    extended["$defs"]["article"]["properties"]["desk"] = DESK
    (home / "schemas" / "article-event.json").write_bytes(orjson.dumps(extended))
    return home


def in_next(home: Path, *arguments: str, cwd: Path) -> str:
    """Run Python where the schemas are those of the next version."""
    path = os.pathsep.join([str(home), str(REPOSITORY)])
    return printed([sys.executable, *arguments], cwd, os.environ | {"PYTHONPATH": path})


@given(st.sampled_from(EVENTS), NEW_FIELDS)
def test_fields_of_the_next_version_are_passed_over(
    event: dict[str, Any], more: dict[str, Any]
) -> None:
    known = PARSER.parse(orjson.dumps(event))
    assert isinstance(known, Event)
    for document in (more | event, event | more):
        assert PARSER.parse(json.dumps(document).encode()) == known


def test_the_next_version_reads_the_events_of_this_one(next_version: Path, tmp_path: Path) -> None:
    assert PARSER.parse(orjson.dumps(EVENTS[0] | {"desk": 7})) == PARSER.parse(
        orjson.dumps(EVENTS[0])
    )
    script = (
        "import orjson, sys; from streaming.events import EventParser\n"
        "parser = EventParser({'18': 'python'})\n"
        "for event in orjson.loads(sys.argv[1]): print(parser.parse(orjson.dumps(event)))"
    )
    misfit = EVENTS[0] | {"desk": 7}
    said = in_next(
        next_version, "-c", script, orjson.dumps([*EVENTS, misfit]).decode(), cwd=tmp_path
    ).splitlines()
    assert said[:-1] == [str(PARSER.parse(orjson.dumps(event))) for event in EVENTS]
    # So it was the next version that read them.
    assert said[-1].startswith("schema: desk:")


@pytest.mark.parametrize("name", schemas.NAMES)
def test_readers_may_check_messages_of_the_next_version(name: str) -> None:
    assert b'"additionalProperties":false' not in orjson.dumps(schemas.load(name))


def framed(number: int, message: Message, more: dict[str, Any]) -> Message:
    """A message as a schema registry's serializer writes it, under the number of its schema."""
    value = orjson.dumps(orjson.loads(message.value) | more)
    return Message(message.key, b"\0" + number.to_bytes(4) + value)


def test_a_replay_across_the_change_gives_the_same(
    stack: LocalStack, next_version: Path, tmp_path: Path
) -> None:
    topic = f"kafka://{stack.kafka}/evolving-{uuid.uuid4().hex[:6]}"
    feed = simulated(160)
    publish(topic, [framed(1, each, {}) for each in feed[:80]])
    publish(topic, [framed(2, each, {"desk": "要闻", "tags": [1]}) for each in feed[80:]])
    exports = []
    for home, command in (
        (REPOSITORY, ("run", "--until-caught-up")),
        (next_version, ("replay", "--from-beginning")),
        (next_version, ("replay", "--into", "anew")),
    ):
        places = ("--store", "sqlite:index.db")
        in_next(home, "-m", "streaming", *command, "--source", topic, *places, cwd=tmp_path)
        said = in_next(
            *(home, "-m", "streaming", "export", "verdicts", "--to", "verdicts.jsonl", *places),
            *(("--generation", "anew") if "--into" in command else ()),
            cwd=tmp_path,
        )
        exports.append((tmp_path / "verdicts.jsonl").read_bytes())
        assert "Traceback" not in said
    assert len(exports[0].splitlines()) > 100
    assert exports == exports[:1] * 3
