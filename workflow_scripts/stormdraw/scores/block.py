"""The statistics of one variable at one lead."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtr

from stormdraw.scores.events import Verified, gaussian_events, member_events
from stormdraw.scores.multivariate import energy_score, variogram_sums, variogram_weight
from stormdraw.scores.pointwise import PointScores, score_gaussian, score_members
from stormdraw.scores.ranks import rank_counts, ranks
from stormdraw.scores.settings import Scores
from stormdraw.scores.spectra import variance_spectrum
from stormdraw.scores.tables import PIT_BINS, SPREAD_BINS
from stormdraw.variables import variable


@dataclass(frozen=True)
class Forecast:
    """One variable at one lead: members (member, y, x), or mean and spread (y, x).

    `absent` is how many members of the file have no value here; `members` are the others. It is
    None, not empty, for a distribution known by mean and spread, which nobody else needs.
    """

    name: str
    members: np.ndarray | None
    mean: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    spread: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    absent: int = 0

    def valid(self) -> np.ndarray:
        """Where all members that are there are finite, (y, x); nowhere if there is none."""
        if self.members is None:
            with np.errstate(invalid="ignore"):
                return np.isfinite(self.mean) & np.isfinite(self.spread) & (self.spread >= 0.0)
        valid = np.full(self.members.shape[1:], len(self.members) > 0)
        for member in self.members:
            valid &= np.isfinite(member)
        return valid


def block_statistics(
    forecast: Forecast,
    truth: np.ndarray,
    weights: np.ndarray,
    points: np.ndarray | None,
    scores: Scores,
    random: np.random.Generator,
    threads: int,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """What `tables` lists, for one forecast against the truth (y, x), and the CRPS (y, x).

    `weights` is (region, y, x); only `points` (y, x) count, all if it is None. The CRPS is the fair
    one, or the Gaussian one of a mean and spread, in float32; NaN where a point does not count.
    """
    thresholds = scores.thresholds.get(forecast.name, [])
    members = forecast.members
    if members is not None and not len(members):
        # Nobody is scored here: the common points are none.
        members = np.full((1, *truth.shape), np.nan, np.float32)
    found = _score(forecast, members, truth, weights, points, thresholds, threads)
    counting = np.where(found.valid.reshape(truth.shape), weights, 0.0)
    block = _point_statistics(forecast, found, truth, weights, counting, random)
    of_point = found.crps_fair if found.members else found.crps_gaussian
    crps = np.where(found.valid, of_point, np.nan).astype(np.float32).reshape(truth.shape)
    against = Verified(truth, found.valid.reshape(truth.shape), counting, scores.neighbourhoods)
    # Scores of points take more memory than all that follows.
    del found, of_point
    if not against.valid.any():
        return block, crps
    if members is None:
        if thresholds:
            block |= gaussian_events(forecast.mean, forecast.spread, against, thresholds)
        return block, crps
    if thresholds:
        block |= member_events(members, against, thresholds)
    return block | _of_fields(members, against, scores.variogram_lags, threads), crps


def _score(
    forecast: Forecast,
    members: np.ndarray | None,
    truth: np.ndarray,
    weights: np.ndarray,
    points: np.ndarray | None,
    thresholds: Sequence[float],
    threads: int,
) -> PointScores:
    allowed = None if points is None else points.ravel()
    if members is None:
        mean, spread = forecast.mean.ravel(), forecast.spread.ravel()
        return score_gaussian(mean, spread, truth.ravel(), allowed, thresholds)
    return score_members(
        members.reshape(len(members), -1),
        truth.ravel(),
        points=allowed,
        weights=weights.reshape(len(weights), -1),
        thresholds=thresholds,
        threads=threads,
    )


def _point_statistics(
    forecast: Forecast,
    found: PointScores,
    truth: np.ndarray,
    weights: np.ndarray,
    counting: np.ndarray,
    random: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Sums and counts of scores at points; `counting` are the weights (region, y, x) of those."""
    flat = counting.reshape(len(counting), -1)
    block = _sums(found, flat) | _counts(found, weights.reshape(flat.shape), random)
    block |= _by_region("missing_truth", ~np.isfinite(truth), weights)
    block |= _by_region("missing_points", ~forecast.valid(), weights)
    block["absent_members"] = np.full(len(weights), forecast.absent)
    return block | _spread_bins(found, flat, variable(forecast.name).precision)


def _of_fields(
    members: np.ndarray, against: Verified, lags: Sequence[int], threads: int
) -> dict[str, np.ndarray]:
    """Sums over pairs of points, and spectra where all points count."""
    weights = against.weights
    standard, fair = variogram_sums(members, against.truth, weights, lags)
    block = {
        "variogram_standard_sum": standard,
        "variogram_fair_sum": fair,
        "variogram_weight_sum": variogram_weight(weights, lags),
    }
    if against.valid.all():
        block |= _spectra(members, against.truth, threads)
    return block


def wind_statistics(
    wind: tuple[Forecast, Forecast],
    truth: tuple[np.ndarray, np.ndarray],
    weights: np.ndarray,
    points: np.ndarray | None,
    threads: int,
) -> dict[str, np.ndarray]:
    """Sums of the energy score of the wind vector, each (region,).

    Without members, or where the components have different ones, there is none.
    """
    (u, v), (true_u, true_v) = wind, truth
    if u.members is None or v.members is None or not 0 < len(u.members) == len(v.members):
        return {}
    valid = u.valid() & v.valid() & np.isfinite(true_u) & np.isfinite(true_v)
    if points is not None:
        valid &= points
    count = len(u.members)
    standard, fair = energy_score(
        u.members.reshape(count, -1),
        v.members.reshape(count, -1),
        true_u.ravel(),
        true_v.ravel(),
        threads,
    )
    counting = weights[:, valid]
    return {
        "energy_weight_sum": counting.sum(axis=1),
        "energy_standard_sum": counting @ standard[valid.ravel()],
        "energy_fair_sum": counting @ fair[valid.ravel()],
    }


def _sums(found: PointScores, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Weighted sums over points; `weights` (region, point) are 0 where a point does not count."""
    sums = {
        "weight_sum": weights.sum(axis=1),
        "crps_standard_sum": weights @ found.crps_standard,
        "crps_fair_sum": weights @ found.crps_fair,
        "crps_gaussian_sum": weights @ found.crps_gaussian,
        "error_sum": weights @ found.error,
        "squared_error_sum": weights @ found.error**2,
        "variance_sum": weights @ found.variance,
    }
    if found.members:
        sums["below_all_sum"] = weights @ (found.below + found.equal == 0)
        sums["above_all_sum"] = weights @ (found.below == found.members)
        sums["parts_sum"] = found.parts
    if len(found.threshold_weighted_gaussian):
        sums["threshold_weighted_gaussian_sum"] = weights @ found.threshold_weighted_gaussian.T
    if found.members and len(found.threshold_weighted):
        for index, kind in enumerate(("standard", "fair")):
            sums[f"threshold_weighted_{kind}_sum"] = weights @ found.threshold_weighted[:, index].T
    return sums


def _counts(
    found: PointScores, weights: np.ndarray, random: np.random.Generator
) -> dict[str, np.ndarray]:
    inside = (weights > 0.0) & found.valid
    counts = {
        "points": inside.sum(axis=1),
        # An ensemble none of whose members is there has none.
        "members": np.full(len(weights), found.members if found.valid.any() else 0),
        "mask_checksum": np.array([zlib.crc32(np.packbits(mask).tobytes()) for mask in inside]),
    }
    # One number for every point, so that a point's rank does not depend on which others count.
    if found.members:
        rank = ranks(found.below, found.equal, random)
        tables = [rank_counts(rank[mask], found.members) for mask in inside]
        return counts | {"rank_counts": np.array(tables)}
    with np.errstate(divide="ignore", invalid="ignore"):
        z = -found.error / np.sqrt(found.variance)
    # Certain and right: the truth is any quantile of such a distribution.
    pit = np.where(np.isnan(z), random.random(z.size), ndtr(z))
    bins = np.minimum((pit * PIT_BINS).astype(np.int64), PIT_BINS - 1)
    tables = [np.bincount(bins[mask], minlength=PIT_BINS) for mask in inside]
    return counts | {
        "pit_counts": np.array(tables),
        "rank_counts": np.zeros((len(weights), 1), np.int64),
    }


def _by_region(name: str, where: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """How many points of each region are `where` (y, x)."""
    return {name: np.array([np.count_nonzero(where & (weight > 0.0)) for weight in weights])}


def spread_bin_edges(precision: float) -> np.ndarray:
    """Upper edges of all bins but the last: the precision, and half-octaves above it."""
    return precision * 2.0 ** (0.5 * np.arange(SPREAD_BINS - 1))


def _spread_bins(
    found: PointScores, weights: np.ndarray, precision: float
) -> dict[str, np.ndarray]:
    bins = np.searchsorted(spread_bin_edges(precision), np.sqrt(found.variance), side="right")

    def by_bin(values: np.ndarray) -> np.ndarray:
        return np.array([np.bincount(bins, weight * values, SPREAD_BINS) for weight in weights])

    return {
        "spread_bin_weight_sum": by_bin(np.ones(bins.shape)),
        "spread_bin_variance_sum": by_bin(found.variance),
        "spread_bin_squared_error_sum": by_bin(found.error**2),
    }


def _spectra(members: np.ndarray, truth: np.ndarray, threads: int) -> dict[str, np.ndarray]:
    of_members = [variance_spectrum(member, threads) for member in members]
    mean = members.mean(axis=0, dtype=np.float64)
    return {
        "spectrum_fields": np.array(1),
        "spectrum_members": np.mean(of_members, axis=0),
        "spectrum_mean": variance_spectrum(mean, threads),
        "spectrum_truth": variance_spectrum(truth, threads),
    }
