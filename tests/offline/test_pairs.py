import gzip
from pathlib import Path

import pytest

from streaming.errors import SourceError
from streaming.offline.pairs import LabelledPair, articles_of, read_pairs
from tests.offline.made import pair, write


def test_pairs_are_read_with_what_is_known_of_them(tmp_path: Path) -> None:
    file = write(
        tmp_path / "p.jsonl",
        [pair("a", "b", "dup", kind="copy", conf="clear", j=0.5), pair("a", "3", "not_dup")],
    )
    one, other = read_pairs(file)
    assert one == LabelledPair("a", "b", "dup", "copy", "clear")
    assert (one.duplicate, one.clear, other.duplicate, other.clear) == (True, True, False, False)
    assert articles_of([one, other]) == {"a", "b", "3"}
    packed = tmp_path / "p.jsonl.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    assert read_pairs(packed) == [one, other]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"{", r"p\.jsonl:2: is no JSON"),
        (b"[]", r"p\.jsonl:2: has no id1, id2 or label"),
        (b'{"id1": "a", "id2": "b"}', r"p\.jsonl:2: has no id1, id2 or label"),
        (b'{"id1": "a", "id2": ["b"], "label": "dup"}', r"p\.jsonl:2: has no id1"),
        (b'{"id1": "a", "id2": "a", "label": "dup"}', r"p\.jsonl:2: pairs an article with itself"),
    ],
)
def test_a_line_that_is_no_pair_is_told_with_its_place(
    tmp_path: Path, line: bytes, told: str
) -> None:
    file = write(tmp_path / "p.jsonl", [pair("a", "b", "dup")])
    file.write_bytes(file.read_bytes() + line + b"\n")
    with pytest.raises(SourceError, match=told):
        read_pairs(file)


def test_a_file_without_pairs_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no pairs"):
        read_pairs(write(tmp_path / "p.jsonl", []))
