"""The continuous ranked probability score (CRPS), and skill made of it."""

import numpy as np
from scipy.special import ndtr

from stormdraw.scores.score import Arrays, Metric, Score, Sum
from stormdraw.scores.sums import Cases, ratio
from stormdraw.scores.verification import Points


def gaussian_crps(error: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """CRPS of Gaussian distributions, given the error of their mean and their standard deviation.

    Gneiting et al. 2005 (doi:10.1175/MWR2904.1), eq. 5, with z = error / spread:

        spread * (z (2 Phi(z) - 1) + 2 phi(z) - 1/sqrt(pi))

    Where the spread is 0 it is the absolute error, its limit.
    """
    error, spread = np.broadcast_arrays(np.asarray(error, float), np.asarray(spread, float))
    certain = spread == 0.0
    # A spread so small that z overflows is as good as none: phi is 0 and Phi is 0 or 1.
    with np.errstate(over="ignore"):
        z = np.divide(error, spread, out=np.zeros(error.shape), where=~certain)
        density = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    # error rather than spread * z, which would be 0 * inf there.
    crps = error * (2.0 * ndtr(z) - 1.0) + spread * (2.0 * density - 1.0 / np.sqrt(np.pi))
    return np.where(certain, np.abs(error), crps)


def _of_gaussian(points: Points) -> np.ndarray:
    return gaussian_crps(points.error, np.sqrt(points.variance))


def _sums(points: Points) -> Arrays:
    """What some points add; `kernels.point_scores` has the formulas of members."""
    return {
        "crps_standard_sum": points.sum(points.crps_standard),
        "crps_fair_sum": points.sum(points.crps_fair),
        "crps_gaussian_sum": points.sum(points.shared(_of_gaussian)),
    }


def _map(points: Points) -> np.ndarray:
    return points.crps_fair if points.members else points.shared(_of_gaussian)


def crps_metrics(cases: Cases) -> Arrays:
    """CRPS of a system; what only members have is left out without them.

    `crps_matched` is the mean of the standard CRPS over all subsets of m members, which random ones
    only approach. It is known: the mean distance to the truth and the mean distance between two
    members are the same in subsets as in the whole, so that

        crps_m = fair + (standard - fair) M / m

    The fair CRPS itself has the same mean whatever m is.
    """
    scores = {"crps_gaussian": cases.mean("crps_gaussian_sum")}
    if cases.has_members:
        scores["crps_fair"] = cases.mean("crps_fair_sum")
        scores["crps_standard"] = cases.mean("crps_standard_sum")
    if cases.matched is not None:
        fair, standard = cases.of_case("crps_fair_sum"), cases.of_case("crps_standard_sum")
        matched = cases.total(fair + (standard - fair) * cases.members / cases.matched)
        scores["crps_matched"] = ratio(matched, cases["weight_sum"])
    return scores


def skill(own: Arrays, reference: Arrays) -> Arrays:
    """1 - CRPS / CRPS of the reference, named by the CRPS that both have."""
    kind = shared_crps(own, reference)
    name = "crps_skill" if kind == "crps_fair" else "crps_gaussian_skill"
    return {name: 1.0 - ratio(own[kind], reference[kind])}


def shared_crps(own: Arrays, reference: Arrays) -> str:
    """The CRPS by which two systems may be compared.

    The fair one if both are ensembles; else that of Gaussians, never one against the other.
    """
    both_have_members = "crps_fair" in own and "crps_fair" in reference
    return "crps_fair" if both_have_members else "crps_gaussian"


SCORE = Score(
    sums={
        "crps_standard_sum": Sum("weighted sum of the ensemble's CRPS"),
        "crps_fair_sum": Sum("weighted sum of the ensemble's fair CRPS"),
        "crps_gaussian_sum": Sum(
            "weighted sum of the CRPS of a Gaussian with the ensemble's mean, spread"
        ),
    },
    points=_sums,
    metrics={
        "crps_fair": Metric("fair CRPS", "low", stand_in="crps_gaussian", offered=True),
        "crps_standard": Metric("standard CRPS", "low"),
        "crps_gaussian": Metric("Gaussian CRPS", "low"),
        "crps_matched": Metric(best="low"),
    },
    cases=crps_metrics,
    skills={
        "crps_skill": Metric("skill", "high", "skill", "crps_gaussian_skill", offered=True),
        "crps_gaussian_skill": Metric("Gaussian skill", "high", "skill"),
    },
    against=skill,
    maps={"crps_map": ("the fair CRPS, or of a Gaussian's without members", _map)},
    place=1,
)
