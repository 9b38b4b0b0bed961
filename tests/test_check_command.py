"""``leitong check`` over SQLite and a file log, as a user meets it."""

import io
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest

from streaming.cli import main
from streaming.errors import StoreError
from streaming.settings import Settings, load
from streaming.store import generations
from streaming.store.opening import open_catalogue, open_index
from streaming.store.sqlite import SQLiteStore
from tests import indexed
from tests.indexed import build, everything, publish

BODY = (
    "市气象台今天上午发布消息说，受冷空气影响，未来三天我市将有一次明显的降温过程。"
    "专家提醒市民出行注意添衣保暖，驾车人士尽量避开早晚高峰时段。"
    "有关部门已经要求各供热企业提前做好准备，确保居民室内温度达到标准。"
    "据介绍，这次冷空气从西伯利亚南下，预计明天夜里抵达本市北部山区。"
    "农业部门建议菜农及时加固大棚，学校可根据天气情况调整户外活动的安排。"
)
OTHER = "足球联赛昨晚结束了第二轮的全部争夺，主队凭借下半场的进球逆转取胜，球迷们彻夜狂欢庆祝。" * 4
SHORT = BODY[: len(BODY) // 3]
AT = ("--at", "2026-01-06")
ARTICLES = (
    {"article_id": "a03", "title": "降温\x9b31m来了", "body": BODY, "source": "agency"},
    {"article_id": "b17", "title": "又降温", "body": BODY.replace("今天", "昨天")},
    {"article_id": "c01", "title": "联赛", "body": OTHER},
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index that holds a report, a copy of it and something else."""
    return build(tmp_path_factory.mktemp("built"), ARTICLES)


@pytest.fixture(autouse=True)
def here(built: Path, no_settings: Path) -> Path:
    """A working directory with that index."""
    shutil.copytree(built, no_settings, dirs_exist_ok=True)
    return no_settings


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    return indexed.told(capsys, "check", *arguments)


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    code, out, _ = told(capsys, *arguments, "--json")
    assert code == 0
    (line,) = out.splitlines()
    found: dict[str, Any] = orjson.loads(line)
    return found


def test_a_text_is_told_what_it_repeats_and_on_what_evidence(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "draft.txt").write_text(f"寒潮\n{BODY}")
    code, out, err = told(capsys, "draft.txt", *AT)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "the draft, published at 2026-01-06T00:00:00.000Z"
    assert lines[1] == "verdict   duplicate of a03"
    assert lines[2] == "compared  2 earlier articles, 2 matches"
    assert "duplicate  a03  shingle  similarity 1.0" in lines
    assert "  first seen 2026-01-05T00:00:00.000Z/articles/00000/00000000000000000000" in lines
    assert any("降温" in line and "(go, agency)" in line for line in lines)
    assert any("overlap 1, " in line for line in lines)
    assert lines[-1].startswith("thresholds  overlap 0.68")
    assert "\x9b" not in out

    found = answer(capsys, "draft.txt", *AT)
    assert (found["duplicate_of"], found["relation"], found["root"]) == ("a03", "duplicate", "a03")
    assert [each[:2] for each in found["matches"]] == [["a03", "duplicate"], ["b17", "duplicate"]]
    assert found["evidence"][1]["article_id"] == "b17"
    assert found["evidence"][1]["title"] == "又降温"
    assert found["evidence"][1]["measures"]["overlap"] == found["matches"][1][2] < 1
    assert (found["article_id"], found["channel"], found["edits"]) == (None, None, False)
    assert found["first_seen"].startswith("2026-01-06T00:00:00.000Z/")


@pytest.mark.parametrize(
    ("sent", "options", "title"),
    [
        (f"寒潮\n{BODY}".encode(), (), "寒潮"),
        (f"寒潮\n{BODY}".encode("gb18030"), (), "寒潮"),
        (f"寒潮\n{BODY}".encode(), ("--title", "降温"), "降温"),
        (BODY.encode(), (), ""),
        (b"\xef\xbb\xbf" + orjson.dumps({"title": "寒潮", "body": f"<p>{BODY}</p>"}), (), "寒潮"),
        (orjson.dumps({"title": "寒潮", "body": BODY}), ("--title", "降温"), "降温"),
        (
            orjson.dumps(
                {
                    "specversion": "1.0",
                    "id": "e1",
                    "source": "/cms",
                    "type": "cn.example.article.created",
                    "subject": "fresh",
                    "data": {"channel": "go", "title": "寒潮", "body": BODY},
                }
            ),
            (),
            "寒潮",
        ),
    ],
)
def test_a_draft_comes_as_text_or_as_json(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    sent: bytes,
    options: tuple[str, ...],
    title: str,
) -> None:
    from streaming import checking  # noqa: PLC0415 - replaced for a moment

    seen = []
    real = checking.check

    def watch(*arguments: Any) -> checking.Answer:
        seen.append(arguments[2].text.title)
        return real(*arguments)

    monkeypatch.setattr(checking, "check", watch)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(sent)))
    assert answer(capsys, "-", *AT, *options)["duplicate_of"] == "a03"
    assert seen == [title]


def test_a_draft_with_the_id_of_an_article_is_an_edit_of_it(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "edit.json").write_bytes(orjson.dumps({"id": "c01", "channel": "php", "body": BODY}))
    found = answer(capsys, "edit.json")
    assert (found["article_id"], found["channel"], found["edits"]) == ("c01", "php", True)
    assert found["first_seen"].startswith("2026-01-05T00:02")
    assert found["duplicate_of"] == "a03"
    (here / "edit.json").write_bytes(orjson.dumps({"id": "a03", "body": BODY}))
    assert answer(capsys, "edit.json")["duplicate_of"] is None, "it stays the original"
    code, _, err = told(capsys, "edit.json", "--at", "2026-01-04")
    assert code == 1
    assert "has an event of 2026-01-05T00:00:00.000Z" in err


def test_the_best_refused_candidate_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    half = BODY[: len(BODY) // 2] + OTHER
    (here / "draft.txt").write_text(half)
    found = answer(capsys, "draft.txt", *AT)
    assert found["reason"]["why"] == "overlap"
    refused = found["evidence"][-1]
    assert (refused["article_id"], refused["relation"]) == (found["reason"]["article_id"], None)
    assert refused["measures"]["overlap"] == refused["similarity"] == found["reason"]["score"]
    _, out, _ = told(capsys, "draft.txt", *AT)
    assert f"refused: overlap  {refused['article_id']}  score {refused['similarity']}" in out


def test_it_is_said_when_the_index_is_not_of_the_time_of_the_draft(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "draft.txt").write_text(BODY)
    code, out, err = told(capsys, "draft.txt", "--at", "2030-01-01")
    assert code == 0
    assert "no earlier article matches" in out
    assert "the latest event in the index is of 2026-01-05T00:02:00.000Z" in err
    assert "--at judges as of another time" in err
    assert answer(capsys, "draft.txt", *AT)["warning"] is None
    assert answer(capsys, "draft.txt", "--at", "2026-01-05T00:00:30")["matches"] == [
        ["a03", "duplicate", 1.0]
    ]


def test_nothing_is_written_and_a_store_that_cannot_be_written_to_serves(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    index = open_index(Settings())
    before = everything(index), generations.read(open_catalogue(Settings()))

    def refuse(*_: Any, **__: Any) -> None:
        raise StoreError("read-only")

    for write in ("mutate", "compare_and_put", "delete_rows", "ensure_tables", "drop_tables"):
        monkeypatch.setattr(SQLiteStore, write, refuse)
    (here / "draft.txt").write_text(BODY)
    (here / "edit.json").write_bytes(orjson.dumps({"id": "c01", "body": BODY}))
    assert answer(capsys, "draft.txt", *AT)["duplicate_of"] == "a03"
    assert answer(capsys, "edit.json")["duplicate_of"] == "a03"
    assert before == (everything(index), generations.read(open_catalogue(Settings())))
    assert all(before[0][table] for table in ("article", "text", "head", "meta"))


def test_the_json_of_a_draft_holds_nothing_that_a_terminal_acts_on(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(
        here / "log", Settings(), [{"article_id": "d\u202e", "title": "\u202e标题", "body": OTHER}]
    )
    (here / "draft.txt").write_text(OTHER)
    for options in ((), ("--json",)):
        _, out, _ = told(capsys, "draft.txt", *AT, *options)
        assert "\u202e" not in out
        assert "\\u202e" in out


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        ('{"body": ', (), "line 1 column 9"),
        ('{"body": []}', (), "body"),
        ("", (), "empty_text"),
        ('{"event": "deleted", "id": "a03"}', (), "only an article can be checked"),
        ('{"event": "released", "id": "a03"}', (), "only an article can be checked"),
        (BODY, ("--set", "matching.scope=channel"), "--channel"),
        (BODY, ("--set", "matching.k=2"), "matching.k: 3 in the index, 2 now"),
        (BODY, ("--store", "sqlite:new.db"), "there is no index"),
        (BODY, ("--generation", "k2"), "there is no index of generation k2"),
        (BODY, ("--at", "noon"), "is no time"),
        (None, (), "draft: cannot be read"),
    ],
)
def test_a_mistake_is_one_sentence_and_no_trace(
    here: Path,
    capsys: pytest.CaptureFixture[str],
    content: str | None,
    options: tuple[str, ...],
    expected: str,
) -> None:
    if content is not None:
        (here / "draft").write_text(content)
    code, out, err = told(capsys, "draft", *options)
    assert code != 0
    assert expected in err
    assert out == ""
    assert "Traceback" not in err


def test_in_a_newsroom_of_channels_the_channel_decides(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "leitong.toml").write_text(
        '[store]\nurl = "sqlite:ch.db"\n[matching]\nscope = "channel"\n'
    )
    publish(here / "log", load().settings, [])
    (here / "draft.txt").write_text(BODY)
    found = {
        channel: answer(capsys, "draft.txt", *AT, "--channel", channel)["duplicate_of"]
        for channel in ("go", "9", "php")
    }
    assert found == {"go": "a03", "9": "a03", "php": None}
    assert answer(capsys, "draft.txt", *AT, "--channel", "9")["channel"] == "go"


def test_an_index_that_was_never_used_says_so(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["store", "init", "--store", "sqlite:empty.db"])
    (here / "draft.txt").write_text(BODY)
    code, _, err = told(capsys, "draft.txt", "--store", "sqlite:empty.db")
    assert code == 1
    assert "there is nothing in the index yet" in err


def test_what_editors_said_and_where_the_story_begins_is_told(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    override = {"event": "not_duplicate", "article_id": "c01", "other_id": "a03"}
    publish(here / "log", Settings(), [override])
    (here / "edit.json").write_bytes(orjson.dumps({"id": "c01", "body": BODY}))
    _, out, _ = told(capsys, "edit.json")
    lines = out.splitlines()
    assert lines[0].startswith("c01, edited; first seen 2026-01-05T00:02")
    assert lines[1:4] == [
        "verdict   duplicate of b17",
        "story     begins with a03",
        "editors   not_duplicate a03",
    ]
    assert "refused: not_duplicate  a03  score 1.0" in lines
