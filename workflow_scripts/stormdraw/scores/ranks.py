"""Where the truth falls among the members: the counts of a rank histogram.

A calibrated ensemble of M exchangeable members gives each of the M + 1 ranks equally often
(Hamill 2001, doi:10.1175/1520-0493(2001)129<0550:IORHFV>2.0.CO;2).
"""

import numpy as np


def count_below_and_equal(errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many members lie below the truth, and how many equal it, for errors (point, member)."""
    # A product with ones counts several times faster than a sum of booleans, and in float32 it is
    # exact up to 2**24 members.
    ones = np.ones(errors.shape[1], np.float32)
    below = (errors < 0).astype(np.float32) @ ones
    equal = (errors == 0).astype(np.float32) @ ones
    return below.astype(np.int64), equal.astype(np.int64)


def ranks(below: np.ndarray, equal: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The rank of the truth at each point, 0 (below all members) to M (above all).

    The truth takes any of its `equal` + 1 places among equal members with the same probability:
    where reflectivity or CAPE has its floor in all members, the histogram must stay flat. One
    number is drawn for every point, so that a point's rank does not depend on which others count.
    """
    place = random.random(below.shape) * (equal + 1)
    return below + place.astype(np.int64)


def rank_counts(ranks: np.ndarray, members: int) -> np.ndarray:
    """How often each of the members + 1 ranks occurs, (rank,)."""
    return np.bincount(ranks.ravel(), minlength=members + 1)
