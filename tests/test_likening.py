"""``leitong check`` with models at hand: what a draft would be like, and what goes without."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from streaming.engine.put import TEXTS
from streaming.errors import StoreError
from streaming.settings import Settings, load
from streaming.similar.scoring import ONE
from streaming.store import keys, models
from streaming.store.opening import open_index
from streaming.store.similar import read_lists
from streaming.store.sqlite import SQLiteStore
from tests import indexed
from tests.indexed import build, everything, publish
from tests.listed import BODY, EVENTS, SNOW, version

MODELS = ("--models", "models")
AT = ("--at", "2026-01-05T00:07", "--channel", "go")


@pytest.fixture(autouse=True)
def here(with_lists: Path) -> Path:
    """A working directory with an index of `EVENTS` that has lists, and with a draft."""
    (with_lists / "draft.txt").write_text(f"大雪\n{SNOW}")
    return with_lists


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    return indexed.told(capsys, "check", *arguments)


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    code, out, err = told(capsys, *arguments, "--json")
    assert (code, err) == (0, "")
    found: dict[str, Any] = orjson.loads(out)
    return found


def served(article: str) -> list[tuple[str, float]]:
    store = open_index(Settings())
    scores = read_lists(store, models.read(store).followed or "", [article])[article]
    return sorted(
        ((name, points / ONE) for name, points in scores.items()), key=lambda each: -each[1]
    )


def test_a_draft_is_told_the_list_that_it_would_have(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answer(capsys, "draft.txt", *AT, *MODELS)
    settings = load(overrides=[("query.models", "models", "test")], environment={}).settings
    publish(here / "log", settings, [{"article_id": "new", "title": "大雪", "body": SNOW}])
    expected = served("new")
    assert len(expected) == 4
    assert [tuple(each) for each in found["similar"]["articles"]] == expected
    assert found["similar"]["model"] == models.read(open_index(Settings())).followed
    configured = answer(capsys, "draft.txt", *AT, "--set", "query.models=models")
    assert ["new", 1.0] not in found["similar"]["articles"]
    assert ["new", 1.0] in configured["similar"]["articles"]


def test_without_models_nothing_is_said_and_with_them_only_that_is_added(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plain, more = answer(capsys, "draft.txt", *AT), answer(capsys, "draft.txt", *AT, *MODELS)
    assert more == plain | {"similar": more["similar"]}
    assert "similar" not in plain
    _, before, _ = told(capsys, "draft.txt", *AT)
    code, out, err = told(capsys, "draft.txt", *AT, *MODELS)
    assert (code, err) == (0, "")
    assert out.startswith(before)
    lines = out.removeprefix(before).splitlines()
    assert lines[:2] == ["", f"like it, under {more['similar']['model']}"]
    for line, (name, points) in zip(lines[2:], more["similar"]["articles"], strict=True):
        shown = name.replace("\u200f", "\\u200f")
        assert line.startswith(f"  {points:.6f}  {shown}  ")
    assert any(line.endswith("  b17  降温31m\\ue000通知") for line in lines)
    assert "\u200f" not in out


def test_an_edit_is_like_what_was_before_its_article_and_not_like_itself(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit = {"id": "b17", "channel": "go", "title": "大雪", "body": SNOW}
    (here / "edit.json").write_bytes(orjson.dumps(edit))
    found = answer(capsys, "edit.json", *MODELS)
    assert found["edits"]
    assert [name for name, _ in found["similar"]["articles"]] == ["a03"]


def test_when_a_draft_was_published_counts(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draft = {"channel": "go", "title": "大雪", "body": SNOW}
    (here / "now.json").write_bytes(orjson.dumps(draft))
    (here / "old.json").write_bytes(orjson.dumps(draft | {"published_at": "2025-12-22"}))
    now, old = (
        dict(answer(capsys, name, *AT, *MODELS)["similar"]["articles"])
        for name in ("now.json", "old.json")
    )
    assert old["a03"] == pytest.approx(now["a03"] / 2, rel=0.05), "a half-life is 14 days"


def test_an_article_whose_text_is_not_kept_has_no_title(
    capsys: pytest.CaptureFixture[str],
) -> None:
    open_index(Settings()).delete_rows(TEXTS, [keys.article("a03")])
    _, out, _ = told(capsys, "draft.txt", *AT, *MODELS)
    (line,) = (line for line in out.splitlines() if line.startswith("  0.") and "a03" in line)
    assert line.endswith("  a03  text not kept")


def test_nothing_is_written_and_the_view_of_the_host_is_kept(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(open_index(Settings()))

    def refuse(*_: Any, **__: Any) -> None:
        raise StoreError("read-only")

    for write in ("mutate", "compare_and_put", "delete_rows", "ensure_tables", "drop_tables"):
        monkeypatch.setattr(SQLiteStore, write, refuse)
    found = answer(capsys, "draft.txt", *AT, *MODELS)
    assert list((here / "cache" / "views").rglob("view.json")), "the host's view is kept"
    assert answer(capsys, "draft.txt", *AT, *MODELS) == found
    assert everything(open_index(Settings())) == before


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--at", "2026-01-06", *MODELS), "articles are ranked within theirs: name it with"),
        ((*AT, "--models", "none"), "readers follow the lists under v0001-"),
    ],
)
def test_the_verdict_does_not_depend_on_the_models(
    capsys: pytest.CaptureFixture[str], options: tuple[str, ...], expected: str
) -> None:
    code, out, err = told(capsys, "draft.txt", *options, "--json")
    assert code == 0
    found = orjson.loads(out)
    assert found["duplicate_of"] == "c01"
    assert "similar" not in found
    assert err.startswith("warning: similar articles are left out: ")
    assert expected in err


def test_an_index_without_lists_says_so(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "plain").mkdir()
    build(here / "plain", EVENTS[:1])
    store = ("--store", f"sqlite:{here / 'plain' / 'leitong.db'}")
    (here / "draft.txt").write_text(BODY)
    code, out, err = told(capsys, "draft.txt", *AT, *MODELS, *store)
    assert code == 0
    assert "duplicate of a03" in out
    assert "no lists of similar articles yet" in err


def test_it_is_the_version_that_readers_follow(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = answer(capsys, "draft.txt", *AT, *MODELS)
    version(here, "second", size=1)
    assert answer(capsys, "draft.txt", *AT, *MODELS) == before


def test_nothing_may_be_like_a_draft(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "draft.txt").write_text("zebra quagga okapi " * 9)
    assert answer(capsys, "draft.txt", *AT, *MODELS)["similar"]["articles"] == []
    _, out, _ = told(capsys, "draft.txt", *AT, *MODELS)
    assert out.endswith("\n  nothing that came before it scores more than 0\n")
