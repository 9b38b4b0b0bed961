"""`leitong plan --store` on a real HBase."""

import random
import uuid
from pathlib import Path

import orjson
import pytest

from streaming.settings import load
from streaming.stack.stack import LocalStack
from streaming.store.opening import open_catalogue, open_index
from streaming.store.tables import CATALOGUE, TABLES
from tests.indexed import publish, told
from tests.offline.made import sentences


def test_an_index_in_hbase_is_measured(
    stack: LocalStack, no_settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"hbase://{stack.hbase}/plan-{uuid.uuid4().hex[:6]}?admin=none&compression=none"
    settings = load(overrides=[("store.url", url, "test")], environment={}).settings
    rng = random.Random(1)
    events = [
        {"article_id": f"a{n}", "title": "", "body": "".join(sentences(rng, 10))}
        for n in range(600)
    ]
    publish(no_settings / "log", settings, events)
    code, out, err = told(capsys, "plan", "--json", "--articles", "600", "--store", url)
    assert code == 0, err
    found = orjson.loads(out)
    index = open_index(settings)
    rows = {name: sum(1 for _ in index.scan(name)) for name in ("article", "head", "bucket")}
    tables = found["schemes"]["4 choose 1"]["tables"]
    assert found["store"] == "hbase"
    assert {name: tables[name]["rows"] for name in rows} == pytest.approx(rows, rel=0.05)
    index.drop_tables(TABLES)
    open_catalogue(settings).drop_tables([CATALOGUE])
