"""What models are learned from does not depend on where the articles are read."""

import time
import uuid
from pathlib import Path

import orjson

from streaming.enrichment import Enricher
from streaming.query.run import prepare
from streaming.reasons import Rejected
from streaming.settings import load
from streaming.similar.registry import Registry
from streaming.stack.stack import LocalStack
from streaming.store.opening import open_index
from streaming.times import write_time
from tests.engine.worlds import batch
from tests.integration.logs import leitong, log_of, publish
from tests.newsfeed import Message, simulated
from tests.offline import sentences

TRAIN = (
    *("train", "--models", "models", "--least-articles", "60", "--dimensions", "8"),
    *("--iterations", "1", "--set", "spark.master=local[2]", "--set", "spark.driver.memory=1g"),
)


def messages(rows: list[dict[str, object]]) -> list[Message]:
    return [Message(str(row["id"]).encode(), orjson.dumps(row)) for row in rows]


def test_lines_a_range_of_a_topic_and_an_index_give_the_same_version(
    stack: LocalStack, tmp_path: Path
) -> None:
    topic = f"kafka://{stack.kafka}/train-{uuid.uuid4().hex[:8]}"
    rows = sentences.articles({"体育": 80})
    rows.append({"event": "updated", "id": "体育-1", "channel": "体育", "body": "火山。爆发。"})
    rows.append({"event": "deleted", "id": "体育-2"})
    feed = [*simulated(300), *messages(rows)]
    others = messages(sentences.articles({"财经": 70}))

    publish(topic, others[:40])
    begin = {str(partition): 0 for partition in range(4)}
    for record in log_of(topic):
        begin[str(record.partition)] = max(begin[str(record.partition)], record.offset + 1)
    publish(topic, feed)
    end = max(record.timestamp_ms for record in log_of(topic)) + 1
    while time.time_ns() // 1_000_000 <= end:
        time.sleep(0.001)
    publish(topic, others[40:])
    (tmp_path / "begin.json").write_bytes(orjson.dumps(begin))

    # JSON that is written over several lines is the same JSON on one.
    lines = [message.value.replace(b"\n", b" ") + b"\n" for message in feed]
    (tmp_path / "articles.jsonl").write_bytes(b"".join(lines))

    url = f"hbase://{stack.hbase}/train-{uuid.uuid4().hex[:6]}?regions=2"
    settings = load(overrides=[("store.url", url, "test")], environment={}).settings
    prepare(settings)
    inside = [
        record
        for record in log_of(topic)
        if record.offset >= begin[str(record.partition)] and record.timestamp_ms < end
    ]
    assert len(inside) == len(feed)
    answers = Enricher(settings).enrich(inside)
    events = [answer for answer in answers if not isinstance(answer, Rejected)]
    batch(open_index(settings), events, settings.matching.rules())

    span = ("--from-offsets", "begin.json", "--to-time", write_time(end))
    leitong(*TRAIN, "--from", "articles.jsonl", directory=tmp_path)
    leitong(*TRAIN, "--from", topic, *span, directory=tmp_path)
    leitong(*TRAIN, "--from", url, directory=tmp_path)
    registry = Registry(str(tmp_path / "models"))
    file, log, index = (registry.verify(f"v000{number}") for number in (1, 2, 3))
    assert [model.channel for model in file.models] == [None, "体育"]
    assert [model.articles for model in file.models][1] == 79
    assert file.files() == log.files() == index.files()
    assert file.checksum == log.checksum == index.checksum
    assert log.source == {
        "kind": "log",
        "log": topic,
        "from_offsets": begin,
        "to_time": write_time(end),
        "articles": file.source["articles"],
    }
    assert index.source["kind"] == "store"
