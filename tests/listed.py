"""A newsroom with a few articles that are like each other, and small models of it."""

from pathlib import Path
from typing import Any

from streaming.settings import Settings
from streaming.similar.registry import Registry
from streaming.similar.scoring import Ranking
from streaming.similar.words import counted
from streaming.text.pipeline import TextPipeline
from tests.indexed import build
from tests.similar import versions

BODY = (
    "市气象台今天上午发布消息说，受冷空气影响，未来三天我市将有一次明显的降温过程。"
    "专家提醒市民出行注意添衣保暖，驾车人士尽量避开早晚高峰时段。"
    "有关部门已经要求各供热企业提前做好准备，确保居民室内温度达到标准。"
    "据介绍，这次冷空气从西伯利亚南下，预计明天夜里抵达本市北部山区。"
    "农业部门建议菜农及时加固大棚，学校可根据天气情况调整户外活动的安排。"
)
SNOW = (
    "受西伯利亚冷空气影响，北部山区昨夜迎来大雪，气象台发布道路结冰预警，"
    "驾车人士应当减速慢行，农业部门组织人员清除大棚积雪。"
)
HEAT = "供热企业昨天开始点火，居民室内温度逐步达到标准，物业公司上门检查管道，收费标准没有变化。"
MATCH = "足球联赛昨晚结束了第二轮的全部争夺，主队凭借下半场的进球逆转取胜，球迷们彻夜狂欢庆祝。"
EVENTS = (
    {"article_id": "a03", "title": "冷空气来了", "body": BODY, "source": "agency"},
    {"article_id": "b17", "title": "降温\x9b31m\ue000通知", "body": BODY.replace("今天", "昨天")},
    {"article_id": "c01", "title": "大雪", "body": SNOW, "published_at": "2026-01-04 08:00"},
    {"article_id": "d\u200f2", "title": "供暖", "body": HEAT},
    {"article_id": "e05", "title": "联赛", "body": MATCH * 2, "channel": "php"},
    {"article_id": "gone", "title": "大雪", "body": SNOW + HEAT},
    {"article_id": "gone", "event": "deleted"},
)
TEXT = TextPipeline(Settings().text)


def words_of(text: str) -> list[str]:
    """Give the words of a text that count."""
    found = [counted(each, versions.STOP_WORDS) for each in TEXT.words(text)]
    return [each for each in found if each is not None]


def version(here: Path, scratch: str, **ranking: Any) -> None:
    """Publish and activate a version in ``models``."""
    known = sorted({word for text in (BODY, SNOW, HEAT) for word in words_of(text)})
    made = [versions.learned(None, known[::2]), versions.learned("php", known, seed=3)]
    ranked = Ranking(vector_weight=0.3, **ranking)
    told = versions.publish(str(here / "models"), here / scratch, made, ranking=ranked)
    Registry(str(here / "models")).activate(told.version)


def build_with_lists(here: Path) -> Path:
    """Make an index of `EVENTS` with lists, under models beside it."""
    version(here, "first")
    return build(here, EVENTS, str(here / "models"))
