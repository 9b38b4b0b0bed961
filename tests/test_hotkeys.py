from pathlib import Path

import orjson
import pytest

from streaming.exporting import exports
from streaming.settings import Settings, load
from streaming.store.opening import open_index
from tests.faults.expected import differing, expected_exports
from tests.indexed import publish

DISCLAIMER = "本报对转载内容的真实性不作任何担保"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    chosen = {"store.url": f"sqlite:{tmp_path}/index.db", "matching.visible": "2"}
    return load(
        overrides=[(key, value, "test") for key, value in chosen.items()], environment={}
    ).settings


def story(number: int) -> str:
    words = "".join(chr(0x4E00 + 37 * number + 5 * place) for place in range(30))
    return f"{words[:15]}，{words[15:]}。{DISCLAIMER}。"


def test_a_disclaimer_is_listed_with_its_words(tmp_path: Path, settings: Settings) -> None:
    events = [{"id": f"a{n}", "title": "", "body": story(n)} for n in range(8)]
    events += [{"id": "a0", "event": "deleted"}, {"id": "a1", "body": story(9)}]
    publish(tmp_path / "log", settings, events)
    lines = exports(visible=2)["hot-keys"](open_index(settings))
    (found,) = (line for line in lines if line["text"] == " ".join(DISCLAIMER))
    assert (found["tier"], found["articles"]) == ("shingle", 8)
    assert found["examples"] == ["a0", "a1", "a2"]


def test_the_list_is_what_the_log_demands(tmp_path: Path, settings: Settings) -> None:
    events = [{"id": f"a{n % 9}", "title": "三则简讯", "body": story(n % 7)} for n in range(20)]
    publish(tmp_path / "log", settings, events)
    wanted = expected_exports(f"file:{tmp_path}/log", settings)["hot-keys"]
    assert len(wanted) > 3
    lines = exports(visible=2)["hot-keys"](open_index(settings))
    exported = b"".join(orjson.dumps(line) + b"\n" for line in lines)
    assert differing("hot-keys", exported, wanted) == []
