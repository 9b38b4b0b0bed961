"""What an earlier version left behind is gone on with, or refused with the way out.

`make.py` made the archives, run by the code of the version that they are named after.
"""

import zipfile
from pathlib import Path

import jsonschema_rs
import orjson
import pytest

from streaming.exporting import Line
from streaming.filelog import LogRecord, read_records
from streaming.settings import Settings, StoreSettings
from streaming.stack.stack import LocalStack
from streaming.store import ownership
from streaming.store.contract import Mutation
from streaming.store.opening import open_index
from tests.integration.logs import differences, exported, leitong, must_export
from tests.upgrades.make import EVENTS, JUDGED, TOPIC, publish

HERE = Path(__file__).parent
VERSIONS = sorted(path.stem for path in HERE.glob("*.zip"))
MADE_IN = "/srv/leitong"


@pytest.fixture(params=VERSIONS)
def left(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """What that version left, as though it had always been here."""
    with zipfile.ZipFile(HERE / f"{request.param}.zip") as archive:
        archive.extractall(tmp_path)
    seen = tmp_path / "checkpoint.file" / "sources" / "0" / "0"
    seen.write_text(seen.read_text().replace(MADE_IN, str(tmp_path)))
    return tmp_path


def test_a_file_log_is_gone_on_with(left: Path) -> None:
    log = f"file:{left / 'log'}"
    assert goes_on(left, log, "file") == must_export(log, Settings())


def test_a_topic_is_gone_on_with(left: Path, stack: LocalStack) -> None:
    topic = f"kafka://{stack.kafka}/{TOPIC}"
    publish(topic, records(left)[:JUDGED])
    publish(topic, records(left)[JUDGED:])
    assert goes_on(left, topic, "kafka") == must_export(topic, Settings())


def records(left: Path) -> list[LogRecord]:
    found = list(read_records(left / "log"))
    assert len(found) == EVENTS
    return found


def goes_on(left: Path, source: str, name: str) -> dict[str, Line]:
    """Run the query on; gives its verdicts, which readers of that version must understand."""
    places = ("--store", f"sqlite:{name}.db", "--checkpoint", f"checkpoint.{name}")
    run = ("run", "--source", source, *places, "--until-caught-up", "--verdicts", "file:told")
    said = leitong(*run, directory=left).stderr
    # No more than what was not judged: the checkpoint is that of the earlier version.
    assert f"{EVENTS - JUDGED} events" in said
    lines = exported("verdicts", f"sqlite:{name}.db", left)
    understood = jsonschema_rs.validator_for(orjson.loads((left / "verdict.json").read_bytes()))
    told = [orjson.loads(each.value) for each in read_records(left / "told") if each.value]
    assert told
    for verdict in (*lines, *told):
        understood.validate(verdict)
    return {line["article_id"]: line for line in lines}


def test_an_index_of_another_layout_is_refused_with_the_way_out(left: Path) -> None:
    index = open_index(
        Settings(store=StoreSettings(url=f"sqlite:{left / 'file.db'}", generation="main"))
    )
    stamp = ownership.read_stamp(index)
    assert stamp is not None
    earlier = orjson.dumps(stamp | {"layout": 2}, option=orjson.OPT_SORT_KEYS)
    index.mutate("meta", [Mutation(b"index", {b"stamp": earlier})])
    places = ("--store", "sqlite:file.db", "--checkpoint", "checkpoint.file")
    refused = leitong(
        *("run", "--source", "file:log", *places, "--until-caught-up"), directory=left, check=False
    )
    assert refused.returncode == 1
    assert "layout: 2 in the index" in refused.stderr
    assert "leitong replay --into" in refused.stderr
    assert "Traceback" not in refused.stderr
    # Which is one:
    leitong("replay", "--into", "anew", "--source", "file:log", *places[:2], directory=left)
    leitong("generations", "activate", "anew", *places[:2], directory=left)
    lines = exported("verdicts", "sqlite:file.db", left)
    assert not differences(lines, must_export(f"file:{left / 'log'}", Settings()))
