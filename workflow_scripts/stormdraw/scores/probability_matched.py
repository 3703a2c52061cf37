"""The probability-matched mean: where the mean has it, as strong as members make it."""

import numpy as np


def probability_matched_mean(members: np.ndarray, valid: np.ndarray | None = None) -> np.ndarray:
    """The ensemble's mean with the members' distribution of values, (point,), of (member, point).

    All members' values together are sorted, every M-th is kept, and the kept ones are put in place
    in the order of the mean (Ebert 2001, doi:10.1175/1520-0493(2001)129<2461:AOAPMS>2.0.CO;2). The
    middle one of each M is kept. Points of equal mean are filled in the order of points. Only
    `valid` points (point,) take part, and others are 0; all do if it is None. Beside the members
    one copy of them is held.
    """
    count, size = members.shape
    places = np.arange(size) if valid is None else np.flatnonzero(valid)
    total = np.zeros(size)
    for member in members:
        total += np.where(valid, member, 0.0) if valid is not None else member
    order = np.argsort(total[places] / count, kind="stable")
    pooled = np.empty((count, len(places)), members.dtype)
    for own, member in zip(pooled, members, strict=True):
        own[:] = member[places]
    pooled = pooled.ravel()
    pooled.sort()
    matched = np.zeros(size, members.dtype)
    matched[places[order]] = pooled[count // 2 :: count]
    return matched
