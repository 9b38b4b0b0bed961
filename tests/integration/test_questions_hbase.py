"""Questions to an index in a real HBase: what is asked is answered, and nothing is written."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import orjson
import pytest

from producers.checks import Checks
from producers.webhook import Webhook
from streaming.cli import main
from streaming.events import EventParser
from streaming.serving import Address, Limits, served
from streaming.settings import load
from streaming.stack.stack import LocalStack
from streaming.store.opening import open_index
from tests.indexed import BEGIN_MS, everything, publish

BODY = (
    "市气象台今天上午发布消息说，受冷空气影响，未来三天我市将有一次明显的降温过程。"
    "专家提醒市民出行注意添衣保暖，驾车人士尽量避开早晚高峰时段。"
    "有关部门已经要求各供热企业提前做好准备，确保居民室内温度达到标准。"
)


def test_a_draft_and_a_pair_are_told_of(
    stack: LocalStack, no_settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"hbase://{stack.hbase}/asked-{uuid.uuid4().hex[:6]}?regions=2"
    settings = load(overrides=[("store.url", url, "test")], environment={}).settings
    copy = BODY.replace("今天", "昨天")
    publish(
        no_settings / "log",
        settings,
        [
            {"article_id": "a03", "title": "降温", "body": BODY},
            {"article_id": "b17", "title": "降温", "body": copy},
        ],
    )
    before = everything(open_index(settings))
    (no_settings / "draft.txt").write_text(f"降温\n{BODY}")
    main(["check", "draft.txt", "--at", "2026-01-06", "--json", "--store", url])
    found = orjson.loads(capsys.readouterr().out)
    assert [each[:2] for each in found["matches"]] == [["a03", "duplicate"], ["b17", "duplicate"]]
    assert {each["title"] for each in found["evidence"]} == {"降温"}
    main(["explain", "b17", "a03", "--json", "--store", url])
    found = orjson.loads(capsys.readouterr().out)
    assert (found["relation"], found["visible"], found["stale"]) == ("duplicate", True, False)
    assert ["removed", "今"] in found["difference"]["body"]
    assert everything(open_index(settings)) == before


def test_a_cms_asks_before_it_publishes(stack: LocalStack, no_settings: Path) -> None:
    url = f"hbase://{stack.hbase}/drafts-{uuid.uuid4().hex[:6]}?regions=2"
    settings = load(overrides=[("store.url", url, "test")], environment={}).settings
    publish(no_settings / "log", settings, [{"article_id": "a03", "title": "降温", "body": BODY}])
    checks = Checks(settings, clock=lambda: (BEGIN_MS + 3_600_000) / 1000)
    checks.open()
    before = everything(open_index(settings))
    app = Webhook(None, EventParser(), None, 100_000, checks=checks)
    with served(app, Address("127.0.0.1", 0), Limits(body_bytes=100_000)) as where:

        def asked(number: int) -> Any:
            draft = orjson.dumps({"body": BODY.replace("今天", f"{number}日")})
            json = {"Content-Type": "application/json"}
            with urlopen(Request(f"http://{where}/check", draft, json)) as answer:
                return orjson.loads(answer.read())

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(asked, range(1, 30)))
    assert [each["duplicate_of"] for each in answers] == ["a03"] * 29
    assert everything(open_index(settings)) == before
    checks.close()
