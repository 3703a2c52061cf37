"""Where the truth falls among the members: the counts of a rank histogram.

A calibrated ensemble of M exchangeable members gives each of the M + 1 ranks equally often
(Hamill 2001, doi:10.1175/1520-0493(2001)129<0550:IORHFV>2.0.CO;2).
"""

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtr

from stormdraw.scores.score import Arrays, Metric, Score, Sum
from stormdraw.scores.sums import Cases, Sums, ratio, weighted_mean
from stormdraw.scores.verification import Points

# What stands where an ensemble of fewer members has no such rank.
NO_RANK = -1

PIT_BINS = 20


def ranks(below: np.ndarray, equal: np.ndarray, random: np.ndarray) -> np.ndarray:
    """The rank of the truth at each point, 0 (below all members) to M (above all).

    The truth takes any of its `equal` + 1 places among equal members with the same probability:
    where reflectivity or CAPE has its floor in all members, the histogram must stay flat. `random`
    holds a number from 0 to 1 for every point, so that a point's rank does not depend on which
    others count.
    """
    return below + (random * (equal + 1)).astype(np.int64)


def pit_bins(error: np.ndarray, variance: np.ndarray, random: np.ndarray) -> np.ndarray:
    """The bin of the distribution function of a Gaussian at the truth, 0 to PIT_BINS - 1.

    `error` is that of the mean. Where the Gaussian is certain and right, the truth is any quantile
    of it, which `random` (from 0 to 1) chooses.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        z = -error / np.sqrt(variance)
    quantile = np.where(np.isnan(z), random, ndtr(z))
    return np.minimum((quantile * PIT_BINS).astype(np.int64), PIT_BINS - 1)


def _sums(points: Points) -> Arrays:
    """Ranks among members; of a mean and spread, the probability integral transform in bins."""
    random = points.random("ranks")
    if points.members:
        rank = ranks(points.below, points.equal, random)
        return {"rank_counts": points.count_by(rank, points.members + 1)}
    bins = pit_bins(points.error, points.variance, random)
    none = np.zeros((len(points.weights), 1), np.int64)
    return {"pit_counts": points.count_by(bins, PIT_BINS), "rank_counts": none}


def _reliability_index(counts: np.ndarray) -> np.ndarray:
    """How far a histogram (..., bin) is from flat: sum_k |f_k - 1 / bins|, from 0 to 2.

    Delle Monache et al. 2006 (doi:10.1029/2005JD006917), eq. 2, there in percent.
    """
    frequency = ratio(counts, counts.sum(-1, keepdims=True))
    return np.abs(frequency - 1.0 / counts.shape[-1]).sum(-1)


def _of_ranks(by_size: Mapping[int, Sums]) -> Arrays:
    """The mean over sizes by points; a single member has no ranks worth the name."""
    having = [sums for size, sums in by_size.items() if size > 1]
    if not having:
        return {}
    indices = [_reliability_index(sums["rank_counts"]) for sums in having]
    return {"rank_index": weighted_mean(indices, [sums["points"] for sums in having])}


def _of_pit(cases: Cases) -> Arrays:
    return {"pit_index": _reliability_index(cases["pit_counts"])} if "pit_counts" in cases else {}


SCORE = Score(
    sums={
        "rank_counts": Sum(
            f"points at which the truth has this rank; {NO_RANK}: no such rank",
            ("region", "rank"),
            NO_RANK,
            np.int64,
        ),
        "pit_counts": Sum(
            "points at which the distribution function at the truth lies in this bin of 0 to 1",
            ("region", "pit_bin"),
            kind=np.int64,
        ),
    },
    points=_sums,
    metrics={"rank_index": Metric(best="low"), "pit_index": Metric(best="low")},
    cases=_of_pit,
    sizes=_of_ranks,
    lengths={"rank": lambda members: members + 1, "pit_bin": PIT_BINS},
)
