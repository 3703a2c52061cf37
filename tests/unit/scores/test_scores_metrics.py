import numpy as np
import pytest
import xarray as xr

from stormdraw.scores.statistics.crps import crps_metrics, shared_crps, skill
from stormdraw.scores.statistics.spread_error import SCORE
from stormdraw.scores.sums import Cases, ratio


def statistics(members: list[int], **sums: list[float]) -> xr.Dataset:
    """Two cases, one lead."""
    values = {"weight_sum": [10.0, 30.0], "points": [10, 30]}
    for name in ("crps_standard", "crps_fair", "crps_gaussian", "error", "squared_error"):
        values[f"{name}_sum"] = [0.0, 0.0]
    values |= {"variance_sum": [0.0, 0.0], "members": members} | sums
    return xr.Dataset(
        {name: (("init", "lead"), np.array(value)[:, None]) for name, value in values.items()}
    )


ONCE = np.ones((1, 2))


def metrics(system: xr.Dataset, resamples: np.ndarray) -> dict[str, np.ndarray]:
    cases = Cases(system, resamples)
    assert SCORE.cases is not None
    return crps_metrics(cases) | SCORE.cases(cases)


def test_scores_are_ratios_of_sums() -> None:
    system = statistics(
        [3, 3],
        crps_standard_sum=[10.0, 70.0],
        crps_fair_sum=[10.0, 30.0],
        crps_gaussian_sum=[4.0, 6.0],
        error_sum=[20.0, -60.0],
        squared_error_sum=[100.0, 260.0],
        variance_sum=[40.0, 50.0],
    )
    found = metrics(system, ONCE)
    expected = {
        "crps_standard": 2.0,
        "crps_fair": 1.0,
        "crps_gaussian": 0.25,
        "bias": -1.0,
        "rmse": 3.0,
        "spread": 1.5,
        # sqrt(4/3 * 90 / 360)
        "spread_error_ratio": np.sqrt(1 / 3),
    }
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name][0, 0] == pytest.approx(value), name


def test_a_case_counts_as_often_as_it_is_resampled() -> None:
    system = statistics([3, 3], crps_fair_sum=[10.0, 120.0])
    drawn = np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 2.0]])
    found = metrics(system, drawn)
    np.testing.assert_allclose(found["crps_fair"][:, 0], [130 / 40, 1.0, 4.0])


def test_the_spread_of_each_case_is_inflated_by_its_number_of_members() -> None:
    system = statistics([2, 5], squared_error_sum=[10.0, 26.0], variance_sum=[40.0, 70.0])
    found = metrics(system, ONCE)
    # sqrt((3/2 * 40 + 6/5 * 70) / 36) = sqrt(144 / 36)
    assert found["spread_error_ratio"][0, 0] == pytest.approx(2.0)


def test_one_member_has_no_spread() -> None:
    system = statistics([1, 1], squared_error_sum=[10.0, 26.0])
    found = metrics(system, ONCE)
    assert np.isnan(found["spread_error_ratio"][0, 0])
    assert np.isnan(found["spread"][0, 0])


def test_a_gaussian_system_is_not_inflated_and_has_no_ensemble_crps() -> None:
    system = statistics([0, 0], squared_error_sum=[10.0, 30.0], variance_sum=[40.0, 120.0])
    found = metrics(system, ONCE)
    assert found["spread_error_ratio"][0, 0] == pytest.approx(2.0)
    assert not {"crps_fair", "crps_standard"} & found.keys()


def test_skill_compares_the_same_kind_of_crps() -> None:
    ensemble = {"crps_fair": np.array([1.0]), "crps_gaussian": np.array([3.0])}
    reference = {"crps_fair": np.array([4.0]), "crps_gaussian": np.array([12.0])}
    gaussian = {"crps_gaussian": np.array([6.0])}
    assert skill(ensemble, reference) == {"crps_skill": np.array([0.75])}
    assert skill(ensemble, gaussian) == {"crps_gaussian_skill": np.array([0.5])}
    assert skill(gaussian, reference) == {"crps_gaussian_skill": np.array([0.5])}


def test_skill_of_gaussians_is_corrected_for_known_ensemble_sizes() -> None:
    known = {"crps_gaussian": np.array([3.0]), "crps_gaussian_fair": np.array([2.0])}
    ensemble = known | {"crps_fair": np.array([9.0])}
    assert skill(known, ensemble) == {"crps_gaussian_skill": np.array([0.0])}
    assert shared_crps(known, ensemble) == "crps_gaussian_fair"
    assert shared_crps(ensemble, {"crps_gaussian"}) == "crps_gaussian"
    sums = {"crps_gaussian_sum": [10.0, 30.0], "crps_gaussian_fair_sum": [5.0, np.nan]}
    assert "crps_gaussian_fair" not in metrics(statistics([0, 0], **sums), ONCE)
    # A case without a point that counts needs none.
    system = statistics([0, 0], **sums, points=[10, 0], weight_sum=[10.0, 0.0])
    assert metrics(system, ONCE)["crps_gaussian_fair"][0, 0] == 0.5


def test_a_ratio_to_zero_is_nan() -> None:
    np.testing.assert_array_equal(
        ratio(np.array([0.0, 1.0, 1.0]), np.array([0.0, 0.0, 2.0])), [np.nan, np.nan, 0.5]
    )
