"""Models that Spark saved, taken over."""

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.ml.clustering import KMeans
from pyspark.ml.feature import Word2Vec, Word2VecModel
from pyspark.ml.linalg import Vectors
from pyspark.sql import SparkSession

from streaming.errors import SettingsError
from streaming.offline import importing
from streaming.offline.importing import Saved
from streaming.settings import load
from streaming.similar import building
from streaming.similar.building import Vocabulary
from streaming.similar.models import Models
from streaming.similar.registry import Registry
from streaming.similar.scoring import Ranking
from streaming.similar.tables import Float32s
from streaming.similar.words import word_hash
from streaming.text.tables import read_jieba_idf

SETTINGS = load(environment={}).settings
NAME = "channel_18_python.word2vec"


@pytest.fixture(scope="module")
def saved(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("saved") / NAME
    sentence = ["Spark", "数据", "集群", "spark", "任务", "数据", "因为", "的", "Kafka", "日志"]
    frame = spark.createDataFrame([(sentence,)] * 4, "words array<string>")
    model = Word2Vec(
        vectorSize=6, minCount=1, seed=3, numPartitions=1, inputCol="words", outputCol="v"
    ).fit(frame)
    model.save(str(place))
    return place


@pytest.fixture(scope="module")
def vectors(saved: Path) -> dict[str, Float32s]:
    rows = Word2VecModel.load(str(saved)).getVectors().collect()
    return {row.word: row.vector.toArray().astype(np.float32) for row in rows}


def test_words_and_vectors_are_those_that_were_saved(
    saved: Path, vectors: dict[str, Float32s]
) -> None:
    found = importing.read_saved(saved, SETTINGS)
    assert set(found.words) == {"数据", "集群", "spark", "任务", "kafka", "日志"}
    assert found.hashes.tolist() == sorted(map(word_hash, found.words))
    for word, vector in zip(found.words, found.vectors, strict=True):
        np.testing.assert_array_equal(vector, vectors["Kafka" if word == "kafka" else word])


def test_rarity_is_jiebas_on_our_scale(saved: Path, tmp_path: Path) -> None:
    vocabularies = importing.with_fallback({"python": importing.read_saved(saved, SETTINGS)}, None)
    told = importing.publish(
        Registry(str(tmp_path / "m")),
        vocabularies,
        SETTINGS,
        [Saved(saved, "python")],
        Ranking(size=7),
        "tfidf",
    )
    assert told.source == {"kind": "import", "imported": {"python": NAME}}
    assert [model.channel for model in told.models] == [None, "python"]
    assert told.ranking.size == 7
    models = Models.open(tmp_path / "m" / "v0001")
    table = read_jieba_idf()
    tables = models.tables("python")
    known = np.array([word_hash("数据"), word_hash("没有人写过的词")], np.uint64)
    first, other = tables.rarity(known)
    assert first == pytest.approx(table["数据"], abs=1e-5)
    assert other == pytest.approx(max(table.values()) + math.log(2), abs=1e-5)
    (one,) = models.describe([("python", [], ["数据", "集群", "的"])])
    (two,) = models.describe([("anything", [], ["数据", "集群", "的"])])
    assert one.vector.any()
    assert one.encode() == two.encode()


def alike(words: list[str], dimensions: int) -> Vocabulary:
    vectors = np.ones((len(words), dimensions), np.float32)
    return building.vocabulary(words, [0] * len(words), vectors)


def test_the_largest_stands_for_all_others_unless_named() -> None:
    small, large = alike(["甲乙"], 2), alike(["甲乙", "丙丁"], 2)
    found: dict[str | None, Vocabulary] = {"a": small, "b": large}
    assert importing.with_fallback(found, None)[None] is large
    assert importing.with_fallback(found, "a")[None] is small
    with pytest.raises(SettingsError, match=r"none of those imported \(a, b\)"):
        importing.with_fallback(found, "c")
    wide = alike(["甲乙"], 3)
    with pytest.raises(SettingsError, match="2 and 3 dimensions"):
        importing.with_fallback({"a": small, "b": wide}, None)


def test_channels_are_named_before_the_directory_or_in_its_name(tmp_path: Path) -> None:
    assert importing.parse(f"x/{NAME}", SETTINGS) == Saved(Path("x", NAME), "python")
    assert importing.parse("体育=x", SETTINGS) == Saved(Path("x"), "体育")
    assert importing.parse("18=x", SETTINGS) == Saved(Path("x"), "python")
    odd = tmp_path / f"a=b_{NAME}"
    (odd / NAME).mkdir(parents=True)
    assert importing.parse(str(odd / NAME), SETTINGS) == Saved(odd / NAME, "python")
    for text in ("x", "channel_99_x.word2vec", "=x", "x="):
        with pytest.raises(SettingsError, match="write CHANNEL="):
            importing.parse(text, SETTINGS)


def test_what_is_no_such_model_is_told(spark: SparkSession, tmp_path: Path, saved: Path) -> None:
    def told(directory: Path, said: str) -> None:
        with pytest.raises(SettingsError, match=f"is no Word2VecModel as Spark saves it: .*{said}"):
            importing.read_saved(directory, SETTINGS)

    told(tmp_path, "no metadata")
    frame = spark.createDataFrame([(Vectors.dense([0.0]),), (Vectors.dense([9.0]),)], ["features"])
    KMeans(k=2, seed=1).fit(frame).save(str(tmp_path / "other"))
    told(tmp_path / "other", "no metadata")
    copy = tmp_path / "copy"
    (copy / "metadata").mkdir(parents=True)
    (part,) = (saved / "metadata").glob("part-*")
    document = part.read_text(encoding="utf-8")
    (copy / "metadata" / part.name).write_text(document, encoding="utf-8")
    told(copy, "no Parquet file")
    (copy / "data").mkdir()
    file = copy / "data" / "part-0.parquet"
    file.write_bytes(b"nothing")
    told(copy, "cannot be read")
    for words, rows, said in (
        (["数据"], [[1.0, 2.0]], "not numbers, 6 each"),
        (["数据"], [[math.nan] * 6], "not numbers, 6 each"),
        (["的"], [[1.0] * 6], "ever be looked up"),
    ):
        table = pa.table({"word": words, "vector": pa.array(rows, pa.list_(pa.float32()))})
        pq.write_table(table, file)
        told(copy, said)
    renamed = document.replace(".Word2VecModel", ".KMeansModel")
    (copy / "metadata" / part.name).write_text(renamed, encoding="utf-8")
    told(copy, "KMeansModel")
