"""The continuous ranked probability score (CRPS), and skill made of it."""

from collections.abc import Container

import numpy as np
from scipy.special import beta, gammaln, ndtr

from stormdraw.scores.kernels import compiled
from stormdraw.scores.score import Arrays, Metric, Score, Sum
from stormdraw.scores.sums import Cases, ratio
from stormdraw.scores.verification import Points

# By which systems are compared, the first that both have.
GAUSSIAN_CRPS = ("crps_gaussian_fair", "crps_gaussian")
SHARED_CRPS = ("crps_fair", *GAUSSIAN_CRPS)


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


@compiled
def _within(z, freedom, probability):  # type: ignore[no-untyped-def]
    """The probability (point,) that Student's t lies between -t and t, with the sign of t.

    z (point,) is t / sqrt(freedom + t**2), which is sin(theta) in eqs. 26.7.3 and 26.7.4 of
    Abramowitz and Stegun (1972). They are sums of freedom / 2 positive terms, and of a hundred
    members take a fifth of the time of `scipy.special.betainc`.
    """
    odd = freedom % 2
    probability[:] = 1.0
    for factor in range(freedom - 2, 1 + odd, -2):
        share = (factor - 1.0) / factor
        for point in range(z.size):
            probability[point] = 1.0 + share * (1.0 - z[point] * z[point]) * probability[point]
    for point in range(z.size):
        series = z[point] * probability[point]
        if odd:
            series *= np.sqrt(1.0 - z[point] * z[point]) if freedom > 1 else 0.0
            series = 2.0 / np.pi * (np.arcsin(z[point]) + series)
        probability[point] = series


def fair_gaussian_crps(error: np.ndarray, spread: np.ndarray, members: int) -> np.ndarray:
    """What `gaussian_crps` would be on average of infinitely many members, given those of M.

    `error` is that of the mean of M members and `spread` their standard deviation, divided by
    M - 1. For members drawn from a Gaussian it is unbiased whatever its mean, its spread and the
    truth are, and no unbiased score varies less: it is the expectation of E|X - y| - E|X - X'| / 2
    given mean and spread, which hold all that members tell (theorems of Rao and Blackwell, and of
    Lehmann and Scheffe). Given them, a member is mean + r T with r = spread (M - 1) / sqrt(M), and
    (1 + T) / 2 has a beta distribution, both of whose parameters are M / 2 - 1 (Lieberman and
    Resnikoff 1955, doi:10.1080/01621459.1955.10501280). With z = error / r, F the distribution
    function of T and B the beta function it is, where |z| < 1,

        error (2 F(z) - 1) + 2 r (1 - z**2)**(M/2 - 1) / ((M - 2) B(1/2, M/2 - 1))
            - spread / (c sqrt(pi)),    c = sqrt(2 / (M - 1)) Gamma(M / 2) / Gamma((M - 1) / 2)

    and |error| takes the place of the first two terms elsewhere. Of members that are no sample of a
    Gaussian it is an approximation. The absolute error if M is 1.
    """
    error, spread = np.broadcast_arrays(np.asarray(error, float), np.asarray(spread, float))
    if members == 1:
        return np.abs(error)
    reach = spread * (members - 1.0) / np.sqrt(members)
    distance = np.asarray(np.abs(error))
    inside = distance < reach
    e, r = error[inside], reach[inside]
    if members == 2:
        # T is 1 or -1: the members themselves.
        distance[inside] = r
    else:
        half, z = members / 2.0 - 1.0, e / r
        probability = np.empty(z.size)
        _within(z, members - 2, probability)
        distance[inside] = e * probability + r * (1.0 - z * z) ** half / (half * beta(0.5, half))
    logarithm = gammaln(members / 2.0) - gammaln((members - 1.0) / 2.0)
    unbiased = np.sqrt(2.0 / (members - 1.0)) * np.exp(logarithm)
    return distance - spread / (unbiased * np.sqrt(np.pi))


def _of_gaussian(points: Points) -> np.ndarray:
    return gaussian_crps(points.error, np.sqrt(points.variance))


def _of_fair_gaussian(points: Points) -> np.ndarray:
    """NaN where nobody says of how many members mean and spread are."""
    if not points.sampled:
        return np.full(points.error.shape, np.nan)
    return fair_gaussian_crps(points.error, np.sqrt(points.variance), points.sampled)


def crps_of_points(points: Points) -> Arrays:
    """All kinds of CRPS, (point,); `kernels.point_scores` has the formulas of members."""
    return {
        "crps_standard": points.crps_standard,
        "crps_fair": points.crps_fair,
        "crps_gaussian": points.shared(_of_gaussian),
        "crps_gaussian_fair": _of_fair_gaussian(points),
    }


def _sums(points: Points) -> Arrays:
    return {f"{kind}_sum": points.sum(crps) for kind, crps in crps_of_points(points).items()}


def _map(points: Points) -> np.ndarray:
    return points.crps_fair if points.members else points.shared(_of_gaussian)


def crps_metrics(cases: Cases) -> Arrays:
    """CRPS of a system; what only members have is left out without them.

    `crps_matched` is the mean of the standard CRPS over all subsets of m members, which random ones
    only approach. It is known: the mean distance to the truth and the mean distance between two
    members are the same in subsets as in the whole, so that

        crps_m = fair + (standard - fair) M / m

    The fair CRPS itself has the same mean whatever m is. `crps_gaussian_fair` is left out where the
    number of members is not known that a mean and spread are of.
    """
    scores = {"crps_gaussian": cases.mean("crps_gaussian_sum")}
    if "crps_gaussian_fair_sum" in cases:
        fair_gaussian = cases.of_case("crps_gaussian_fair_sum")
        if np.isfinite(fair_gaussian[cases.counted]).all():
            scores["crps_gaussian_fair"] = ratio(cases.total(fair_gaussian), cases["weight_sum"])
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


def shared_crps(own: Container[str], reference: Container[str]) -> str:
    """The CRPS by which two systems may be compared, of the names of those that they have.

    The fair one if both are ensembles; else that of Gaussians, never one against the other: the
    fair one if it is known of how many members either's mean and spread are, else the plain one.
    """
    of_both = (kind for kind in SHARED_CRPS if kind in own and kind in reference)
    return next(of_both, "crps_gaussian")


SCORE = Score(
    sums={
        "crps_standard_sum": Sum("weighted sum of the ensemble's CRPS"),
        "crps_fair_sum": Sum("weighted sum of the ensemble's fair CRPS"),
        "crps_gaussian_sum": Sum(
            "weighted sum of the CRPS of a Gaussian with the ensemble's mean, spread"
        ),
        "crps_gaussian_fair_sum": Sum(
            "the same, unbiased by how few members mean and spread are of; NaN if not known"
        ),
    },
    points=_sums,
    metrics={
        "crps_fair": Metric("fair CRPS", "low", stand_in="crps_gaussian", offered=True),
        "crps_standard": Metric("standard CRPS", "low"),
        "crps_gaussian": Metric("Gaussian CRPS", "low"),
        "crps_gaussian_fair": Metric(best="low"),
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
