"""Articles for the tests: a real corpus where there is one, else simulated ones as many.

``LEITONG_CORPORA`` names the folder of the corpora; JSON lines, gzipped, with ``id``,
``channel``, ``body`` and perhaps ``title`` and ``publish_time``.
"""

import gzip
import itertools
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import orjson

from producers.newsroom import Newsroom
from streaming.settings import Settings

CORPORA = Path(
    os.environ.get(
        "LEITONG_CORPORA", Path(__file__).resolve().parents[2] / "shared" / "data" / "corpora"
    )
)
NEWS = ("sogouc_reduced", "chinanews_2023")


class Message(NamedTuple):
    key: bytes
    value: bytes


def messages(count: int, seed: int = 1) -> list[Message]:
    """Article events, shuffled; about one in ten a near-duplicate.

    Taken from the beginnings of the corpora: a sample from all over would tear copies apart.
    """
    if not all((CORPORA / f"{name}.jsonl.gz").exists() for name in NEWS):
        return simulated(count, seed)
    feeds = [list(itertools.islice(corpus(name), count)) for name in NEWS]
    mixed = [each for several in itertools.zip_longest(*feeds) for each in several if each]
    found = mixed[:count]
    random.Random(seed).shuffle(found)
    return found


def corpus(name: str) -> Iterator[Message]:
    with gzip.open(CORPORA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = orjson.loads(line)
            event = {
                "event": "created",
                "article_id": f"{name}/{row['id']}",
                "channel": row["channel"],
                "title": row.get("title") or "",
                "body": row["body"],
                "published_at": row.get("publish_time"),
            }
            yield Message(event["article_id"].encode(), orjson.dumps(event))


def simulated(count: int, seed: int = 1) -> list[Message]:
    """Well-formed simulated events only."""
    channels = {int(number): name for number, name in Settings().channels.items()}
    newsroom = Newsroom(seed, channels=channels, start=datetime(2026, 1, 5, tzinfo=UTC))
    good = (
        Message(event.record.key, event.record.value)
        for event in newsroom
        if event.truth is not None
        and not event.truth.kind.startswith("malformed")
        and event.record.key is not None
        and event.record.value is not None
    )
    return list(itertools.islice(good, count))
