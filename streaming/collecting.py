"""How often Python looks for garbage in cycles.

A batch makes some hundred thousand objects that live until its end and refer to each other
without cycles. As Python is set up, it looks through all of them again and again while they
are made, which takes a third of the time of judging.
"""

import gc

_YOUNG, _MIDDLE, _OLD = 200_000, 20, 50


def seldom() -> None:
    """Look for cycles seldom from now on; may be called again."""
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
