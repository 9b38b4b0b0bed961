import pickle
import random
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from streaming.errors import SettingsError
from streaming.fingerprints.bands import hamming
from streaming.fingerprints.simhash import fingerprints
from streaming.similar.words import term
from streaming.text.normalise import normalise
from streaming.text.pipeline import Analysis, TextPipeline
from streaming.text.settings import TextSettings
from tests.newsfeed import messages

PIPELINE = TextPipeline(TextSettings())
TOPICS = """
经济 金融 市场 银行 利率 企业 投资 出口 消费 工业 农业 科技 教育 医疗 城市 交通 能源
环境 旅游 文化 体育 足球 比赛 冠军 运动员 教练 观众 票房 电影 导演 演员 音乐 歌手 舞台
艺术 博物馆 考古 历史 遗址 卫星 火箭 航天 发射 轨道 空间站 宇航员 实验 芯片 软件 手机 网络
数据 算法 机器人 汽车 电池 充电 飞机 机场 铁路 高速 港口 货物 海关 关税 贸易 协议 谈判
外交 访问 会谈 论坛 峰会 代表 主席 总理 法院 检察 律师 案件 犯罪 警方 调查 证据 判决
监狱
"""
WORDS = TOPICS.split()
BODY = "，".join(WORDS) + "。"


def analyse(title: str, body: str, channel: str = "") -> Analysis:
    return PIPELINE.analyse([(title, body, channel)])[0]


def test_an_article_is_normalised_weighed_and_fingerprinted() -> None:
    analysis = analyse("央行　降准", "<p>中国人民银行&nbsp宣布降准０.5个百分点</p>")
    assert analysis.title == "央行 降准"
    assert analysis.body == "中国人民银行 宣布降准0.5个百分点"
    assert analysis.text == f"{analysis.title}\n{analysis.body}"
    features = PIPELINE.features(analysis.title, analysis.body)
    assert {"降准", "0.5"} <= features.keys()
    assert [analysis.fingerprint] == fingerprints([features])


def test_fingerprints_of_articles_are_those_of_their_features() -> None:
    events = [orjson.loads(message.value) for message in messages(300, seed=7)]
    for event in events:
        analysis = analyse(event["title"], event["body"])
        features = PIPELINE.features(analysis.title, analysis.body)
        assert [analysis.fingerprint] == fingerprints([features])


@given(st.text(st.sampled_from("北京银行的在，。\n3a"), max_size=40), st.text(max_size=20))
def test_fingerprints_of_short_texts_are_those_of_their_features(title: str, body: str) -> None:
    analysis = analyse(title, body)
    features = PIPELINE.features(analysis.title, analysis.body)
    assert [analysis.fingerprint] == fingerprints([features])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.text(), st.text(), st.text()), max_size=4))
def test_an_article_is_analysed_as_if_alone(batch: list[tuple[str, str, str]]) -> None:
    assert PIPELINE.analyse(batch) == [analyse(*article) for article in batch]


@pytest.mark.parametrize(("title", "body"), [("", ""), ("！！！", "……"), ("<p></p>", "&nbsp;")])
def test_a_text_without_letter_and_digit_has_no_fingerprint(title: str, body: str) -> None:
    analysis = analyse(title, body)
    assert PIPELINE.features(analysis.title, analysis.body) == {}
    assert analysis.fingerprint is None


def test_markup_width_and_punctuation_do_not_change_the_fingerprint() -> None:
    changed = "<div>" + BODY.replace("，", "</div>, <div>").replace("。", "!") + "</div>"
    assert analyse("", changed).fingerprint == analyse("", BODY).fingerprint


def test_a_long_body_is_fingerprinted_without_its_title() -> None:
    fingerprint = analyse("", BODY).fingerprint
    assert analyse("一家银行的故事", BODY).fingerprint == fingerprint
    assert analyse("另一个标题", BODY).fingerprint == fingerprint


def test_a_short_body_is_fingerprinted_with_its_title() -> None:
    body = "，".join(WORDS[:20])
    one, other = analyse("甲省发布暴雨预警", body), analyse("乙市迎来大雪天气", body)
    assert one.fingerprint != other.fingerprint
    assert "暴雨" in PIPELINE.features(one.title, one.body)


def test_a_title_alone_is_fingerprinted() -> None:
    assert analyse("央行宣布降准", "").fingerprint == analyse("", "央行宣布降准").fingerprint


def test_a_byline_leaves_the_fingerprint_near_and_other_words_do_not() -> None:
    draw = random.Random(5)
    near, far = [], []
    for _ in range(20):
        story = draw.sample(WORDS, 70)
        body = "。".join("，".join(draw.choices(story, k=9)) for _ in range(30))
        edited = f"某报讯 记者张三 {body} 责任编辑李四"
        other = "，".join(draw.choices(sorted({*WORDS} - {*story}), k=270))
        original, copy, another = (
            analyse("", text).fingerprint or 0 for text in (body, edited, other)
        )
        near.append(hamming(original, copy))
        far.append(hamming(original, another))
    assert sum(distance <= 3 for distance in near) >= 16
    assert min(far) > 10


def test_the_pipeline_pickles_without_its_tables() -> None:
    pickled = pickle.dumps(PIPELINE)
    assert len(pickled) < 2_000
    copy = pickle.loads(pickled)  # noqa: S301 - just made here
    assert copy.analyse([("", BODY, "")]) == [analyse("", BODY)]


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_every_table_has_its_effect(tmp_path: Path) -> None:
    words = write(tmp_path / "words.txt", "降准宣布 9\n")
    stops = write(tmp_path / "stops.txt", "银行\n")
    extra = write(tmp_path / "extra.txt", "金融\n")
    idf = write(tmp_path / "idf.txt", "市场 9\n经济 1\n")
    lexicon = write(tmp_path / "lexicon.txt", "教育\t2\n")
    finance = write(tmp_path / "finance.txt", "教育\t3\n")
    pipeline = TextPipeline(
        TextSettings(
            user_dictionaries=(words,),
            stop_words=stops,
            extra_stop_words=extra,
            idf=idf,
            lexicon=lexicon,
            channel_lexicons={"财经": finance},
        )
    )
    text = f"{BODY}我们降准宣布"
    general, in_channel = (pipeline.features("", text, channel) for channel in ("", "财经"))
    for channel, features in (("", general), ("财经", in_channel)):
        (analysis,) = pipeline.analyse([("", text, channel)])
        assert [analysis.fingerprint] == fingerprints([features])
    assert "降准宣布" in general
    assert "我们" in general
    assert not {"银行", "金融"} & set(general)
    assert general["市场"] > general["经济"]
    assert general["教育"] == 2 * general["科技"]
    assert in_channel["教育"] == 3 * in_channel["科技"]


def test_the_word_model_can_be_left_out() -> None:
    text = "他来到了网易杭研大厦"
    with_model = PIPELINE.features("", text)
    without = TextPipeline(TextSettings(hmm=False)).features("", text)
    assert "杭研" in with_model
    assert "杭研" not in without


def test_the_stamp_changes_with_every_table_and_not_with_its_place(tmp_path: Path) -> None:
    one = write(tmp_path / "one.txt", "降准\t5\n")
    same = write(tmp_path / "same.txt", "降准\t5\n")
    other = write(tmp_path / "other.txt", "降准\t4\n")

    def stamp(**values: object) -> dict[str, object]:
        return TextPipeline(TextSettings.model_validate(values)).stamp()

    assert stamp() == stamp()
    assert stamp(lexicon=one) == stamp(lexicon=same)
    changed = [
        stamp(),
        stamp(hmm=False),
        stamp(lexicon=one),
        stamp(lexicon=other),
        stamp(channel_lexicons={"财经": one}),
        stamp(channel_lexicons={"体育": one}),
        stamp(user_dictionaries=[one]),
        stamp(user_dictionaries=[one, other]),
        stamp(user_dictionaries=[other, one]),
        stamp(stop_words=one),
        stamp(extra_stop_words=one),
        stamp(idf=one),
    ]
    assert all(changed.count(each) == 1 for each in changed)
    assert {"jieba", "opencc", "selectolax", "unicode", "normaliser"} <= set(stamp())


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    pipeline = TextPipeline(TextSettings(lexicon=tmp_path / "none.txt"))
    with pytest.raises(SettingsError, match=r"none\.txt: cannot be read"):
        pipeline.stamp()
    with pytest.raises(SettingsError, match=r"none\.txt: cannot be read"):
        pipeline.analyse([("", "文", "")])


def test_settings_are_strict_and_frozen() -> None:
    with pytest.raises(ValidationError):
        TextSettings.model_validate({"stopwords": "x.txt"})
    with pytest.raises(ValidationError):
        TextSettings().hmm = False  # type: ignore[misc]


def test_every_setting_is_described() -> None:
    assert all(field.description for field in TextSettings.model_fields.values())


def test_normalised_text_is_analysed_as_the_text_it_came_from() -> None:
    raw = "<p>ＡＩ　芯片&nbsp发布</p>"
    assert analyse("", raw) == analyse("", normalise(raw))


def test_words_are_those_of_the_analysis() -> None:
    pipeline = TextPipeline(TextSettings())
    title, body = "<b>聯合國</b>大會 &amp;lt;1&gt;", "<p>記者　ＡＢＣ報導：算力網絡。</p>"
    (found,) = pipeline.analyse([(title, body, "")])
    assert found.body_terms.tolist() == [*map(term, pipeline.words(body))]
    assert found.title_terms.tolist() == [*map(term, pipeline.words(title))]
    assert pipeline.words(title) == pipeline.words(found.title, normalised=True)
    assert "".join(pipeline.words(body)) != found.body, "words are of simplified characters"
    assert term("联合国大会") in found.title_terms


def test_the_stamp_of_words_is_a_part_of_the_whole() -> None:
    pipeline = TextPipeline(TextSettings())
    part, whole = pipeline.words_stamp(), pipeline.stamp()
    assert part == {name: whole[name] for name in part}
    assert {"normaliser", "jieba", "hmm", "user_dictionaries"} <= part.keys() < whole.keys()
