"""The dashboard over a real HBase tells what it tells over SQLite, and writes nothing."""

import uuid
from pathlib import Path

from streaming.stack.stack import LocalStack
from streaming.store.opening import open_index
from tests.dashboard.asking import asked, dashboard, fill, settings_of
from tests.indexed import everything

VIEWS = ("rates", "stories", "story/b17", "article/c/1 é?", "dead-letters")


def test_both_stores_tell_the_same(stack: LocalStack, tmp_path: Path) -> None:
    urls = (
        f"hbase://{stack.hbase}/shown-{uuid.uuid4().hex[:6]}?regions=2",
        f"sqlite:{tmp_path / 'leitong.db'}",
    )
    told = []
    for number, url in enumerate(urls):
        here = tmp_path / str(number)
        here.mkdir()
        settings = settings_of(url)
        fill(here, settings)
        app = dashboard(settings)
        before = everything(open_index(settings))
        answers = [asked(app, view) for view in VIEWS]
        answers.append(asked(app, "pair", a="a03", b="b17"))
        answers.append(asked(app, "search", q="降温"))
        answers.append(asked(app, "now")["dead_letters"])
        assert everything(open_index(settings)) == before
        told.append(answers)
    assert told[0] == told[1]
