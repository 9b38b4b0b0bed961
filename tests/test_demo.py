"""The demo's figures, on a morning small enough to count by hand."""

from streaming.demo import by_channel, score

TRUTHS: dict[str, dict[str, object]] = {
    "a": {"kind": "original", "origin": None, "relation": None},
    "b": {"kind": "byline", "origin": "a", "relation": "duplicate"},
    "c": {"kind": "excerpt", "origin": "b", "relation": "contained_in"},
    "d": {"kind": "template:quake", "origin": "a", "relation": "template"},
    "e": {"kind": "verbatim", "origin": "x", "relation": "duplicate"},
    "x": {"kind": "original", "origin": None, "relation": None},
}


def verdict(name: str, duplicate_of: str | None, channel: str = "go") -> dict[str, object]:
    return {"article_id": name, "duplicate_of": duplicate_of, "channel": channel}


def test_a_flag_is_right_if_it_names_the_story_it_came_from() -> None:
    verdicts = [
        verdict("a", None),
        verdict("x", None),
        verdict("b", "a"),
        verdict("c", None),
        verdict("d", "a"),
        verdict("e", "a"),
        verdict("stranger", "a"),
    ]
    result = score(verdicts, TRUTHS)
    assert (result.flagged, result.right) == (3, 1)
    assert result.precision == 1 / 3
    assert result.recall == 1 / 3
    assert dict(result.all_repeats) == {
        "original": 0, "byline": 1, "excerpt": 1, "template:quake": 0, "verbatim": 1,
    }  # fmt: skip
    assert score([], TRUTHS).precision is None


def test_channels_are_listed_by_size() -> None:
    rows = by_channel([verdict("a", None, "go"), verdict("b", "a", "go"), verdict("c", "a", "php")])
    assert [(row.channel, row.articles, row.duplicates) for row in rows] == [
        ("go", 2, 1),
        ("php", 1, 1),
    ]
