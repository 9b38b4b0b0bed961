import pytest

from streaming.matching.evidence import Pair, length_of
from streaming.matching.verification import Relation, Thresholds, verify
from streaming.text.pipeline import Analysis, TextPipeline
from streaming.text.settings import TextSettings

PIPELINE = TextPipeline(TextSettings())
STORY = (
    "市气象台今晨发布消息说,受北方冷空气影响,未来三天本市气温将明显下降。"
    "夜间最低气温可能降到零度以下,郊区道路会有薄冰。交通部门已经准备了融雪剂,"
    "并提醒司机减速慢行。教育部门要求各学校检查取暖设备,必要时推迟上课时间。"
    "医院的呼吸科门诊延长了服务时间,请老人和儿童注意保暖。供热公司表示将提前开始供暖,"
    "居民如遇室温不足可以拨打热线电话反映情况,维修人员会在两小时内上门处理。"
)
TRADITIONAL = STORY.translate(
    str.maketrans("气发说响来将显间温车准备电话员", "氣發說響來將顯間溫車準備電話員")
)


def analyse(body: str, title: str = "") -> Analysis:
    return PIPELINE.analyse([(title, body, "")])[0]


def related(later: Analysis, earlier: Analysis) -> Relation | None:
    assert not set(later.shingles).isdisjoint(earlier.shingles), "they would never meet"
    return verify(Pair(later.evidence, earlier.evidence), Thresholds()).relation


def test_a_copy_with_byline_and_footer_is_a_duplicate() -> None:
    copy = analyse("本报讯(记者 某人)" + STORY + "责任编辑:某某")
    assert related(copy, analyse(STORY)) == Relation.DUPLICATE


def test_both_scripts_are_one_text() -> None:
    assert TRADITIONAL != STORY
    traditional, simplified = analyse(TRADITIONAL), analyse(STORY)
    assert traditional.fingerprint == simplified.fingerprint
    assert related(traditional, simplified) == Relation.DUPLICATE
    assert traditional.body == TRADITIONAL, "what is stored is the text that came"


def test_a_part_is_an_excerpt() -> None:
    part = analyse(STORY[: len(STORY) // 2])
    assert related(part, analyse(STORY)) == Relation.CONTAINED_IN
    assert related(analyse(STORY), part) == Relation.CONTAINS


def test_the_notice_of_another_number_is_a_template() -> None:
    def notice(number: str, day: int) -> Analysis:
        return analyse(
            f"第{number}督导组{day}日进驻某市,听取情况汇报。督导组将在当地工作一个月,"
            f"期间开通值班电话,受理来信来访,每天处理不少于{day * 3}件。"
        )

    assert related(notice("十四", 23), notice("六", 11)) == Relation.TEMPLATE


def test_english_is_compared_by_words() -> None:
    story = (
        "The city council approved a new budget for public transport on Tuesday, after a long "
        "debate about fares. Buses will run every ten minutes during the day, and the tram line "
        "to the harbour will be extended by two stops before the end of next year. "
        "Opponents said the plan was too expensive, while drivers asked for better shifts."
    )
    assert related(analyse("By A Reporter\n" + story), analyse(story)) == Relation.DUPLICATE


def test_a_title_is_a_key_and_the_text_of_what_has_no_body() -> None:
    title = "市气象台发布寒潮蓝色预警信号"
    assert set(analyse("", title).shingles) & set(analyse(STORY, title).shingles)
    assert length_of(analyse("", title).evidence) == len(title)
    assert length_of(analyse(STORY, title).evidence) > 100


@pytest.mark.parametrize(
    ("later", "earlier", "relation"),
    [
        ("中超球队在沈阳举行赛前训练", "中超球队在大连举行赛前训练", Relation.TEMPLATE),
        ("中超球队在沈阳举行赛前训练", "中超球队将在沈阳举行赛前训练", Relation.TEMPLATE),
        ("第十二届图书博览会在沈阳开幕", "第十二届图书博览会在沈阳闭幕", Relation.TEMPLATE),
        (
            "文物修复师的一天(上)|口述历史系列",
            "文物修复师的一天(下)|口述历史系列",
            Relation.TEMPLATE,
        ),
        ("第十二届图书博览会在沈阳开幕", "第十二届图书博览会在沈阳举行", Relation.DUPLICATE),
        ("第十二届图书博览会昨日在沈阳开幕", "第十二届图书博览会在沈阳开幕", Relation.DUPLICATE),
        ("广东省公布今年义务植树计划安排", "广东公布今年义务植树计划安排", Relation.DUPLICATE),
        ("我国快递业务量再创历史新高", "中国快递业务量再创历史新高", Relation.DUPLICATE),
    ],
)
def test_what_a_changed_word_is_tells_an_edit_of_a_headline_from_another_story(
    later: str, earlier: str, relation: Relation
) -> None:
    assert related(analyse("", later), analyse("", earlier)) == relation
    assert related(analyse("", earlier), analyse("", later)) == relation


def test_a_name_in_a_flash_is_no_more_than_a_word() -> None:
    flash = STORY[:100]
    assert related(analyse("沈阳" + flash), analyse("大连" + flash)) == Relation.DUPLICATE
