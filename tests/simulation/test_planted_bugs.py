"""The simulator is tested too: every planted bug must be caught."""

import itertools
import logging

import pytest

from tests.simulation.planted import BUGS
from tests.simulation.soak import on_all_cores, world

HISTORIES = 2_000


@pytest.fixture(scope="module")
def caught() -> dict[str, str]:
    """How each bug was caught, hunted on all cores."""
    return dict(on_all_cores(hunt, BUGS))


@pytest.mark.parametrize("name", BUGS)
def test_it_is_caught(name: str, caught: dict[str, str]) -> None:
    assert caught[name] == "caught", f"{name}: within {HISTORIES:,} histories {caught[name]}"


def hunt(name: str) -> tuple[str, str]:
    """Run histories with a bug until one of them shows it, and that one without it."""
    logging.disable(logging.WARNING)
    bug = BUGS[name]
    histories = ((seed, profile) for seed in itertools.count() for profile in bug.profiles)
    for seed, profile in itertools.islice(histories, HISTORIES):
        with bug.planted():
            shown = not correct(seed, profile, bug.style)
        if shown:
            alone = correct(seed, profile, bug.style)
            return name, "caught" if alone else f"seed {seed} failed without it as well"
    return name, "not caught"


def correct(seed: int, profile: str, style: str | None) -> bool:
    one = world(seed, profile, style)
    try:
        one.run()
        return not one.differences()
    except (KeyError, TypeError, ValueError, AttributeError, AssertionError):
        return False  # what it stored cannot even be read
    finally:
        one.forget()
