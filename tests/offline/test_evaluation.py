import contextlib
import io
import json
import random
import runpy
from pathlib import Path

import orjson
import pytest

from streaming.cli import main
from streaming.errors import SourceError
from streaming.matching.rules import Rules
from streaming.offline.corpus import Corpus, read_corpus
from streaming.offline.evaluation import Evaluation, evaluate
from streaming.offline.judging import judge_all
from streaming.offline.pairs import read_pairs
from streaming.offline.scoring import Tally, length_class, roots, tally
from streaming.settings import Settings
from tests.newsfeed import CORPORA
from tests.offline.made import article, pair, sentences, stories, write

SCORER = CORPORA.parents[1] / "evaluate" / "score_verdicts.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = tmp_path_factory.mktemp("made")
    articles, pairs = stories(12)
    rng = random.Random(9)
    body = sentences(rng, 12)
    articles += [
        article("flash", body[:6], 1),
        article("full", body, 2),
        article("mark", ["!?……"], 3),
    ]
    pairs += [
        pair("full", "flash", "dup", conf="borderline"),
        pair("0", "1", "unrelated", conf="clear"),
        pair("0-part", "0-0.1", "template", conf="clear"),
        pair("mark", "0", "related", conf="clear"),
        pair("0", "absent", "dup", conf="clear"),
    ]
    write(made / "articles.jsonl", articles)
    write(made / "pairs.jsonl", pairs)
    return made


@pytest.fixture(scope="module")
def corpus(folder: Path) -> Corpus:
    return read_corpus([folder / "articles.jsonl"], Settings())


@pytest.fixture(scope="module")
def found(folder: Path, corpus: Corpus) -> Evaluation:
    return evaluate(corpus, read_pairs(folder / "pairs.jsonl"), Rules())


def test_a_report_tells_what_was_found(found: Evaluation) -> None:
    report = found.report
    assert report["all"]["pairs"] == report["pairs"]["scored"] == 52
    assert report["pairs"]["with_an_article_that_is_not_there"] == 1
    assert report["by_kind"]["edit 0.1"]["share"] == 1
    assert report["by_kind"]["excerpt"]["flagged"] == 12
    assert report["by_label"]["unrelated"]["flagged"] == 0
    assert report["by_label"]["template"] == {
        "duplicates": False, "pairs": 1, "flagged": 1, "share": 1
    }  # fmt: skip
    assert report["clear"]["pairs"] == report["all"]["pairs"] - 13
    assert sum(each["pairs"] for each in report["by_length"].values()) == 52
    assert report["without_a_key"] == {"count": 1, "first": ["mark"]}
    assert report["per_article"]["keys"]["max"] > report["per_article"]["keys"]["mean"] > 5
    assert report["candidate_recall"] == 1
    assert report["largest_cluster"]["size"] >= 3
    assert orjson.loads(orjson.dumps(report)) == report


def test_a_wrong_pair_is_told_with_its_reason(found: Evaluation) -> None:
    (through,) = (each for each in found.wrong if each["label"] == "template")
    assert through["flagged"]
    assert through["reason"] in {"one text by the evidence", "both repeat 0"}
    assert len(found.wrong) == found.report["all"]["wrong"] + found.report["all"]["missed"]


def test_what_was_never_compared_is_told(corpus: Corpus, folder: Path) -> None:
    hidden = Rules(shingles=False)
    wrong = evaluate(corpus, read_pairs(folder / "pairs.jsonl"), hidden).wrong
    reasons = {each["reason"] for each in wrong if not each["flagged"]}
    assert "never compared: no key in common" in reasons


def test_nothing_is_shared_where_there_is_nothing() -> None:
    assert (Tally().precision, Tally().recall, Tally().f1) == (None, None, None)
    mixed = tally([(True, True), (True, False), (False, True), (False, False)])
    assert (mixed.precision, mixed.recall, mixed.f1, mixed.pairs) == (0.5, 0.5, 0.5, 4)
    assert [length_class(n) for n in (0, 19, 20, 499, 500)] == [
        "0-20", "0-20", "20-50", "140-500", "500-"
    ]  # fmt: skip
    assert roots({"b": "a", "c": "b", "e": "d", "f": "c"}) == {
        "b": "a", "c": "a", "e": "d", "f": "a"
    }  # fmt: skip


@pytest.mark.skipif(not SCORER.exists(), reason="the scoring script of the corpora is not there")
@pytest.mark.parametrize("rules", [Rules(), Rules(shingles=False), Rules(visible=1, max_matches=1)])
def test_the_figures_are_those_of_the_script(
    folder: Path, corpus: Corpus, rules: Rules, tmp_path: Path
) -> None:
    report = evaluate(corpus, read_pairs(folder / "pairs.jsonl"), rules).report
    lines = [
        {"article_id": each.article.name, **each.verdict.fields()}
        for each in judge_all(corpus.articles, rules)
    ]
    verdicts = write(tmp_path / "verdicts.jsonl", lines)
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        runpy.run_path(str(SCORER))["main"](
            ["--verdicts", str(verdicts), "--pairs", str(folder / "pairs.jsonl"),
             "--articles", str(folder / "articles.jsonl")]
        )  # fmt: skip
    script = json.loads(told.getvalue())
    for ours, theirs in (("all", "all"), ("clear", "clear_only")):
        mine = report[ours]
        expected = script[theirs]
        assert [mine["pairs"], mine["right"], mine["wrong"], mine["missed"], mine["f1"]] == [
            expected["n"], expected["tp"], expected["fp"], expected["fn"], expected["f1"]
        ]  # fmt: skip
    assert report["largest_cluster"]["size"] == script["stream"]["largest_cluster"]
    assert report["marked_duplicate"] == script["stream"]["marked_duplicate"]
    assert script["pairs_skipped_not_sent"] == 1


def test_pairs_of_other_articles_are_told(corpus: Corpus, tmp_path: Path) -> None:
    pairs = read_pairs(write(tmp_path / "p.jsonl", [pair("x", "0", "dup")]))
    with pytest.raises(SourceError, match="none of the 1 pairs has both its articles"):
        evaluate(corpus, pairs, Rules())


def test_the_command_prints_tables_or_a_document(
    folder: Path, no_settings: Path, capsys: pytest.CaptureFixture[str], found: Evaluation
) -> None:
    files = ["--articles", str(folder / "articles.jsonl"), "--pairs", str(folder / "pairs.jsonl")]
    main(["evaluate", *files, "--wrong", "wrong.jsonl"])
    out, err = capsys.readouterr()
    assert "candidate recall 1.000" in out
    assert "1 articles without any key, which match nothing (mark ...)" in out
    assert f"{len(found.wrong)} wrong pairs in wrong.jsonl" in err
    lines = (no_settings / "wrong.jsonl").read_bytes().splitlines()
    assert [orjson.loads(line) for line in lines] == found.wrong
    main(["evaluate", *files, "--json"])
    assert orjson.loads(capsys.readouterr().out) == found.report
