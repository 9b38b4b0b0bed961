"""What the page is told, from a real index in SQLite."""

import time
from typing import Any

import pytest

from streaming.dashboard.app import Dashboard
from streaming.dashboard.now import Watch
from streaming.engine import statistics, summaries
from streaming.engine.summaries import DAY
from streaming.figures import write_figures
from streaming.settings import Settings
from streaming.store.lease import Lease
from streaming.store.opening import open_index
from tests.dashboard.asking import END_MS, HOSTILE, asked, dashboard, fill, get, settings_of
from tests.engine.worlds import batch, event
from tests.indexed import BEGIN_MS, everything


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    here = tmp_path_factory.mktemp("dashboard")
    settings = settings_of(f"sqlite:{here / 'leitong.db'}")
    fill(here, settings)
    return settings


@pytest.fixture
def app(filled: Settings) -> Dashboard:
    return dashboard(filled)


def test_rates_are_those_of_the_counts(app: Dashboard, filled: Settings) -> None:
    counts = list(statistics.read(open_index(filled)))
    for chosen in ("15m", "1h", "6h", "24h", "7d", "30d", "90d"):
        found = asked(app, "rates", range=chosen)
        assert sum(found["articles"]) == sum(each.articles for each in counts) == 4
        assert sum(found["repeats"]) == 2
        assert len(found["times"]) == len(found["articles"]) == len(found["repeats"])
        groups = {each["name"]: (each["articles"], each["repeats"]) for each in found["groups"]}
        assert groups == {"go": (3, 1), "php": (1, 1)}
        assert sum(map(sum, found["tiers"].values())) == 2
        assert sum(found["scores"]["flagged"]) + found["scores"]["fixed"] == 2
    by_source = asked(app, "rates", by="source")
    assert {each["name"]: each["articles"] for each in by_source["groups"]} == {"": 3, "agency": 1}


def test_without_an_end_a_range_goes_to_where_data_is(filled: Settings) -> None:
    later = dashboard(filled, END_MS + 40 * DAY.length_ms)
    moved = asked(later, "rates", range="1h")
    assert moved["moved"]
    assert sum(moved["articles"]) == 4
    assert not asked(later, "rates", range="90d")["moved"]
    assert sum(asked(later, "rates", range="1h", end=END_MS + DAY.length_ms * 2)["articles"]) == 0


def test_stories_tell_what_was_copied(app: Dashboard) -> None:
    found = asked(app, "stories")
    (story,) = found["stories"]
    assert (story["article_id"], story["copies"], story["title"]) == ("a03", 2, "降温")
    assert dict(story["channels"]) == {"php": 1, "go": 1}
    told = asked(app, "story/b17")
    assert told["root"] == "a03"
    assert [each["article_id"] for each in told["members"]] == ["a03", "b17", "c/1 é?"]


def test_a_pair_is_told_with_its_differences(app: Dashboard) -> None:
    found = asked(app, "pair", a="b17", b="a03")
    assert (found["earlier"]["article_id"], found["relation"]) == ("a03", "duplicate")
    assert ["removed", "今"] in found["difference"]["body"]
    assert {each["name"] for each in found["measured"]} >= {"overlap", "size_ratio"}


def test_an_article_is_told_whatever_its_id(app: Dashboard) -> None:
    found = asked(app, "article/c/1 é?")
    assert found["verdict"]["duplicate_of"] == "a03"
    assert found["matches"][0]["article_id"] == "a03"
    assert found["similar"] == {"model": None, "articles": []}
    gone = asked(app, "article/gone")
    assert not gone["live"]
    assert [each["what"] for each in gone["events"]] == ["content", "deleted"]
    assert get(app, "/api/article/nobody").status == 404
    assert get(app, "/api/story/nobody").status == 404


def test_what_strangers_wrote_is_shown_and_not_obeyed(app: Dashboard) -> None:
    title = asked(app, "article/c/1 é?")["title"]
    assert title.startswith("<img src=x")
    assert "\u202e" not in title
    assert "\x1b" not in title
    letters = asked(app, "dead-letters")["letters"]
    assert "\x1b" not in "".join(each["detail"] + each["preview"] for each in letters)
    assert get(app, "/api/article/d04").headers["Content-Type"].startswith("application/json")


def test_letters_are_told_by_reason(app: Dashboard) -> None:
    found = asked(app, "dead-letters", range="24h")
    assert dict(found["reasons"]) == {"not_json": 1, "not_utf8": 1}
    (one,) = asked(app, "dead-letters", reason="not_utf8")["letters"]
    assert one["preview"].startswith("00000000  ff 00 3c 62 3e")
    assert one["place"] == "log/0/901"


def test_search_finds_by_id_and_by_words(app: Dashboard) -> None:
    def names(q: str, **more: Any) -> list[str]:
        return [each["article_id"] for each in asked(app, "search", q=q, **more)["found"]]

    assert names("b17") == ["b17"]
    assert names("b1") == ["b17"]
    assert names("降温") == ["b17", "a03"]
    assert names("FOOTBALL") == ["d04"]
    assert names("来了 降温") == ["b17"]
    assert names("降温", before=BEGIN_MS + 60_000) == ["a03"]
    assert asked(app, "search", q="x")["complete"]


def test_now_tells_how_the_query_is(filled: Settings) -> None:
    app = dashboard(filled)
    store = open_index(filled)
    assert asked(app, "now")["state"] == "empty"
    for number in range(3):
        figures = {
            "started_ms": END_MS + number, "events": 5, "judged": 5, "duplicates": 2,
            "refused": {"schema": 1}, "seconds": {"judge": 0.5, "put": 0.25},
        }  # fmt: skip
        write_figures(store, (number + 1) << 24, figures)
    time.sleep(1.1)
    found = asked(app, "now")
    assert found["state"] == "stopped"
    assert found["last"]["started_ms"] == END_MS + 2
    assert [each["seconds"] for each in found["batches"]] == [0.75] * 3
    assert (found["rate"]["articles"], found["rate"]["repeats"]) == (3, 2)
    assert found["dead_letters"] == {"hours": 24, "count": 2, "more": False}
    holding = Lease(store, 0.2)
    holding.acquire()
    time.sleep(1.1)
    assert asked(app, "now")["state"] == "running"
    time.sleep(1.1)
    assert asked(app, "now")["state"] == "stopped"  # it holds, but has not beaten for too long
    holding.release()


def test_a_holder_that_beats_lives(filled: Settings) -> None:
    watch, store = Watch(), open_index(filled)
    holding = Lease(store, 0.2)
    holding.acquire()
    from streaming.store import lease  # noqa: PLC0415

    for _ in range(3):
        time.sleep(0.15)
        holding.beat()
        found = lease.holder(store)
        assert found is not None
        assert watch.lives(found)
    holding.release()


def test_asking_writes_nothing(app: Dashboard, filled: Settings) -> None:
    before = everything(open_index(filled))
    for view in ("now", "rates", "stories", "story/a03", "article/a03", "dead-letters"):
        asked(app, view)
    asked(app, "pair", a="a03", b="d04")
    asked(app, "search", q=HOSTILE[:60])
    assert everything(open_index(filled)) == before


def test_the_newest_are_found_however_far_back() -> None:
    from streaming.dashboard.recent import newest_ms, walk_back  # noqa: PLC0415
    from tests.engine.worlds import index  # noqa: PLC0415

    store = index()
    assert newest_ms(store) is None
    moments = [0, 5, 3_600_000, 3_660_000, 90_000_000, 90_060_000, 90_060_001, 200_000_000]
    batch(store, [event(f"a{n}", moment, None) for n, moment in enumerate(moments)])
    assert newest_ms(store) == 199_980_000
    for want in range(1, 9):
        walk = walk_back(store, 0, 1 << 40, want)
        newest = [f"a{n}" for n in range(8)][-want:]
        assert set(newest) <= {each.article for each in walk.found}
        assert len(walk.found) <= 2 * want
    assert walk_back(store, 0, 1 << 40, 9).complete
    assert not walk_back(store, 0, 1 << 40, 2).complete
    assert next(e.article for e in walk_back(store, 0, 90_000_001, 2).found) == "a4"
    assert next(summaries.read(store, DAY, 0, 1))[1].outcomes.total() == 4
