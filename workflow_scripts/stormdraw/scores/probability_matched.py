"""The probability-matched mean: where the mean has it, as strong as members make it."""

import numpy as np


def probability_matched_mean(members: np.ndarray) -> np.ndarray:
    """The ensemble's mean with the members' distribution of values, (point,), of (member, point).

    All members' values together are sorted, every M-th is kept, and the kept ones are put in place
    in the order of the mean (Ebert 2001, doi:10.1175/1520-0493(2001)129<2461:AOAPMS>2.0.CO;2). The
    middle one of each M is kept. Points of equal mean are filled in the order of points.
    """
    count = len(members)
    order = np.argsort(members.mean(axis=0, dtype=np.float64), kind="stable")
    pooled = np.sort(members, axis=None)
    matched = np.empty(members.shape[1], members.dtype)
    matched[order] = pooled[count // 2 :: count]
    return matched
