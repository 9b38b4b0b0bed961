import hashlib
import random
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from streaming.cli import main
from streaming.errors import SettingsError
from streaming.matching.content import pair_of
from streaming.matching.evidence import Pair
from streaming.matching.verification import DEFAULT_THRESHOLDS, Thresholds, verify
from streaming.offline import curve
from streaming.offline.calibration import calibrate
from streaming.offline.corpus import read_corpus
from streaming.offline.folds import folds
from streaming.offline.learning import cross_validate, learn, search
from streaming.offline.measures import Measured, learnable, measure, score
from streaming.offline.pairs import LabelledPair, read_pairs
from streaming.offline.scoring import ONE_TEXT
from streaming.settings import Settings, load
from tests.matching.test_evidence import of
from tests.offline.made import pair, stories, write


def measured(name: str, overlap: int, *, duplicate: bool, length: int = 200) -> Measured:
    """A pair of long texts of which so many hundredths are shared."""
    shared = overlap * length // 100
    one = of([*range(length)])
    other = of([*range(shared), *range(1_000, 1_000 + length - shared)])
    label = LabelledPair(f"{name}/1", f"{name}/2", "dup" if duplicate else "related")
    return Measured(label, Pair(one, other))


def searched(pairs: Sequence[Measured]) -> Thresholds:
    return search(pairs, random.Random(1))


LADDER = [
    measured(f"{copies}-{overlap}", overlap, duplicate=overlap >= 50)
    for copies in range(3)
    for overlap in (10, 20, 30, 40, 50, 60, 70, 80, 90)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("made")
    articles, pairs = stories(12)
    write(made / "articles.jsonl", articles)
    write(made / "pairs.jsonl", [*pairs, pair("0", "absent", "dup")])
    return made


def test_a_threshold_is_put_in_the_middle_of_where_it_may_be() -> None:
    found = searched(LADDER)
    assert score(LADDER, found).f1 == 1
    assert found.overlap == 0.45
    silent = set(learnable()) - {"overlap"}
    assert {name: found.listed()[name] for name in silent} == {
        name: DEFAULT_THRESHOLDS.listed()[name] for name in silent
    }


def test_what_is_learned_is_what_most_draws_say() -> None:
    odd = [*LADDER, measured("odd", 80, duplicate=False)]
    learned = learn(odd, seed=1)
    assert 0.4 < learned.overlap <= 0.5
    assert learn(odd, seed=1) == learned


def test_of_a_wide_stretch_the_middle_is_taken() -> None:
    # The long pairs put places between the short ones, and do not care.
    short = [
        measured(f"{overlap}-{n}", overlap, duplicate=overlap == 90, length=100)
        for overlap in (40, 90)
        for n in range(3)
    ]
    found = searched([*LADDER, *short])
    assert (found.overlap, found.listed()["brief.140.best"]) == (0.45, 0.65)


def test_a_threshold_of_which_few_pairs_tell_stays() -> None:
    short = [measured("few", 40, duplicate=False, length=100)]
    short.append(measured("most", 90, duplicate=True, length=100))
    assert searched([*LADDER, *short]).brief == DEFAULT_THRESHOLDS.brief


def test_pairs_that_no_value_moves_count_as_well() -> None:
    rungs = {100: (True, 20), 90: (True, 1), 60: (False, 3), 50: (True, 2), 10: (False, 1)}
    pairs = [
        measured(f"{overlap}-{n}", overlap, duplicate=duplicate)
        for overlap, (duplicate, count) in rungs.items()
        for n in range(count)
    ]
    # Two are missed, which is less than three wrong ones only beside the twenty.
    assert searched(pairs).overlap == 0.75


def test_what_is_in_force_does_not_help_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    before = learn(LADDER, seed=1)
    other = replace(DEFAULT_THRESHOLDS, overlap=0.99)
    monkeypatch.setattr("streaming.offline.learning.DEFAULT_THRESHOLDS", other)
    assert learn(LADDER, seed=1) == before


def test_no_article_is_in_two_folds() -> None:
    chain = [
        replace(each, label=LabelledPair(f"a{n}", f"a{n + 1}" if n % 4 else f"b{n}", "dup"))
        for n, each in enumerate(LADDER)
    ]
    cut = folds(chain, 5, seed=1)
    assert sorted(place for fold in cut for place in fold) == list(range(len(chain)))
    homes: dict[str, set[int]] = {}
    for number, fold in enumerate(cut):
        for place in fold:
            for name in (chain[place].label.one, chain[place].label.other):
                homes.setdefault(name, set()).add(number)
    assert {len(each) for each in homes.values()} == {1}
    assert folds(chain, 5, seed=1) == cut


def test_folds_have_their_share_of_duplicates() -> None:
    cut = folds(LADDER, 3, seed=1)
    counts = [Counter(LADDER[place].label.duplicate for place in fold) for fold in cut]
    assert counts == [{True: 5, False: 4}] * 3


def test_a_pair_is_judged_without_its_own_label() -> None:
    odd = [*LADDER, measured("odd", 46, duplicate=False)]
    assert score(odd, learn(odd, seed=1)).f1 == 1
    # The others put the threshold at .45: nobody can know of the one that is left out.
    validated = cross_validate(odd, len(odd), seed=1)
    assert [each.label.one for each, flagged in zip(odd, validated.flagged, strict=True)
            if flagged != each.label.duplicate] == ["odd/1"]  # fmt: skip
    assert len(validated.learned) == len(odd)


def test_measured_pairs_are_judged_as_verification_judges_them(folder: Path) -> None:
    corpus = read_corpus([folder / "articles.jsonl"], Settings())
    articles = {each.name: each for each in corpus.articles}
    pairs = measure(corpus.articles, read_pairs(folder / "pairs.jsonl"))
    assert len(pairs) == 48
    for each in pairs:
        one, other = (articles[name] for name in (each.label.one, each.label.other))
        later, earlier = (one, other) if one.first > other.first else (other, one)
        assert later.content is not None
        assert earlier.content is not None
        answer = verify(pair_of(later.content, earlier.content), DEFAULT_THRESHOLDS)
        assert each.flagged(DEFAULT_THRESHOLDS) == (answer.relation in ONE_TEXT)


def test_too_few_pairs_are_told() -> None:
    with pytest.raises(SettingsError, match="0 pairs of duplicates and 4 others"):
        calibrate(LADDER[:4], 5, 1)


def test_a_curve_falls_where_precision_does() -> None:
    points = curve.curve(LADDER, DEFAULT_THRESHOLDS)
    assert [points[n].tally.recall for n in (0, 45, 55, 100)] == [1, 1, 0.8, 0]
    assert points[0].tally.precision == pytest.approx(15 / 27)
    assert len(curve.lines(points, every=5)) == 22
    drawn = curve.picture(points, curve.at_value(LADDER, DEFAULT_THRESHOLDS, 0.45), "a < b & c")
    root = ET.fromstring(drawn)  # noqa: S314 - our own text
    (line,) = root.iter("{http://www.w3.org/2000/svg}polyline")
    places = [tuple(map(float, place.split(","))) for place in line.attrib["points"].split()]
    flagged = [each for each in points if each.tally.precision is not None]
    assert len(places) == len(flagged) < len(points)
    assert all(60 <= x <= 420 and 60 <= y <= 420 for x, y in places)
    assert "a < b & c" in "".join(root.itertext())


def test_the_command_writes_what_the_settings_read(
    folder: Path, no_settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    articles, pairs = folder / "articles.jsonl", folder / "pairs.jsonl"
    command = ["calibrate", "--articles", str(articles), "--pairs", str(pairs), "--folds", "2"]
    main([*command, "--to", "t.toml", "--picture", "p.svg"])
    out, err = capsys.readouterr()
    assert "1 pairs left out" in err
    assert "in 2 folds" in out
    document = tomllib.loads((no_settings / "t.toml").read_text())
    assert document["learned"]["pairs"] == document["cross_validation"]["pairs"] == 48
    assert document["learned"]["duplicates"] == 36
    checksum = hashlib.sha256(articles.read_bytes()).hexdigest()
    assert document["inputs"]["articles.jsonl"] == f"sha256:{checksum}"
    text = (no_settings / "t.toml").read_text() + (no_settings / "p.svg").read_text()
    assert text.isascii(), "no text of an article is kept"
    overrides = [("matching.thresholds_file", "t.toml", "--set")]
    thresholds = load(overrides=overrides, environment={}).settings.matching.rules().thresholds
    assert thresholds.overlap == document["thresholds"]["overlap"]
    main([*command, "--to", "again.json"])
    again = load(overrides=[("matching.thresholds_file", "again.json", "")], environment={})
    assert again.settings.matching.rules().thresholds == thresholds
