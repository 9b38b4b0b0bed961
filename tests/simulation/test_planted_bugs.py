"""The simulator is tested too: every planted bug must be caught."""

import itertools
import logging

import pytest

from tests.simulation.planted import BUGS
from tests.simulation.soak import world

HISTORIES = 2_000


@pytest.mark.parametrize("name", BUGS)
def test_it_is_caught(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    bug = BUGS[name]
    histories = ((seed, profile) for seed in itertools.count() for profile in bug.profiles)
    for seed, profile in itertools.islice(histories, HISTORIES):
        with bug.planted():
            if not correct(seed, profile, bug.style):
                break
    else:
        pytest.fail(f"{name!r} was not caught within {HISTORIES:,} histories")
    assert correct(seed, profile, bug.style), "the history fails without the bug as well"


def correct(seed: int, profile: str, style: str | None) -> bool:
    one = world(seed, profile, style)
    try:
        one.run()
        return not one.differences()
    except (KeyError, TypeError, ValueError, AttributeError, AssertionError):
        return False  # what it stored cannot even be read
    finally:
        one.forget()
