"""A newsroom that never was: an unbounded, seeded stream of article events with known truth.

``Newsroom`` makes the events; ``Mix`` says how often which kind occurs; ``Truth`` says of every
event what it is and which earlier article it was made from.
"""

from producers.newsroom.mix import Mix
from producers.newsroom.simulator import Newsroom
from producers.newsroom.truth import SimulatedEvent, Truth, truth_line

__all__ = ["Mix", "Newsroom", "SimulatedEvent", "Truth", "truth_line"]
