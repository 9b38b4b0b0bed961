import numpy as np

from streaming.similar import kernels
from streaming.similar.scoring import HOUR_MS, decay


def test_blocks_behind_those_with_bounds_have_no_reach() -> None:
    # What lies in memory behind the bounds would be in the window.
    times = np.full(4, 5 * HOUR_MS)
    known, reach = times[:2], np.full(3, 0.7)
    fading = decay(10 * HOUR_MS)
    kernels.reaches(known, known, known, known, fading, 0, 9 * HOUR_MS, 15 * HOUR_MS, reach)
    assert reach.tolist() == [0.5, 0.5, 0.0]
