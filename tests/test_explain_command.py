"""``leitong explain`` over SQLite and a file log, as a user meets it."""

import io
import shutil
import unicodedata
from pathlib import Path
from typing import Any

import orjson
import pytest
from rich.console import Console

from streaming import explainview
from streaming.differences import Change, Passage
from streaming.engine.put import TEXTS
from streaming.errors import StoreError
from streaming.settings import Settings
from streaming.store import keys
from streaming.store.opening import open_index
from streaming.store.sqlite import SQLiteStore
from streaming.text.normalise import normalise
from tests import indexed
from tests.indexed import build, everything

BODY = (
    "市气象台今天上午发布消息说，受冷空气影响，未来三天我市将有一次明显的降温过程。"
    "专家提醒市民出行注意添衣保暖，驾车人士尽量避开早晚高峰时段。"
    "有关部门已经要求各供热企业提前做好准备，确保居民室内温度达到标准。"
    "据介绍，这次冷空气从西伯利亚南下，预计明天夜里抵达本市北部山区。"
    "农业部门建议菜农及时加固大棚，学校可根据天气情况调整户外活动的安排。"
)
OTHER = "足球联赛昨晚结束了第二轮的全部争夺，主队凭借下半场的进球逆转取胜，球迷们彻夜狂欢庆祝。" * 4
EVENTS = (
    {"article_id": "a03", "title": "降温\ue000来了", "body": BODY},
    {"article_id": "b17", "title": "降温", "body": BODY.replace("今天", "昨天")},
    {"article_id": "c01", "title": "联赛", "body": OTHER},
    {"article_id": "gone", "title": "联赛", "body": OTHER},
    {"article_id": "gone", "event": "deleted"},
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("built"), EVENTS)


@pytest.fixture(autouse=True)
def here(built: Path, no_settings: Path) -> Path:
    """A working directory with an index of a report, a copy of it and something else."""
    shutil.copytree(built, no_settings, dirs_exist_ok=True)
    return no_settings


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    return indexed.told(capsys, "explain", *arguments)


def in_colours(passages: list[Passage], **console: Any) -> str:
    out = io.StringIO()
    Console(file=out, **console).print(explainview.styled(passages, marks=False), soft_wrap=True)
    return out.getvalue()


def test_everything_between_two_articles_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = told(capsys, "b17", "a03")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "earlier     a03  (go)"
    assert lines[1] == "            降温\\ue000来了"
    assert lines[4] == "later       b17  (go)"
    assert any(line.endswith("bits between the fingerprints, near are at most 3") for line in lines)
    measured = {line.split()[0]: line for line in lines if line.startswith("  ") and "thre" in line}
    assert measured["overlap"].endswith("overlap 0.68, brief_excerpt 0.8, short_overlap 0.93")
    assert any(line.startswith("relation    b17: duplicate of a03") for line in lines)
    assert any(line.startswith("compared    yes: b17 sees a03 under ") for line in lines)
    assert any(line.startswith("verdict     of b17: a03 is duplicate_of, match") for line in lines)
    assert "verdict     of a03: does not name b17" in lines
    body = lines[lines.index("body") + 1]
    assert body.startswith("市气象台[-今-]{+昨+}天上午发布")
    assert not {"Cc", "Cf", "Co"} & {unicodedata.category(each) for each in out.replace("\n", "")}


def test_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(capsys, "a03", "b17", "--json")
    assert code == 0
    assert "\ue000" not in out
    (line,) = out.splitlines()
    found = orjson.loads(line)
    assert (found["earlier"]["article_id"], found["later"]["article_id"]) == ("a03", "b17")
    assert (found["relation"], found["visible"], found["stale"]) == ("duplicate", True, False)
    assert found["verdict_of_later"]["duplicate_of"] is True
    assert found["thresholds"]["excerpt"] == 0.65
    title, body = found["difference"]["title"], found["difference"]["body"]
    assert "".join(text for change, text in title if change != "added") == "降温\ue000来了"
    assert "".join(text for change, text in body if change != "added") == normalise(BODY)
    without = orjson.loads(told(capsys, "a03", "b17", "--json", "--no-diff")[1])
    assert without == {name: value for name, value in found.items() if name != "difference"}


def test_two_that_have_nothing_in_common(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = told(capsys, "a03", "c01", "--no-diff")
    assert "relation    none between c01 and a03: overlap" in out
    assert "by the check overlap" in out
    assert "compared    no: they share no shingle" in out
    assert "body" not in out.splitlines()


def test_colours_are_for_terminals_and_texts_cannot_bring_their_own() -> None:
    passages = [
        Passage(Change.SAME, "[red]同\x1b[2J\n"),
        Passage(Change.REMOVED, "旧\x9b31m"),
        Passage(Change.ADDED, "新\r"),
    ]
    coloured = in_colours(passages, force_terminal=True, color_system="standard")
    assert "\x1b[9;31m旧\\x9b31m\x1b[0m\x1b[4;32m新\\x0d\x1b[0m" in coloured
    assert coloured.startswith("[red]同\\x1b[2J\n")
    assert "\x1b" not in in_colours(passages, force_terminal=False)


def test_what_is_the_same_is_cut_in_the_middle() -> None:
    same = "甲" * 500
    changed = Passage(Change.ADDED, "新")
    shown = explainview.styled([Passage(Change.SAME, same), changed], marks=True).plain
    assert shown == f" ...440 characters the same... {'甲' * 60}{{+新+}}"
    middle = [changed, Passage(Change.SAME, same), changed]
    shown = explainview.styled(middle, marks=True).plain
    assert "甲" * 60 + " ...380 characters the same... " + "甲" * 60 in shown
    short = [changed, Passage(Change.SAME, same[:180]), changed]
    assert "..." not in explainview.styled(short, marks=True).plain


def test_nothing_is_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(open_index(Settings()))

    def refuse(*_: Any, **__: Any) -> None:
        raise StoreError("read-only")

    for write in ("mutate", "compare_and_put", "delete_rows", "ensure_tables", "drop_tables"):
        monkeypatch.setattr(SQLiteStore, write, refuse)
    assert told(capsys, "a03", "b17")[0] == 0
    assert everything(open_index(Settings())) == before


def test_a_text_that_is_not_kept_cannot_be_compared(capsys: pytest.CaptureFixture[str]) -> None:
    open_index(Settings()).delete_rows(TEXTS, [keys.article("a03")])
    code, out, err = told(capsys, "a03", "b17")
    assert (code, out) == (1, "")
    assert "the text of 'a03' is not kept" in err
    code, out, _ = told(capsys, "a03", "b17", "--no-diff")
    assert code == 0
    assert "text not kept" in out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("a03", "nobody"), "there is no article 'nobody'"),
        (("a03", "gone"), "article 'gone' was deleted at 2026-01-05T00:04:00.000Z"),
        (("a03", "a03"), "A and B are one article"),
        (("a03",), "Missing argument 'B'"),
        (("a03", "b17", "--set", "matching.k=2"), "matching.k: 3 in the index, 2 now"),
        (("a03", "b17", "--store", "sqlite:new.db"), "there is no index"),
    ],
)
def test_a_mistake_is_one_sentence_and_no_trace(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], expected: str
) -> None:
    code, out, err = told(capsys, *arguments)
    assert code != 0
    assert out == ""
    assert expected in err
    assert "Traceback" not in err
