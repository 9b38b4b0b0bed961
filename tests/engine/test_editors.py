"""What editors say, from the event to the export."""

from streaming import exporting
from streaming.store.contract import Store
from tests.engine.worlds import batch, deletion, event, index, ruling


def rows(store: Store, sources: tuple[str, ...] = ()) -> dict[str, exporting.Line]:
    return {line["article_id"]: line for line in exporting.verdicts(store, sources)}


def test_an_override_is_judged_whenever_it_comes() -> None:
    late, early = index(), index()
    batch(late, [event("a", 1), event("b", 2)])
    assert rows(late)["b"]["duplicate_of"] == "a"
    batch(late, [ruling("b", 3, "not_duplicate", "a")])
    batch(early, [ruling("b", 3, "not_duplicate", "a")])
    batch(early, [event("a", 1), event("b", 2)])
    for store in (late, early):
        assert rows(store)["b"]["duplicate_of"] is None
        assert rows(store)["b"]["overrides"] == [["not_duplicate", "a"]]
    batch(late, [ruling("b", 4, "released")])
    assert rows(late)["b"]["duplicate_of"] == "a"
    assert rows(late)["b"]["overrides"] == []


def test_a_later_article_may_be_named_the_original() -> None:
    store = index()
    batch(store, [event("repost", 1), event("copy", 2), event("report", 3)])
    batch(store, [ruling("repost", 4, "original", "report")])
    found = rows(store)
    assert found["repost"]["duplicate_of"] == "report"
    assert found["report"]["duplicate_of"] is None
    assert {line["root"] for line in found.values()} == {"report"}
    batch(store, [deletion("report", 5)])
    assert rows(store)["repost"]["duplicate_of"] is None, "the original is gone"
    batch(store, [event("report", 6)])
    assert rows(store)["repost"]["duplicate_of"] == "report", "and back"


def test_an_original_may_be_named_before_it_is_known() -> None:
    store = index()
    batch(store, [event("a", 1), ruling("a", 2, "original", "b")])
    assert rows(store)["a"]["duplicate_of"] is None
    batch(store, [event("b", 3, fingerprint=1 << 40)])
    assert rows(store)["a"]["duplicate_of"] == "b"


def test_editors_who_contradict_each_other_get_one_root() -> None:
    store = index()
    batch(store, [event("a", 1), event("b", 2)])
    batch(store, [ruling("a", 3, "original", "b"), ruling("b", 4, "original", "a")])
    assert {line["root"] for line in rows(store).values()} == {"a"}


def test_overrides_are_exported_as_labelled_pairs() -> None:
    store = index()
    batch(store, [event("a", 1), event("b", 2), event("c", 3)])
    batch(store, [ruling("b", 4, "not_duplicate", "a", by="desk"), ruling("c", 5, "original", "b")])
    pairs = list(exporting.labelled_pairs(store))
    assert [(p["id1"], p["id2"], p["label"], p["judged_by"]) for p in sorted(pairs, key=str)] == [
        ("b", "a", "not_dup", "desk"),
        ("c", "b", "dup", None),
    ]


def test_a_ranked_source_stands_for_its_story() -> None:
    store = index()
    batch(store, [event("repost", 1, source="portal"), event("report", 2, source="agency")])
    batch(store, [event("copy", 3, source="blog"), event("alone", 4, 1 << 40, source="blog")])
    assert rows(store)["copy"]["root"] == "repost"
    ranked = rows(store, ("agency", "portal"))
    assert {name: line["root"] for name, line in ranked.items()} == {
        "repost": "report", "report": "report", "copy": "report", "alone": "alone",
    }  # fmt: skip
    assert ranked["copy"]["duplicate_of"] == "repost", "only the root is another one"
    batch(store, [ruling("copy", 5, "original", "repost")])
    assert rows(store, ("agency", "portal"))["copy"]["root"] == "repost", "editors come first"
