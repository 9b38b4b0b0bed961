"""The stream as a whole: reproducible, ordered, in the asked mix, bounded, readable."""

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from producers.newsroom import Mix, Newsroom, SimulatedEvent, truth_line
from producers.newsroom.run import BURST_COPIES, BURST_SECONDS, MOST_PENDING, REPEATABLE, Run
from streaming.errors import SettingsError

ROOT = Path(__file__).resolve().parents[2]
CHANNELS = {9: "go", 7: "数据库", 13: "人工智能", 18: "python", 26: "没有词表的频道"}
START = datetime(2025, 3, 12, 6, tzinfo=UTC)
CALM = Mix(viral=0)

DIGEST_SCRIPT = """
import hashlib
from datetime import UTC, datetime
from itertools import islice
from producers.newsroom import Mix, Newsroom
newsroom = Newsroom(
    5,
    channels={9: "go", 1: "html", 30: "别的"},
    start=datetime(2025, 3, 12, tzinfo=UTC),
    mix=Mix(viral=0.01, malformed=0.02, updated=0.02, deleted=0.02),
)
digest = hashlib.sha256()
for event in islice(newsroom, 700):
    digest.update(repr(event).encode())
print(digest.hexdigest())
"""


def newsroom(
    seed: int = 1, mix: Mix = CALM, per_hour: float = 3600, pool_size: int = 512
) -> Newsroom:
    return Newsroom(
        seed, channels=CHANNELS, start=START, mix=mix, per_hour=per_hour, pool_size=pool_size
    )


@cache
def morning() -> list[SimulatedEvent]:
    return list(islice(newsroom(), 5000))


def kind_of(event: SimulatedEvent) -> str:
    assert event.truth is not None
    return event.truth.kind.partition(":")[0]


def test_the_same_events_in_processes_with_different_hash_seeds() -> None:
    def digest(hash_seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", DIGEST_SCRIPT],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    first, second = digest("1"), digest("4711")
    assert len(first) == hashlib.sha256().digest_size * 2
    assert first == second


def test_iterating_again_begins_again() -> None:
    room = newsroom()
    assert list(islice(room, 50)) == list(islice(room, 50)) == morning()[:50]


def test_another_seed_tells_other_stories() -> None:
    values = {event.record.value for event in morning()}
    assert not values & {event.record.value for event in islice(newsroom(seed=2), 300)}


def test_timestamps_never_go_back_and_keep_the_asked_pace() -> None:
    stamps = [event.record.timestamp_ms or 0 for event in morning()]
    assert stamps == sorted(stamps)
    assert stamps[0] >= START.timestamp() * 1000
    hours = (stamps[-1] - stamps[0]) / 3_600_000
    assert len(stamps) / hours == pytest.approx(3600, rel=0.1)


def test_kinds_come_at_their_rates() -> None:
    counts = Counter(map(kind_of, morning()))
    total = len(morning())
    for end, kind in CALM.thresholds():
        rate = getattr(CALM, kind)
        spread = (total * rate * (1 - rate)) ** 0.5
        # Edits that no recent story allows become originals; a few, at the beginning.
        assert abs(counts[kind] - total * rate) <= 4.5 * spread + 0.08 * total * rate, (kind, end)
    assert counts["original"] > total * 0.4
    assert counts["updated"] == counts["deleted"] == counts["viral"] == 0


def test_every_article_id_is_sent_once_but_for_repeats() -> None:
    ids = Counter(
        event.truth.article_id
        for event in morning()
        if event.truth and event.truth.kind != "repeated"
    )
    assert max(ids.values()) == 1


def test_events_are_json_with_the_contracted_fields() -> None:
    for event in morning():
        if kind_of(event) == "malformed":
            continue
        assert event.record.value is not None
        content = json.loads(event.record.value)
        assert set(content) == {
            *("event", "article_id", "channel", "title", "body", "published_at"),
            *("source", "url", "author", "language"),
        }
        assert content["event"] == "created"
        assert content["channel"] in CHANNELS.values()
        assert event.record.key == content["article_id"].encode()
        published = datetime.fromisoformat(content["published_at"])
        assert published.utcoffset() is not None
        assert content["published_at"].endswith("+08:00")
        assert published.timestamp() * 1000 <= (event.record.timestamp_ms or 0)


def test_lengths_are_those_of_news() -> None:
    lengths = [len(body) for kind, body in bodies() if kind == "original"]
    assert 450 <= median(lengths) <= 750
    assert min(lengths) >= 140
    assert max(lengths) <= 5500
    assert sum(length > 1500 for length in lengths) > len(lengths) * 0.02


def test_independent_originals_share_few_character_5_grams() -> None:
    texts = [
        "".join(body.split())
        for kind, body in bodies()
        if kind in {"original", "late"} and len(body) >= 140
    ]
    assert len(texts) >= 2000
    assert largest_containment(texts) < 0.25


def test_channels_have_words_of_their_own() -> None:
    texts: dict[str, str] = {}
    for event in morning():
        if kind_of(event) == "original" and event.record.value:
            content = json.loads(event.record.value)
            texts[content["channel"]] = texts.get(content["channel"], "") + content["body"]
    assert set(texts) == set(CHANNELS.values())
    assert texts["go"].count("逃逸分析") > 50
    assert "逃逸分析" not in texts["python"]


def test_bursts_repost_one_story_within_minutes_everywhere() -> None:
    events = list(islice(newsroom(mix=Mix(viral=0.004), per_hour=36_000), 4000))
    by_origin: dict[str, list[SimulatedEvent]] = {}
    for event in events:
        if event.truth and event.truth.kind == "viral" and event.truth.origin:
            assert event.truth.relation == "duplicate"
            by_origin.setdefault(event.truth.origin, []).append(event)
    over = {
        origin: copies
        for origin, copies in by_origin.items()
        if (events[-1].record.timestamp_ms or 0) - (copies[0].record.timestamp_ms or 0)
        > BURST_SECONDS[1] * 1000
    }
    assert len(by_origin) >= 5
    for copies in over.values():
        assert BURST_COPIES[0] <= len(copies)
    largest = max(by_origin.values(), key=len)
    contents = [json.loads(copy.record.value or b"") for copy in largest]
    assert len({content["channel"] for content in contents}) > 2
    assert len({content["source"] for content in contents}) > 5
    first, last = largest[0].record.timestamp_ms, largest[-1].record.timestamp_ms
    assert first is not None
    assert last is not None
    assert last - first <= BURST_SECONDS[1] * 1000 * 2


def test_memory_is_bounded_however_many_events_are_drawn() -> None:
    room = newsroom(mix=Mix(viral=0.3), per_hour=100_000, pool_size=40)
    run = Run(1, 0, room._kit)
    most = 0
    for _ in islice(run, 3000):
        most = max(most, run.held())
    assert most <= 40 + REPEATABLE + MOST_PENDING + BURST_COPIES[1]
    assert len(run._floor) == 40


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"channels": {}}, "channel"),
        ({"channels": {1: "go", 2: "go"}}, "name of its own"),
        ({"start": datetime(2025, 3, 12)}, "time zone"),  # noqa: DTZ001 - the mistake under test
        ({"per_hour": 0}, "events an hour"),
        ({"max_bytes": 10}, "max_bytes"),
        ({"pool_size": 0}, "pool"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(
    change: dict[str, object], named: str
) -> None:
    settings = {"channels": CHANNELS, "start": START, **change}
    with pytest.raises(SettingsError, match=named):
        Newsroom(1, **settings)  # type: ignore[arg-type]


def test_a_mix_over_one_or_a_rate_below_nought_is_refused() -> None:
    with pytest.raises(SettingsError, match="add up"):
        Mix(verbatim=0.9)
    with pytest.raises(SettingsError, match="late"):
        Mix(late=-0.1)
    assert Mix(related=1.0 - sum(_rates_without("related"))).related > 0


def test_a_truth_line_has_the_keys_of_a_truth_file() -> None:
    event = next(event for event in morning() if kind_of(event) == "verbatim")
    assert event.truth is not None
    assert truth_line(event.truth) == {
        "article_id": event.truth.article_id,
        "kind": "verbatim",
        "origin": event.truth.origin,
        "relation": "duplicate",
    }


def bodies() -> list[tuple[str, str]]:
    return [
        (kind_of(event), json.loads(event.record.value or b"")["body"])
        for event in morning()
        if kind_of(event) != "malformed"
    ]


def _rates_without(kind: str) -> list[float]:
    return [getattr(Mix(), name) for _, name in Mix().thresholds() if name != kind]


def largest_containment(texts: list[str], size: int = 5) -> float:
    """Return the largest share of one text's n-grams that are found in one other text."""
    grams = [np.unique(_gram_codes(text, size)) for text in texts]
    owners = np.repeat(np.arange(len(texts)), [len(codes) for codes in grams])
    codes, numbers = np.unique(np.concatenate(grams), return_inverse=True)
    owners = owners[np.argsort(numbers, kind="stable")]
    counts = np.bincount(numbers, minlength=len(codes))
    starts = np.cumsum(counts) - counts
    worst = 0.0
    for number, mine in enumerate(np.split(numbers, np.cumsum([len(c) for c in grams])[:-1])):
        lengths = counts[mine]
        offsets = np.repeat(starts[mine] - np.cumsum(lengths) + lengths, lengths)
        found = np.bincount(owners[offsets + np.arange(len(offsets))], minlength=len(texts))
        assert found[number] == len(mine)
        found[number] = 0
        worst = max(worst, float(found.max()) / len(mine))
    return worst


def _gram_codes(text: str, size: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    points = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    codes = np.zeros(len(points) - size + 1, dtype=np.uint64)
    for at in range(size):
        codes = codes * np.uint64(1_000_003) + points[at : at + len(codes)]
    return codes
