"""Everything that verification measures is told, beside every threshold."""

from streaming.matching.evidence import Pair
from streaming.matching.measures import measures
from streaming.matching.verification import DEFAULT_THRESHOLDS
from streaming.text.pipeline import TextPipeline
from streaming.text.settings import TextSettings


def test_no_measure_and_no_threshold_is_left_out() -> None:
    bodies = "甲队3比1胜乙队，全场观众2万人。", "甲队2比0胜乙队，全场观众2万人。"
    analyses = TextPipeline(TextSettings()).analyse([("", body, "") for body in bodies])
    one, other = (each.evidence for each in analyses)
    found = {each.name: each for each in measures(Pair(one, other), DEFAULT_THRESHOLDS)}
    public = {name for name in vars(Pair) if not name.startswith("_")} - {"first_is_shorter"}
    assert public <= found.keys()
    brief = DEFAULT_THRESHOLDS.brief_class(19)
    assert found["likeness"].thresholds == brief.listed()
    met = {name for each in found.values() for name in each.thresholds}
    others = {name for each in DEFAULT_THRESHOLDS.brief if each != brief for name in each.listed()}
    assert met == DEFAULT_THRESHOLDS.listed().keys() - others
    assert found["overlap"].value == round(Pair(one, other).overlap, 6)
    assert found["overlap"].thresholds.keys() >= {"overlap", "short_overlap"}
    assert found["refigured"].value > 0
