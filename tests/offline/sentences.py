"""Texts of topics: words of one topic stand beside each other, and beside those of no other."""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

TOPICS = {
    "体育": ("球员", "教练", "比赛", "进球", "联赛", "冠军", "球迷", "主场"),
    "财经": ("股票", "基金", "银行", "利率", "投资", "市场", "债券", "汇率"),
    "教育": ("学校", "学生", "老师", "考试", "课程", "招生", "大学", "教材"),
}


def body(draw: random.Random, topic: str, count: int = 40) -> str:
    words = draw.choices(TOPICS[topic], k=count)
    return "。".join("，".join(words[at : at + 5]) for at in range(0, count, 5))


def articles(counts: dict[str, int], seed: int = 1) -> list[dict[str, Any]]:
    draw = random.Random(seed)
    rows = [
        {
            "id": f"{topic}-{number}",
            "channel": topic,
            "title": "，".join(draw.sample(TOPICS[topic], 2)),
            "body": body(draw, topic),
            "publish_time": f"2026-01-05 {number // 60 % 24:02d}:{number % 60:02d}",
        }
        for topic, count in counts.items()
        for number in range(count)
    ]
    draw.shuffle(rows)
    return rows


def write(file: Path, rows: Iterable[dict[str, Any]]) -> Path:
    file.write_bytes(b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows))
    return file
