"""The words of a headline that another headline of the same form has others for.

One changed word is an edit of a headline or makes another story, and no measure of likeness
can tell which. What the word is can: two headlines of which each names somebody or somewhere
that the other does not, or one of which announces what the other reports, are two stories.
"""

import re
from collections.abc import Mapping, Sequence

NAME = "name"
_KINDS = {
    **dict.fromkeys(("ns", "nr", "nrt", "nrfg", "nt", "nz"), NAME),
    "j": "abbreviation",
    "m": "number",
    "mq": "number",
    "t": "time",
    "f": "side",
}
"""What jieba's tags of parts of speech say that a word tells; it takes names of all kinds for
each other too often to keep people, places and organisations apart."""
TAGS = frozenset(_KINDS)
_SINGLE = frozenset("jf")
"""Tags of which words of one character tell something: of others they are parts of words."""
_OWN = frozenset(("中国",))
"""Agencies put it before anything that is reported abroad as well."""
_AREA = re.compile("(..+)[省市县区]")
"""A place is the same with the word for what it is and without it."""

_WORDS = {
    # The words of a group say the same. An event that is held, which is in none, may be at
    # its beginning or its end.
    "stage": (
        "开始 启动 开启 开幕 揭幕 开播 开赛 开工 召开 出发 启程 离京",
        "继续 持续",
        "结束 完成 完工 竣工 收官 闭幕 落幕 抵达",
    ),
    "case": (
        "审查 调查 落马",
        "逮捕 被捕",
        "开除党籍 双开",
        "起诉 公诉",
        "开庭 受审",
        "宣判 判刑 获刑",
    ),
    "round": ("预赛 资格赛", "小组赛", "半决赛", "决赛"),
    "session": ("开盘 早盘", "午盘", "尾盘", "收盘"),
    "course": (
        "上涨 增长 上升 攀升 回升 走高 上调 高开 收涨 涨 升",
        "下跌 下降 下滑 回落 走低 下调 低开 收跌 跌 降",
    ),
    # What else tells the instances of a form, where jieba's tags do not.
    NAME: ("合肥", "大连", "海口", "银川", "教育部", "公安部"),
    "colour": ("蓝色", "黄色", "橙色", "红色"),
    "number": ("首次", "首场", "首届", "首批", "首轮"),
    "office": ("总统", "总理", "首相", "国王", "议长", "外长", "防长", "财长"),
}
_ANNOUNCING = frozenset(("将", "将于", "将会", "即将", "行将", "拟", "拟于", "有望"))

_GROUPS = {
    word: (group.split()[0], kind)
    for kind, groups in _WORDS.items()
    for group in groups
    for word in group.split()
}
_ENDING = re.compile("..(..)")
_ENDINGS = {word: each for word, each in _GROUPS.items() if each[1] in ("stage", "case", "course")}
"""What the dictionary has as a word of four characters says what ends it: successfully ended."""


class Contrasts:
    """Tells which words of a headline contrast with others of their kind.

    ``tags`` maps words to jieba's tags; those not in `TAGS` need not be in it.
    """

    def __init__(self, tags: Mapping[str, str]) -> None:
        self._tags = tags

    def find(self, words: Sequence[str]) -> list[tuple[str, str]]:
        """Give what contrasts, each as it and its kind, and each once.

        A headline without a word that announces something is of the other tense.
        """
        found: dict[tuple[str, str], None] = {}
        for word in words:
            ending = _ENDING.fullmatch(word)
            contrast = _GROUPS.get(word) or (_ENDINGS.get(ending[1]) if ending else None)
            contrast = contrast or self._tagged(word)
            if contrast:
                found[contrast] = None
        tense = "announced" if _ANNOUNCING.intersection(words) else "reported"
        return [*found, (tense, "tense")]

    def _tagged(self, word: str) -> tuple[str, str] | None:
        tag = self._tags.get(word)
        kind = _KINDS.get(tag or "")
        if kind is None or word in _OWN or (len(word) == 1 and tag not in _SINGLE):
            return None
        area = _AREA.fullmatch(word) if kind == NAME else None
        return (area[1] if area and area[1] in self._tags else word), kind
