import numpy as np
import pytest

from streaming.fingerprints.bands import BandScheme
from streaming.offline.crowd import Crowd, fit
from streaming.offline.crowding import Crowding, measure
from streaming.offline.plan import SCHEMES
from streaming.offline.plan_profile import default_profile


@pytest.fixture(scope="module")
def real() -> Crowding:
    return default_profile().crowding["newsroom"]


@pytest.fixture(scope="module")
def crowd(real: Crowding) -> Crowd:
    return fit(real)


def test_a_fingerprint_depends_on_its_number_and_the_seed_only(crowd: Crowd) -> None:
    whole = crowd.draw(1_000, seed=3)
    assert np.array_equal(crowd.draw(400, start=600, seed=3), whole[600:])
    assert not np.isin(crowd.draw(1_000, seed=4), whole).any()
    assert len(np.unique(whole)) == 1_000
    assert crowd.draw(0).tolist() == []


def test_bits_are_set_as_often(crowd: Crowd, real: Crowding) -> None:
    drawn = measure(crowd.draw(40_000))
    assert np.abs(drawn.bits - real.bits).max() < 0.02


@pytest.mark.parametrize("scheme", SCHEMES)
def test_bands_are_shared_as_often(crowd: Crowd, real: Crowding, scheme: BandScheme) -> None:
    assert measure(crowd.draw(40_000)).rate(scheme).mean == pytest.approx(
        real.rate(scheme).mean, rel=0.35
    )


def test_pairs_are_as_near(crowd: Crowd, real: Crowding) -> None:
    drawn = measure(crowd.draw(40_000))
    shares = [each.distances[0, -1].cumsum() / each.pairs[0, -1] for each in (drawn, real)]
    for distance in range(12, 40):
        assert shares[0][distance] == pytest.approx(shares[1][distance], rel=0.35), distance


def test_bits_that_never_change_stay() -> None:
    values = np.random.default_rng(1).integers(0, 2**40, 2_000, dtype=np.uint64)
    drawn = fit(measure(values)).draw(20_000)
    assert not (drawn >> np.uint64(40)).any()
