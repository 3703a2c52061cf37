import numpy as np
import pytest
from properscoring import crps_ensemble
from scored_fields import points_of

from stormdraw.scores.statistics.crps_decomposition import SCORE, crps_decomposition


def decomposed(members: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Reliability and potential CRPS of members (member, point)."""
    assert SCORE.points is not None
    found = SCORE.points(points_of(members, truth, weights=weights[None]))
    parts, low, high = (found[f"{name}_sum"][0] for name in ("parts", "below_all", "above_all"))
    return crps_decomposition(parts, weights.sum(), low, high)


def by_loops(members: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Hersbach's equations as they stand: alpha and beta of each bin, table 2 for the outer two."""
    count = len(members)
    alpha, beta, outlier = np.zeros(count + 1), np.zeros(count + 1), np.zeros(2)
    for point, y in enumerate(truth):
        x, w = np.sort(members[:, point]), weights[point] / weights.sum()
        for i in range(1, count):
            if y > x[i]:
                alpha[i] += w * (x[i] - x[i - 1])
            elif y < x[i - 1]:
                beta[i] += w * (x[i] - x[i - 1])
            else:
                alpha[i] += w * (y - x[i - 1])
                beta[i] += w * (x[i] - y)
        if y < x[0]:
            beta[0] += w * (x[0] - y)
            outlier[0] += w
        if y > x[-1]:
            alpha[count] += w * (y - x[-1])
            outlier[1] += w
    reliability = potential = 0.0
    for i in range(count + 1):
        if i == 0:
            g, o = (beta[0] / outlier[0], outlier[0]) if outlier[0] else (0.0, 0.0)
        elif i == count:
            g, o = (alpha[count] / outlier[1], 1 - outlier[1]) if outlier[1] else (0.0, 1.0)
        else:
            g = alpha[i] + beta[i]
            o = beta[i] / g if g else 0.0
        reliability += g * (o - i / count) ** 2
        potential += g * o * (1 - o)
    return reliability, potential


@pytest.mark.parametrize("count", [1, 2, 3, 12])
def test_equals_the_published_equations(count: int, random: np.random.Generator) -> None:
    members = np.round(random.normal(0.3, 1.0, (count, 300)), 1)
    truth, weights = np.round(random.normal(size=300), 1), random.uniform(0.5, 1.5, 300)
    np.testing.assert_allclose(
        decomposed(members, truth, weights), by_loops(members, truth, weights), rtol=1e-9
    )


@pytest.mark.parametrize("count", [1, 3, 20])
def test_adds_up_to_the_standard_crps(count: int, random: np.random.Generator) -> None:
    members, truth = random.normal(1.0, 0.5, (count, 500)), random.normal(size=500)
    weights = random.uniform(0.5, 1.5, 500)
    expected = np.average(crps_ensemble(truth, members, axis=0), weights=weights)
    assert sum(decomposed(members, truth, weights)) == pytest.approx(expected, rel=1e-12)


def test_three_members_by_hand() -> None:
    # Members 1, 2, 4, truth 3: alpha = (1, 1), beta = (0, 1) between them, o = (0, 1/2).
    # Reliability 1 (0 - 1/3)^2 + 2 (1/2 - 2/3)^2 = 1/9 + 1/18; potential 2 * 1/4.
    members = np.array([[4.0], [1.0], [2.0]])
    found = decomposed(members, np.array([3.0]), np.ones(1))
    np.testing.assert_allclose(found, (1 / 6, 1 / 2))


def test_a_calibrated_ensemble_is_reliable_and_a_biased_one_is_not() -> None:
    random = np.random.default_rng(4)
    members, truth = random.normal(size=(10, 40_000)), random.normal(size=40_000)
    good, potential = decomposed(members, truth, np.ones(40_000))
    biased, same_potential = decomposed(members + 0.5, truth, np.ones(40_000))
    # The members are too few to be quite reliable: the truth is outside them once in 5.5.
    assert good < 0.02 * potential
    assert biased > 0.1 * same_potential
