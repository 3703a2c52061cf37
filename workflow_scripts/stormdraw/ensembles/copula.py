"""Ensemble copula coupling: values of fitted distributions in the order of raw members.

Schefzik et al. 2013 (doi:10.1214/13-STS443). At every point the member that was k-th is k-th
again, and so the features of a member stay where they are.

Without a floor, each member keeps its distance from the mean in units of the spread (ECC-T). No
field jumps where two members cross. With a floor, members at the floor have no distance of their
own, and members get the quantiles of evenly spaced levels (ECC-Q).
"""

import numpy as np
from scipy.ndimage import uniform_filter

from stormdraw.ensembles.emos import Coefficients
from stormdraw.ensembles.marginals import Marginal
from stormdraw.fields.packing import packing_of

# Half the width of the box whose mean ranks members that are at the floor.
AROUND = 7

_ALL = slice(None)


def couple(
    members: np.ndarray,
    marginal: Marginal,
    coefficients: Coefficients,
    order: np.ndarray,
    rows: slice = _ALL,
) -> np.ndarray:
    """Calibrated members (member, y, x) in the variable's units, in the order of raw ones.

    Only `rows` are returned; `members` have AROUND more rows on either side where the grid has
    them. A member that is missing (NaN) at a point stays missing. Members at the floor are ranked
    by how much each has around the point. Equal members are ranked by their places in `order`
    (member,), which is the same everywhere and so adds no noise between points.
    """
    raw = marginal.to_fit(members[:, rows])
    mean, variance, count = moments(raw)
    location, scale = coefficients.location_and_scale(marginal.family, mean, variance)
    if marginal.has_floor:
        above = np.nan_to_num(marginal.to_fit(members) - marginal.floor)
        around = np.stack([uniform_filter(member, 2 * AROUND + 1)[rows] for member in above])
        # Members at the floor are ranked below all others.
        keys = np.where(raw <= marginal.floor, marginal.floor - 1.0 / (1.0 + around), raw)
        standard = _by_rank(keys, order, count, marginal)
    else:
        standard = _by_distance(raw, mean, variance, count)
        alike = np.sqrt(variance) < packing_of(marginal.row.name).step
        if alike.any():
            keys = raw[:, alike]
            standard[:, alike] = _by_rank(keys, order, count[alike], marginal)
    return marginal.from_fit(location + scale * standard)


def moments(members: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, unbiased variance and number of the members that are not missing, of (member, ...).

    The variance of a single member is 0; without any member, mean and variance are NaN.
    """
    there = np.isfinite(members)
    count = there.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(there, members, 0.0).sum(axis=0) / count
    squares = np.where(there, (members - mean) ** 2, 0.0).sum(axis=0)
    return mean, np.where(count > 0, squares / np.maximum(count - 1, 1), np.nan), count


def _by_distance(
    raw: np.ndarray, mean: np.ndarray, variance: np.ndarray, count: np.ndarray
) -> np.ndarray:
    """Each member's distance from the mean, in units of the fitted spread.

    The fitted variance is that of the truth about the mean of M members, which has an error of its
    own. Members get M / (M + 1) of it about that mean. Two of them are then as far apart as one of
    them and the truth, and the spread-error ratio is 1. The fair CRPS is still too good where the
    raw spread s was smaller than the truth's t, since the mean keeps the smaller error of the raw
    one: of Gaussian members it is sqrt((1 + s^2 / (M t^2)) / (1 + 1 / M)) times that of members
    drawn with the spread t.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return (raw - mean) * np.sqrt(count / (count + 1.0) / variance)


def _by_rank(
    keys: np.ndarray, order: np.ndarray, count: np.ndarray, marginal: Marginal
) -> np.ndarray:
    """The quantile of each member's rank among the `count` that are not missing, (member, ...).

    Quantiles are those of location 0 and scale 1 at the levels k / (M + 1).
    """
    size = len(keys)
    table = np.full((size + 1, size), np.nan)
    for there in range(1, size + 1):
        levels = np.arange(1, there + 1) / (there + 1)
        table[there, :there] = marginal.family.quantile(levels)
    # Missing members (NaN) come last. A stable sort keeps equal members in their order.
    places = np.argsort(keys[order], axis=0, kind="stable")
    found = np.empty(keys.shape)
    np.put_along_axis(found, order[places], np.moveaxis(table[count], -1, 0), axis=0)
    return found
