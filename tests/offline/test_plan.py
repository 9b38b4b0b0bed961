"""The plan adds up, and says of an index that is there what is there."""

import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from streaming.engine.events import by_article
from streaming.engine.judge import judge
from streaming.engine.put import put
from streaming.enrichment import Enricher
from streaming.errors import SourceError
from streaming.filelog import LogRecord
from streaming.fingerprints.bands import BandScheme
from streaming.offline import crowd
from streaming.offline.plan import (
    REGION_BYTES,
    SCHEMES,
    Question,
    SchemePlan,
    label_of,
    occupied,
    plan,
)
from streaming.offline.plan_costs import Costs, default_costs
from streaming.offline.plan_profile import (
    Carriers,
    Profile,
    default_profile,
    profile_of,
    read_profile,
)
from streaming.offline.plan_sample import Sample, sample_files, sample_index, table_sizes
from streaming.reasons import Rejected
from streaming.settings import Settings, load
from streaming.store.memory import MemoryStore
from streaming.store.tables import TABLES
from tests.newsfeed import simulated
from tests.offline.made import article, sentences, write

ARTICLES = 600


@pytest.fixture(scope="module")
def profile() -> Profile:
    return default_profile()


@pytest.fixture(scope="module")
def hbase() -> Costs:
    return default_costs("hbase")


def planned(
    profile: Profile,
    costs: Costs,
    articles: int = 10**7,
    in_window: int | None = None,
    near: int = 3,
) -> list[SchemePlan]:
    seen = articles if in_window is None else in_window
    return list(plan(Question(articles, seen, "newsroom", "hbase", near), profile, costs))


def settings_of(blocks: int, chosen: int) -> Settings:
    told = [("matching.blocks", str(blocks), "test"), ("matching.chosen", str(chosen), "test")]
    return load(overrides=told, environment={}).settings


def filled(settings: Settings, count: int = ARTICLES) -> MemoryStore:
    """An index of simulated articles, a minute apart."""
    store = MemoryStore("planned", f"{settings.matching.blocks}_")
    store.drop_tables(TABLES)
    store.ensure_tables(TABLES)
    records = [
        LogRecord("articles", 0, place, 1_767_571_200_000 + 60_000 * place, None, each.value, ())
        for place, each in enumerate(simulated(count))
    ]
    answers = Enricher(settings).enrich(records)
    events = [each for each in answers if not isinstance(each, Rejected)]
    rules = settings.matching.rules()
    put(store, rules, events)
    judge(store, rules, by_article(events), (1).to_bytes(8), b"\0")
    return store


def test_schemes_trade_rows_for_candidates(profile: Profile, hbase: Costs) -> None:
    plans = planned(profile, hbase)
    assert [each.scheme for each in plans] == list(SCHEMES)
    for fewer, more in pairwise(plans):
        assert more.candidates.mean < fewer.candidates.mean / 3
        assert more.gets["bucket"] > fewer.gets["bucket"]
        assert more.tables["bucket"].bytes > fewer.tables["bucket"].bytes
        assert more.tables["text"] == fewer.tables["text"]
    for each in plans:
        assert each.strangers.mean <= each.candidates.mean
        assert each.candidates.low <= each.candidates.mean <= each.candidates.high
        assert each.gets["bucket"] == each.scheme.bands
        assert each.cells["bucket"] == each.scheme.bands + each.candidates.mean


def test_real_bits_are_worse_than_uniform_ones(profile: Profile, hbase: Costs) -> None:
    for each in planned(profile, hbase, 10**9):
        uniform = 10**9 * sum(2.0**-bits for bits in each.scheme.band_bits())
        assert each.candidates.mean > 1.5 * uniform


def test_a_scheme_that_would_miss_pairs_is_left_out(profile: Profile, hbase: Costs) -> None:
    assert planned(profile, hbase, near=4) == []
    assert len(planned(profile, hbase, near=2)) == len(SCHEMES)


def test_more_articles_take_more(profile: Profile, hbase: Costs) -> None:
    small, large = (planned(profile, hbase, 10**power)[0] for power in (6, 9))
    assert large.candidates.mean == pytest.approx(1_000 * small.candidates.mean, rel=0.01)
    assert large.tables["article"].bytes == pytest.approx(1_000 * small.tables["article"].bytes)
    assert large.query_rate < small.query_rate
    assert large.look_up_ms > small.look_up_ms


def test_regions_hold_what_hbase_lets_them(profile: Profile, hbase: Costs) -> None:
    for power in (6, 8, 11):
        for each in planned(profile, hbase, 10**power):
            assert each.presplit in {16, 32, 64, 128, 256}
            for table in each.tables.values():
                assert table.regions >= each.presplit
                assert table.bytes <= table.regions * REGION_BYTES
    embedded = plan(Question(10**6, 10**6, "newsroom", "sqlite"), profile, default_costs("sqlite"))
    for each in embedded:
        assert (each.presplit, each.server_rate) == (0, None)
        assert {table.regions for table in each.tables.values()} == {0}


def test_a_channel_has_fewer_candidates(profile: Profile, hbase: Costs) -> None:
    question = Question(10**7, 10**7, "channel", "hbase")
    for newsroom, channel in zip(
        planned(profile, hbase), plan(question, profile, hbase), strict=True
    ):
        assert channel.candidates.mean < newsroom.candidates.mean


def test_a_window_bounds_what_is_seen_and_not_what_is_read_by_bands(
    profile: Profile, hbase: Costs
) -> None:
    whole, recent = (planned(profile, hbase, in_window=size)[0] for size in (10**7, 10**4))
    assert recent.gets["article"] < whole.gets["article"]
    assert recent.candidates == whole.candidates


def test_carriers_are_seen_up_to_the_cap() -> None:
    carriers = Carriers(1_000, (0.9, 0.1), (0.2, 2.0), (0.0, 0.01))
    assert carriers.visible(1_000) == pytest.approx(0.9 * 0.2 + 0.1 * 2)
    assert carriers.visible(2_000) == pytest.approx(0.9 * 0.2 + 0.1 * 12)
    assert carriers.visible(10**9) == pytest.approx(0.9 * 0.2 + 0.1 * 64)
    assert carriers.visible(10**9, 10) == pytest.approx(0.9 * 0.2 + 0.1 * 10)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("size", [1_000, 100_000])
def test_rows_of_buckets_are_those_that_are_taken(
    profile: Profile, scheme: BandScheme, size: int
) -> None:
    crowding = profile.crowding["newsroom"]
    values = crowd.fit(crowding).draw(size)
    counted = sum(len(np.unique(band)) for band in scheme.values(values))
    assert occupied(scheme, crowding.bits, size) == pytest.approx(counted, rel=0.05)


def test_all_values_are_taken_in_the_end(profile: Profile) -> None:
    bits = profile.crowding["newsroom"].bits
    assert occupied(BandScheme(4, 1), bits, 10**9) == pytest.approx(4 * 2**16, rel=0.05)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_plan_of_an_index_is_what_it_holds(scheme: BandScheme) -> None:
    settings = settings_of(scheme.blocks, scheme.chosen)
    store = filled(settings)
    sample = sample_index(store)
    profile = profile_of(sample, "this index")
    count = len(sample.shingles)
    question = Question(count, count, "newsroom", "sqlite")
    plans = plan(question, profile, default_costs("sqlite"), table_sizes(store))
    (mine,) = (each for each in plans if each.scheme == scheme)
    for name in ("article", "text", "citation", "bucket", "head"):
        rows = list(store.scan(name))
        cells = sum(len(held) for _, held in rows)
        assert mine.tables[name].rows == pytest.approx(len(rows), rel=0.05), name
        assert mine.tables[name].cells == pytest.approx(cells, rel=0.05), name


def test_files_and_an_index_of_them_say_the_same(tmp_path: Path) -> None:
    settings = settings_of(4, 1)
    rng = random.Random(1)
    rows = [article(f"a{n}", sentences(rng, 12), n) for n in range(600)]
    from_files = sample_files([write(tmp_path / "articles.jsonl", rows)], settings)
    assert len(from_files.shingles) == 600
    assert from_files.timed == 1.0
    assert from_files.channels == ("news",) * 600
    assert from_files.every == 1.0
    untimed = [{key: value for key, value in row.items() if key != "publish_time"} for row in rows]
    assert sample_files([write(tmp_path / "untimed.jsonl", untimed)], settings).timed == 0.0


def test_a_profile_is_the_same_after_it_was_written(profile: Profile, tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    file.write_bytes(profile.encode())
    assert read_profile(file).encode() == profile.encode()
    assert profile.articles > 10_000
    for broken in (b"{", b"[]", b'{"articles": 1}'):
        file.write_bytes(broken)
        with pytest.raises(SourceError, match="not a profile of articles"):
            read_profile(file)


def test_a_sample_that_has_every_tenth_article_tells_of_all() -> None:
    values = crowd.fit(default_profile().crowding["newsroom"]).draw(20_000)
    keys = tuple((place // 2,) for place in range(20_000))
    whole = Sample(values, ("news",) * 20_000, keys, 1_000.0)
    drawn = np.sort(np.random.default_rng(1).choice(20_000, 2_000, replace=False))
    part = Sample(values[drawn], ("news",) * 2_000, tuple(keys[n] for n in drawn), 1_000.0, 10.0)
    of_whole, of_part = profile_of(whole, "whole"), profile_of(part, "part")
    scheme = BandScheme()
    for size in (1_000, 10**6):
        expected = of_whole.crowding["newsroom"].candidates(scheme, size).mean
        told = of_part.crowding["newsroom"].candidates(scheme, size).mean
        assert told == pytest.approx(expected, rel=0.25)


def test_too_few_articles_are_refused() -> None:
    sample = Sample(np.arange(100, dtype=np.uint64), ("news",) * 100, ((),) * 100, 10.0)
    with pytest.raises(SourceError, match=r"few.jsonl: 100 articles .* are too few"):
        profile_of(sample, "few.jsonl")


def test_the_constants_know_every_scheme() -> None:
    for kind in ("sqlite", "hbase"):
        costs = default_costs(kind)
        assert set(costs.bucket_bytes) == {label_of(scheme) for scheme in SCHEMES}
        assert costs.read.of(1, 1) > 0
