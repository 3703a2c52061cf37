"""Scores of some points by other people's libraries.

Everything is in double precision. Each function returns means over the points, weighted by the
points' areas, by (metric, threshold, library); `opinion` combines those of several parts of a grid.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import properscoring
import scipy.stats
import xarray as xr
import xskillscore

from stormdraw.scores.threshold import Threshold

PROPERSCORING, XSKILLSCORE = "properscoring", "xskillscore"
# Means that no table has but that scores are made of.
SQUARED_ERROR, VARIANCE, DISTANCE = "squared error", "variance", "distance"

Key = tuple[str, str, str]
Means = dict[Key, float]


@dataclass(frozen=True)
class Limits:
    """An event's threshold at the points: as members and truth are compared with it, float32 in
    double precision, and `exact` as a distribution is."""

    threshold: Threshold
    compared: np.ndarray | float
    exact: np.ndarray | float

    def reached(self, values: xr.DataArray) -> xr.DataArray:
        """Where the event is: at or beyond the threshold."""
        limit = xr.DataArray(np.broadcast_to(self.compared, values["point"].shape), dims="point")
        return values <= limit if self.threshold.at_most else values >= limit


def along_points(values: np.ndarray) -> xr.DataArray:
    """Values (point,) or (point, member) as a labelled array in double precision."""
    dims = ("point", "member")[: values.ndim]
    labels = {"point": np.arange(len(values))}
    return xr.DataArray(values.astype(np.float64), coords=labels, dims=dims)


def of_members(
    members: xr.DataArray, truth: xr.DataArray, weights: xr.DataArray, limits: Sequence[Limits]
) -> Means:
    """Means of an ensemble (point, member), all of whose values are known."""
    count = members.sizes["member"]
    means = _crps_of_members(members, truth, weights)
    mean = members.mean("member")
    # Members about their mean; there is no variance of one.
    about = xskillscore.mse(members, mean.broadcast_like(members), dim="member")
    variance = about * count / max(count - 1, 1)
    means |= _of_mean(mean, truth, weights)
    means |= _crps_of_gaussian(mean, np.sqrt(variance), truth, weights)
    if count > 1:
        means["spread", "", VARIANCE] = _mean(variance, weights)
    for own in limits:
        event, forecast = own.reached(truth), own.reached(members)
        for metric, fair in {"brier": False, "brier_fair": True}.items():
            if not (fair and count == 1):
                means[metric, own.threshold.text, XSKILLSCORE] = float(
                    xskillscore.brier_score(
                        event,
                        forecast,
                        member_dim="member",
                        fair=fair,
                        dim="point",
                        weights=weights,
                    )
                )
    return means


def of_gaussian(
    mean: xr.DataArray,
    spread: xr.DataArray,
    truth: xr.DataArray,
    weights: xr.DataArray,
    limits: Sequence[Limits],
) -> Means:
    """Means of a distribution (point,) that is known by mean and spread."""
    means = _of_mean(mean, truth, weights) | _crps_of_gaussian(mean, spread, truth, weights)
    means["spread", "", VARIANCE] = _mean(spread**2, weights)
    for own in limits:
        probability = _probability(mean, spread, own)
        means["brier", own.threshold.text, XSKILLSCORE] = float(
            xskillscore.brier_score(own.reached(truth), probability, dim="point", weights=weights)
        )
    return means


def rank_counts(members: xr.DataArray, truth: xr.DataArray, random: np.ndarray) -> np.ndarray:
    """How often the truth has each rank among the members (point, member), (member + 1,).

    Among members that are equal to it the truth takes any place with the same probability, and
    `random` (point,) from 0 to 1 says which: that many of them are put a hair below it, the others
    a hair above. xskillscore then ranks without ties; its own would be broken by unseeded numbers.
    """
    equal = members == truth
    below = np.floor(random * (equal.sum("member") + 1))
    lowered = equal & (equal.cumsum("member") <= below)
    hair = np.nextafter(members, xr.where(lowered, -np.inf, np.inf))
    apart = members.where(~equal, hair)
    counts = xskillscore.rank_histogram(
        truth, apart, dim="point", member_dim="member", random_for_tied=False
    )
    return counts.values.astype(np.int64)


def _crps_of_members(members: xr.DataArray, truth: xr.DataArray, weights: xr.DataArray) -> Means:
    """The standard CRPS by both libraries, and the mean distance of members to the truth."""
    ascending = members.copy(data=np.sort(members.values, axis=1))
    alone = properscoring.crps_ensemble(truth.values, ascending.values, issorted=True)
    theirs = xskillscore.crps_ensemble(
        truth, ascending, issorted=True, member_dim="member", dim="point", weights=weights
    )
    distance = xskillscore.mae(members, truth.broadcast_like(members), dim="member")
    return {
        ("crps_standard", "", PROPERSCORING): _mean(truth.copy(data=alone), weights),
        ("crps_standard", "", XSKILLSCORE): float(theirs),
        ("crps_fair", "", DISTANCE): _mean(distance, weights),
    }


def _of_mean(mean: xr.DataArray, truth: xr.DataArray, weights: xr.DataArray) -> Means:
    given = {"dim": "point", "weights": weights}
    return {
        ("rmse", "", SQUARED_ERROR): float(xskillscore.mse(mean, truth, **given)),
        ("bias", "", XSKILLSCORE): float(xskillscore.me(mean, truth, **given)),
    }


def _crps_of_gaussian(
    mean: xr.DataArray, spread: xr.DataArray, truth: xr.DataArray, weights: xr.DataArray
) -> Means:
    """The CRPS of Gaussians by both libraries.

    They divide by the spread. Where that is 0 the distribution is one value, the mean, and each
    library scores that as an ensemble of one member.
    """
    certain = (spread == 0.0).values
    uncertain = spread.where(~certain, 1.0)
    alone = properscoring.crps_gaussian(truth.values, mean.values, uncertain.values)
    of_one = properscoring.crps_ensemble(truth.values, mean.values[:, None])
    theirs = xskillscore.crps_gaussian(truth, mean, uncertain, dim=[])
    theirs_of_one = xskillscore.crps_ensemble(truth, mean.expand_dims(member=1, axis=1), dim=[])
    where_uncertain = {PROPERSCORING: alone, XSKILLSCORE: theirs.values}
    where_certain = {PROPERSCORING: of_one, XSKILLSCORE: theirs_of_one.values}
    means = {}
    for library, values in where_uncertain.items():
        crps = np.where(certain, where_certain[library], values)
        means["crps_gaussian", "", library] = _mean(truth.copy(data=crps), weights)
    return means


def _probability(mean: xr.DataArray, spread: xr.DataArray, limits: Limits) -> xr.DataArray:
    """That of an event, by SciPy's normal distribution; 0 or 1 where the spread is 0."""
    certain = (spread == 0.0).values
    beyond = scipy.stats.norm.cdf if limits.threshold.at_most else scipy.stats.norm.sf
    unsure = beyond(limits.exact, mean.values, np.where(certain, 1.0, spread.values))
    sure = mean.values <= limits.exact if limits.threshold.at_most else mean.values >= limits.exact
    return mean.copy(data=np.where(certain, sure, unsure))


def _mean(values: xr.DataArray, weights: xr.DataArray) -> float:
    return float(values.weighted(weights).mean("point"))
