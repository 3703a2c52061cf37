"""Rain over the last hour, from the reflectivity of the world's steps in it.

The rate R in mm/h follows from the reflectivity Z in mm^6 m^-3 as Z = 300 R^1.4, and Z counts as
that of 53 dBZ at most, since hail would pass for rain: the relation of the WSR-88D for convection
(Fulton et al. 1998, doi:10.1175/1520-0434(1998)013<0377:TWRA>2.0.CO;2).

Between two steps rain moves with the steering wind c, while it changes from what the earlier step
has to what the later one has: at a share s of the h hours between them

    R(x, s) = (1 - s) R_0(x - s h c) + s R_1(x + (1 - s) h c)

as radar estimates are accumulated (Anagnostou and Krajewski 1999,
doi:10.1175/1520-0426(1999)016<0189:RTRREP>2.0.CO;2). A snapshot every half hour would leave a
string of beads behind a storm. Shares are the middles of 5 minutes, in which a storm moves about a
point.
"""

import itertools
from collections.abc import Sequence

import numpy as np

from stormdraw.simulated.domain import Domain
from stormdraw.simulated.state import State

_FACTOR, _EXPONENT = 300.0, 1.4
_HAIL = 53.0  # dBZ
_MINUTES = 5


def rain_rate(reflectivity: np.ndarray) -> np.ndarray:
    """Rain in mm/h from reflectivity in dBZ."""
    linear = 10 ** (np.minimum(reflectivity, _HAIL) / 10)
    return (linear / _FACTOR) ** (1 / _EXPONENT)


def rain_of(domain: Domain, states: Sequence[State], rates: Sequence[np.ndarray]) -> np.ndarray:
    """Rain in mm from the first to the last of a world's consecutive states, (y, x) on the box.

    `rates` in mm/h are those of each state, (y, x).
    """
    total = np.zeros(domain.shape)
    pairs = zip(itertools.pairwise(states), itertools.pairwise(rates), strict=True)
    for (earlier, later), (before, after) in pairs:
        seconds = (later.time - earlier.time).total_seconds()
        # The earlier state's wind moves storms through the step.
        points = seconds * earlier.steering[::-1] / domain.spacing
        total += seconds / 3600.0 * mean_rate(before, after, points, round(seconds / 60 / _MINUTES))
    return total


def mean_rate(before: np.ndarray, after: np.ndarray, points: np.ndarray, parts: int) -> np.ndarray:
    """The mean in time of a rate (y, x) on the periodic box that moves by `points` (y, x).

    Of `parts` equal parts of the time, the middle of each stands for it.
    """
    total = np.zeros(before.shape)
    for share in (np.arange(parts) + 0.5) / parts:
        total += (1 - share) * moved(before, share * points)
        total += share * moved(after, (share - 1) * points)
    return total / parts


def moved(values: np.ndarray, points: np.ndarray) -> np.ndarray:
    """A field (y, x) on the periodic box, moved by `points` (y, x), between points linearly.

    The sum over the box stays the same, and nothing becomes negative.
    """
    for axis, shift in enumerate(points):
        whole, part = divmod(float(shift), 1.0)
        near = np.roll(values, int(whole), axis)
        values = (1 - part) * near + part * np.roll(near, 1, axis)
    return values
