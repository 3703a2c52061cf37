"""The fair CRPS of ensembles (Ferro 2014, doi:10.1002/qj.2270)."""

import numpy as np


def fair_crps(members: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """The fair CRPS (point,) of members (member, point), some of which may be missing (NaN).

    It is the mean distance to the observed value, less half the mean distance between two members.
    In the sum of the latter, the k-th smallest of M members has the coefficient 2k - M - 1. For a
    single member it is the distance alone; without any member it is NaN.
    """
    ordered = np.sort(members, axis=0)
    count = np.isfinite(members).sum(axis=0)
    times = 2.0 * np.arange(1, len(members) + 1)[:, None] - count - 1.0
    pairs = np.maximum(count * (count - 1.0), 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        away = np.nansum(np.abs(members - observed), axis=0) / count
    return away - np.nansum(times * ordered, axis=0) / pairs
