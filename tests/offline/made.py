"""Articles made of nothing: sentences of drawn characters, and edits of them."""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

# Ordinary characters that make hardly any word together, so that texts share none by chance.
_CHARACTERS = [chr(0x4E00 + n) for n in range(0, 6000, 7)]


def sentences(rng: random.Random, count: int, size: int = 16) -> list[str]:
    return ["".join(rng.choices(_CHARACTERS, k=size)) + "。" for _ in range(count)]


def article(name: str, body: Iterable[str], minute: int = 0, **more: Any) -> dict[str, Any]:
    time = f"2026-01-05 {minute // 60:02d}:{minute % 60:02d}"
    return {"id": name, "channel": "news", "body": "".join(body), "publish_time": time} | more


def pair(one: str, other: str, label: str, **more: Any) -> dict[str, Any]:
    return {"id1": one, "id2": other, "label": label} | more


def write(file: Path, rows: Iterable[dict[str, Any]]) -> Path:
    file.write_bytes(b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows))
    return file


def stories(count: int, seed: int = 1) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Articles, each with copies edited more and more, and pairs; the most edited are none."""
    rng = random.Random(seed)
    articles, pairs = [], []
    for n in range(count):
        body = sentences(rng, rng.randint(12, 40))
        articles.append(article(f"{n}", body, 3 * n))
        for share in (0.1, 0.2, 0.6):
            edited = list(body)
            for place in rng.sample(range(len(body)), max(1, int(share * len(body)))):
                edited[place] = sentences(rng, 1)[0]
            name = f"{n}-{share}"
            articles.append(article(name, edited, 3 * n + int(share * 10) % 3))
            label, conf = ("related", "borderline") if share > 0.5 else ("dup", "clear")
            pairs.append(pair(f"{n}", name, label, kind=f"edit {share}", conf=conf))
        articles.append(article(f"{n}-part", body[: len(body) // 2], 3 * n + 2))
        pairs.append(pair(f"{n}-part", f"{n}", "dup", kind="excerpt", conf="clear"))
    return articles, pairs
