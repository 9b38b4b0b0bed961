import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

CODE = """
import numpy as np
from numba import types
from streaming.compiled import array, compiled, inlined

@inlined
def twice(number):
    return 2 * number

@compiled(types.int64, array(np.int64))
def total(numbers):
    found = 0
    for number in numbers:
        found += twice(number)
    return found
"""


def test_what_was_compiled_is_kept_and_takes_what_may_not_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "some_loops.py").write_text(CODE)
    monkeypatch.syspath_prepend(str(tmp_path))
    import some_loops  # type: ignore[import-not-found]  # noqa: PLC0415

    numbers = np.arange(5)
    numbers.flags.writeable = False
    assert some_loops.total(numbers) == 20
    assert list(tmp_path.rglob("*.nbi"))


def test_where_nothing_can_be_kept_it_is_compiled_anew() -> None:
    # There is no file that belongs to the source.
    asked = f"{CODE}\nprint(total(np.arange(5)))"
    found = subprocess.run([sys.executable, "-c", asked], capture_output=True, check=True)
    assert found.stdout == b"20\n"
