"""Training on Spark: what is learned, from every source, and that it is always the same."""

import gzip
import math
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from pyspark.sql import SparkSession

from streaming.errors import SettingsError, SourceError
from streaming.filelog import FileLogWriter
from streaming.offline.train import Trained, train
from streaming.offline.train_input import Files, Log, Stored
from streaming.offline.train_learning import TrainOptions
from streaming.offline.train_output import publish
from streaming.query.source import Span
from streaming.settings import Settings, load
from streaming.similar.models import Models
from streaming.similar.registry import Registry
from streaming.similar.scoring import Ranking
from streaming.similar.words import counted, word_hash
from streaming.text.loading import load_stop_words
from streaming.text.pipeline import TextPipeline
from tests import indexed
from tests.offline import sentences

COUNTS = {"体育": 60, "财经": 50, "教育": 12}
SMALL = TrainOptions(Files(()), dimensions=16, min_count=2, iterations=3, least_articles=40, seed=7)


def options(*paths: Path, **changes: Any) -> TrainOptions:
    return replace(SMALL, source=Files(paths), **changes)


def settings(**flags: str) -> Settings:
    overrides = [(key.replace("__", "."), value, "test") for key, value in flags.items()]
    return load(overrides=overrides, environment={}).settings


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("articles") / "articles.jsonl"
    return sentences.write(place, sentences.articles(COUNTS))


@pytest.fixture(scope="module")
def trained(spark: SparkSession, file: Path) -> Trained:
    return train(spark, settings(), options(file))


def published(trained: Trained, place: Path) -> Models:
    registry = Registry(str(place))
    return Models.open(place / publish(trained, registry).version)


def test_large_channels_have_models_and_the_rest_shares_one(trained: Trained) -> None:
    assert [model.channel for model in trained.models] == [None, "体育", "财经"]
    assert [model.articles for model in trained.models] == [122, 60, 50]
    for model in trained.models:
        assert model.tables.dimensions == 16
        assert (np.diff(model.tables.words.astype(object)) > 0).all()
        assert model.coverage is not None
        assert 0.99 < model.coverage <= 1
    assert set(trained.models[1].vocabulary.words) == set(sentences.TOPICS["体育"])


def test_frequencies_are_those_of_the_articles(file: Path, trained: Trained) -> None:
    pipeline, stop_words = TextPipeline(settings().text), load_stop_words(settings().text)
    having: Counter[str] = Counter()
    for line in file.read_bytes().splitlines():
        row = orjson.loads(line)
        tokens = [*pipeline.words(row["title"]), *pipeline.words(row["body"])]
        having.update({word for token in tokens if (word := counted(token, stop_words))})
    tables = trained.models[0].tables
    assert len(tables.idf_words) == len(having)
    for word, count in having.items():
        (found,) = tables.rarity(np.array([word_hash(word)], np.uint64))
        assert found == pytest.approx(math.log(122 / count), abs=1e-5)
    assert tables.unknown == pytest.approx(math.log(122 / 0.5), abs=1e-5)


def test_a_channel_that_is_all_there_is_shares_the_fallback(
    spark: SparkSession, tmp_path: Path
) -> None:
    file = sentences.write(tmp_path / "a.jsonl", sentences.articles({"体育": 60}))
    found = train(spark, settings(), options(file, iterations=1))
    assert [model.channel for model in found.models] == [None]


def test_words_of_a_topic_are_near_each_other(trained: Trained) -> None:
    fallback = trained.report.models[0]
    topic_of = {word: topic for topic, words in sentences.TOPICS.items() for word in words}
    near = [
        topic_of[other] == topic_of[each.word]
        for each in fallback.typical
        for other in each.nearest[:3]
    ]
    assert sum(near) > 0.9 * len(near)


def test_articles_of_a_topic_are_near_each_other(trained: Trained, tmp_path: Path) -> None:
    models = published(trained, tmp_path / "m")
    draw = random.Random(3)
    pipeline = TextPipeline(settings().text)
    topics = [*sentences.TOPICS] * 8
    found = models.describe(
        [("elsewhere", [], pipeline.words(sentences.body(draw, topic))) for topic in topics]
    )
    vectors = np.array([each.vector for each in found], np.int64)
    products = vectors @ vectors.T
    same = np.array(topics)[:, None] == np.array(topics)
    assert products[same].min() > products[~same].max()
    assert abs(vectors.mean(axis=0)).max() < 1500, "the mean was taken off"


def test_the_same_articles_give_the_same_version(
    spark: SparkSession, trained: Trained, file: Path, tmp_path: Path
) -> None:
    rows = file.read_bytes().splitlines(keepends=True)
    half = len(rows) // 2
    (tmp_path / "a.jsonl").write_bytes(b"".join(rows[half:]))
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b"".join(reversed(rows[:half]))))
    again = train(spark, settings(), options(tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz"))
    registry = Registry(str(tmp_path / "m"))
    one, other = publish(trained, registry), publish(again, registry)
    assert (one.version, other.version) == ("v0001", "v0002")
    assert one.checksum == other.checksum
    assert one.files() == other.files()
    seeded = publish(train(spark, settings(), options(file, seed=8)), registry)
    assert seeded.checksum != one.checksum
    assert seeded.fallback.files["vectors.npy"] != one.fallback.files["vectors.npy"]
    assert seeded.fallback.files["idf.npy"] == one.fallback.files["idf.npy"]


def test_the_current_content_counts(spark: SparkSession, tmp_path: Path) -> None:
    rows = sentences.articles({"体育": 50})
    rows.append({"event": "updated", "id": "体育-1", "channel": "体育", "body": "火山。爆发。"})
    rows.append({"event": "deleted", "id": "体育-2"})
    rows.append({"event": "created", "id": "体育-3", "channel": "体育", "body": "的。了。"})
    rows.insert(0, {"id": "体育-4", "channel": "体育", "body": "先前文字。"})
    file = sentences.write(tmp_path / "events.jsonl", rows)
    with file.open("ab") as out:
        out.write(b"\xef\xbb\xbf\n\n{nothing\n")
    found = train(spark, settings(), options(file))
    assert found.report.articles == 48
    assert found.report.refused == {"not_json": 1}
    known = {word: word_hash(word) for word in ("火山", "爆发", "先前")}
    there = {word for word, key in known.items() if key in found.models[0].tables.idf_words}
    assert there == {"火山", "爆发"}


def test_a_log_gives_the_same_as_its_events_in_a_file(
    spark: SparkSession, trained: Trained, file: Path, tmp_path: Path
) -> None:
    with FileLogWriter(tmp_path / "log") as log:
        for number, line in enumerate(file.read_bytes().splitlines()):
            row = orjson.loads(line)
            log.append(row["id"].encode(), line, timestamp_ms=1_000 + number)
        log.append(b"x", b"{}", timestamp_ms=5_000)
    source = settings(query__source=f"file:{tmp_path / 'log'}")
    span = Span(to_ms=5_000)
    found = train(spark, source, replace(SMALL, source=Log(span)))
    registry = Registry(str(tmp_path / "m"))
    assert publish(found, registry).checksum == publish(trained, registry).checksum
    told = registry.read("v0001").source
    assert told["log"] == f"file:{tmp_path / 'log'}"
    assert told["to_time"] == "1970-01-01T00:00:05.000Z"
    assert "from_time" not in told
    span = Span(from_ms=1_020, to_offsets={0: 25, 1: 25, 2: 25, 3: 25})
    part = train(spark, source, replace(SMALL, source=Log(span)))
    assert part.report.articles < found.report.articles
    assert part.version.source["to_offsets"] == {"0": 25, "1": 25, "2": 25, "3": 25}


def test_the_index_gives_the_same_as_the_events_in_it(
    spark: SparkSession, trained: Trained, file: Path, tmp_path: Path
) -> None:
    indexed.build(tmp_path, [orjson.loads(line) for line in file.read_bytes().splitlines()])
    here = settings(store__url=f"sqlite:{tmp_path / 'leitong.db'}")
    found = train(spark, here, replace(SMALL, source=Stored()))
    registry = Registry(str(tmp_path / "m"))
    assert publish(found, registry).checksum == publish(trained, registry).checksum
    assert registry.read("v0001").source["kind"] == "store"


def test_an_index_that_nobody_made_is_told(spark: SparkSession, tmp_path: Path) -> None:
    missing = settings(store__url=f"sqlite:{tmp_path / 'other.db'}")
    with pytest.raises(SettingsError, match="there is no index of generation"):
        train(spark, missing, replace(SMALL, source=Stored()))
    with pytest.raises(SettingsError, match="the workers cannot see it"):
        train(spark, settings(store__url="memory:x"), replace(SMALL, source=Stored()))


@pytest.mark.parametrize(
    ("content", "changes", "said"),
    [
        (b"", {}, "0 articles with words, too few"),
        (
            b'{"id": "1", "channel": "x", "title": "\xe6\xaf\x94\xe8\xb5\x9b"}\n[]\n',
            {},
            r"1 articles with words.*refused: schema 1",
        ),
        (
            b'{"id": "1", "channel": "x", "title": "\xe6\xaf\x94\xe8\xb5\x9b"}\n',
            {"least_articles": 1},
            "no word occurs 2 times; give more articles, or lower --min-count",
        ),
    ],
)
def test_too_little_is_told(
    spark: SparkSession, tmp_path: Path, content: bytes, changes: dict[str, Any], said: str
) -> None:
    (tmp_path / "few.jsonl").write_bytes(content)
    with pytest.raises(SourceError, match=said):
        train(spark, settings(), options(tmp_path / "few.jsonl", **changes))


def test_damage_is_told(spark: SparkSession, file: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(gzip.compress(file.read_bytes())[:-500])
    with pytest.raises(SourceError, match="damaged or cut off"):
        train(spark, settings(), options(cut))
    with pytest.raises(SettingsError, match="no such file"):
        train(spark, settings(), options(tmp_path / "none.jsonl"))


def test_in_newsroom_scope_there_is_one_model(spark: SparkSession, file: Path) -> None:
    ranking = Ranking(scope="newsroom", size=5)
    found = train(spark, settings(), options(file, ranking=ranking, iterations=1))
    assert [model.channel for model in found.models] == [None]
    assert found.version.ranking == ranking


def test_large_channels_are_cut_into_cells(spark: SparkSession, tmp_path: Path) -> None:
    file = sentences.write(tmp_path / "a.jsonl", sentences.articles({"体育": 140}, seed=5))
    chosen = options(file, least_articles=100, cells_from=100, iterations=1)
    one, other = (train(spark, settings(), chosen) for _ in range(2))
    models = published(one, tmp_path / "m")
    assert published(other, tmp_path / "m").checksum == models.checksum
    (told,) = models.manifest.models
    assert told.cells == pytest.approx(math.sqrt(140), abs=1)
    assert 1 <= told.probes <= told.cells
    assert told.recall is not None
    assert told.recall >= 0.99
    (report,) = one.report.models
    assert sum(report.sizes) == 140
    assert len(report.map.centres) == told.cells
    words = TextPipeline(settings().text).words("".join(sentences.TOPICS["体育"]))
    (found,) = models.describe([("体育", [], words)])
    assert len(found.cells) == told.probes


def test_of_very_many_articles_a_fixed_sample_is_learned_from(
    spark: SparkSession, file: Path
) -> None:
    ranking = Ranking(scope="newsroom")
    chosen = options(file, ranking=ranking, most_articles=30, iterations=1, min_count=1)
    one, other = (train(spark, settings(), chosen) for _ in range(2))
    assert one.models[0].articles == 122
    assert len(one.report.models[0].map.points) < 60
    np.testing.assert_array_equal(one.models[0].tables.vectors, other.models[0].tables.vectors)


def test_textrank_is_frozen_in_the_version(spark: SparkSession, file: Path, tmp_path: Path) -> None:
    found = train(spark, settings(), options(file, keywords="textrank", iterations=1))
    models = published(found, tmp_path / "m")
    assert models.manifest.keywords == "textrank"
