import numpy as np
import pytest
import scoringrules
from properscoring import crps_ensemble

from stormdraw.scores.ensemble import Forecast
from stormdraw.scores.statistics.energy_score import SCORE, energy_score
from stormdraw.scores.statistics.variogram_score import variogram_sums, variogram_weight
from stormdraw.scores.verification import Wind


@pytest.fixture
def wind(random: np.random.Generator) -> np.ndarray:
    """u and v of six members, (component, member, point)."""
    return random.normal(1.0, 2.0, (2, 6, 70))


@pytest.fixture
def true_wind(random: np.random.Generator) -> np.ndarray:
    return random.normal(0.0, 2.0, (2, 70))


def test_energy_score_equals_the_double_loop(wind: np.ndarray, true_wind: np.ndarray) -> None:
    standard, fair = energy_score(*wind, *true_wind)
    for point in range(70):
        X, y = wind[:, :, point].T, true_wind[:, point]
        distance = np.mean([np.linalg.norm(x - y) for x in X])
        pairs = sum(np.linalg.norm(a - b) for a in X for b in X)
        assert standard[point] == pytest.approx(distance - pairs / 72, rel=1e-10)
        assert fair[point] == pytest.approx(distance - pairs / 60, rel=1e-10)


def test_energy_score_equals_scoringrules(wind: np.ndarray, true_wind: np.ndarray) -> None:
    by_point, truth = wind.transpose(2, 1, 0), true_wind.T
    standard, fair = energy_score(*wind, *true_wind)
    np.testing.assert_allclose(standard, scoringrules.es_ensemble(truth, by_point), rtol=1e-9)
    np.testing.assert_allclose(
        fair, scoringrules.es_ensemble(truth, by_point, estimator="fair"), rtol=1e-9
    )


def test_energy_score_of_one_component_is_the_crps(wind: np.ndarray, true_wind: np.ndarray) -> None:
    calm = np.zeros_like(wind[0])
    standard, _ = energy_score(wind[0], calm, true_wind[0], calm[0])
    np.testing.assert_allclose(standard, crps_ensemble(true_wind[0], wind[0], axis=0), rtol=1e-9)


def test_energy_score_of_three_members_by_hand() -> None:
    # Members (3, 4), (0, 0), (0, 0), truth (0, 0): distance 5/3, pairs 5 and 5 and 0, each twice.
    standard, fair = energy_score(
        np.array([[3.0], [0.0], [0.0]]), np.array([[4.0], [0.0], [0.0]]), np.zeros(1), np.zeros(1)
    )
    assert standard[0] == pytest.approx(5 / 3 - 20 / 18)
    assert fair[0] == pytest.approx(5 / 3 - 20 / 12)


def test_fair_scores_of_one_member_equal_the_standard_ones(
    wind: np.ndarray, true_wind: np.ndarray, random: np.random.Generator
) -> None:
    standard, fair = energy_score(*wind[:, :1], *true_wind)
    np.testing.assert_allclose(standard, np.hypot(*(wind[:, 0] - true_wind)))
    np.testing.assert_array_equal(fair, standard)
    member, truth = random.normal(size=(1, 5, 6)), random.normal(size=(5, 6))
    standard, fair = variogram_sums(member, truth, np.ones((1, 5, 6)), [1, 2])
    np.testing.assert_allclose(fair, standard, rtol=1e-12)


def test_energy_score_does_not_change_with_threads(
    random: np.random.Generator,
) -> None:
    u, v = random.normal(size=(2, 4, 5000)).astype(np.float32)
    truth = random.normal(size=(2, 5000)).astype(np.float32)
    for one, other in zip(
        energy_score(u, v, *truth), energy_score(u, v, *truth, threads=2), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_energy_scores_are_of_points_where_both_components_are_known(
    random: np.random.Generator,
) -> None:
    u, v = random.normal(size=(2, 3, 2, 4)).astype(np.float32)
    true_u, true_v = random.normal(size=(2, 2, 4)).astype(np.float32)
    u[1, 0, 0] = v[2, 0, 1] = true_u[0, 2] = true_v[0, 3] = np.nan
    allowed = np.ones((2, 4), bool)
    allowed[1, 0] = False
    weights = random.uniform(0.5, 1.5, (1, 2, 4))
    assert SCORE.wind
    found = SCORE.wind(
        Wind(Forecast("U10", u), Forecast("V10", v), true_u, true_v, weights, allowed)
    )
    standard, fair = energy_score(u[:, 1, 1:], v[:, 1, 1:], true_u[1, 1:], true_v[1, 1:])
    kept = weights[0, 1, 1:]
    assert found["energy_weight_sum"] == pytest.approx(kept.sum())
    assert found["energy_standard_sum"] == pytest.approx(kept @ standard)
    assert found["energy_fair_sum"] == pytest.approx(kept @ fair)


@pytest.mark.parametrize("counts", [(3, 2), (0, 0), (None, 3), (3, None)])
def test_without_the_same_members_of_both_components_there_is_no_energy_score(
    counts: tuple[int | None, int | None],
) -> None:
    u, v = (
        Forecast(name, None if count is None else np.ones((count, 2, 4), np.float32))
        for name, count in zip(("U10", "V10"), counts, strict=True)
    )
    truth, everywhere = np.ones((2, 4), np.float32), np.ones((2, 4), bool)
    assert SCORE.wind
    assert SCORE.wind(Wind(u, v, truth, truth, np.ones((1, 2, 4)), everywhere)) == {}


def test_variogram_score_equals_a_loop(random: np.random.Generator) -> None:
    members, truth = random.normal(size=(4, 5, 6)), random.normal(size=(5, 6))
    weights = random.uniform(0.5, 1.5, (2, 5, 6))
    weights[1, :, 3:] = 0.0
    expected, total = np.zeros((2, 2)), np.zeros(2)
    for y, x in np.ndindex(5, 6):
        for other in ((y + 1, x), (y, x + 1), (y + 2, x), (y, x + 2)):
            if other[0] >= 5 or other[1] >= 6:
                continue
            observed = abs(truth[y, x] - truth[other]) ** 0.5
            forecast = [abs(member[y, x] - member[other]) ** 0.5 for member in members]
            weight = weights[:, y, x] * weights[:, *other]
            score = (observed - np.mean(forecast)) ** 2
            expected[0] += weight * score
            expected[1] += weight * (score - np.var(forecast, ddof=1) / 4)
            total += weight
    standard, fair = variogram_sums(members, truth, weights, [1, 2])
    np.testing.assert_allclose(standard, expected[0], rtol=1e-9)
    np.testing.assert_allclose(fair, expected[1], rtol=1e-9)
    np.testing.assert_allclose(variogram_weight(weights, [1, 2]), total)


def test_variogram_score_equals_scoringrules(random: np.random.Generator) -> None:
    """Two points: scoringrules counts each pair twice."""
    members, truth = random.normal(size=(6, 1, 2)), random.normal(size=(1, 2))
    standard, _ = variogram_sums(members, truth, np.ones((1, 1, 2)), [1])
    theirs = scoringrules.vs_ensemble(truth[0], members[:, 0], p=0.5)
    assert standard[0] == pytest.approx(float(theirs) / 2, rel=1e-9)


def test_missing_points_do_not_touch_the_variogram(random: np.random.Generator) -> None:
    members, truth = random.normal(size=(3, 4, 6)), random.normal(size=(4, 6))
    weights = np.ones((1, 4, 6))
    weights[:, :, 3:] = 0.0
    holed, hidden = members.copy(), truth.copy()
    holed[1, 2, 4], hidden[0, 5] = np.nan, np.nan
    for one, other in zip(
        variogram_sums(members, truth, weights, [1, 9]),
        variogram_sums(holed, hidden, weights, [1, 9]),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_variogram_score_does_not_change_with_threads(random: np.random.Generator) -> None:
    members, truth = random.normal(size=(4, 70, 9)), random.normal(size=(70, 9))
    weights = random.uniform(0.5, 1.5, (2, 70, 9))
    one = variogram_sums(members, truth, weights, [1, 4, 80])
    np.testing.assert_array_equal(one, variogram_sums(members, truth, weights, [1, 4, 80], 3))


def test_fair_variogram_score_does_not_depend_on_the_number_of_members() -> None:
    random = np.random.default_rng(6)
    truth, ones = random.normal(size=(120, 120)), np.ones((1, 120, 120))
    pairs = variogram_weight(ones, [1])[0]
    fair = [
        variogram_sums(random.normal(size=(count, 120, 120)), truth, ones, [1])[1][0] / pairs
        for count in (3, 30)
    ]
    assert fair[0] == pytest.approx(fair[1], rel=0.03)
