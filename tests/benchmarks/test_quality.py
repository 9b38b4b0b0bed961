"""The parts of the comparison that need no peer."""

import pytest

from benchmarks.quality import Row, fields, markdown, tuned
from streaming.matching.evidence import Pair
from streaming.offline.measures import Measured
from streaming.offline.pairs import LabelledPair
from tests.matching.test_evidence import of

TRUTH = [True, True, False, True, False]


@pytest.mark.parametrize(
    ("alike", "limit"),
    [([0.9, 0.8, 0.3, 0.7, 0.2], 0.7), ([-1.0, -2, -9, -12, -13], -12), ([0.5] * 5, 0.5)],
)
def test_a_peer_gets_its_best_threshold(alike: list[float], limit: float) -> None:
    assert tuned(alike, TRUTH) == limit


def test_a_row_counts_what_was_flagged_by_label() -> None:
    text = of([1, 2, 3])
    labels = ["dup", "dup", "template", "dup", "related"]
    pairs = [
        Measured(LabelledPair(f"a{n}", f"b{n}", label, "", "clear" if n else ""), Pair(text, text))
        for n, label in enumerate(labels)
    ]
    row = fields(Row("tool", "default", 0.5, [True, False, True, True, False], 1.234), pairs)
    assert (row["right"], row["wrong"], row["missed"]) == (2, 1, 1)
    assert row["flagged"] == {"related": 0, "template": 1}
    assert (row["clear"]["pairs"], row["clear"]["f1"]) == (4, 0.5)
    told = markdown(
        {
            "rows": [row],
            "pairs": 5,
            "duplicates": 3,
            "versions": {},
        }
    )
    assert "| tool | default: 0.5 | 0.667 | 0.667 | 0.667 | 0.500 | 0 | 1 | 1.2 |" in told
