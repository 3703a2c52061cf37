from collections.abc import Callable
from datetime import datetime

import numpy as np
import pytest
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.scores.case_statistics import case_statistics as statistics_by_region
from stormdraw.scores.ensemble import ensemble_variables
from stormdraw.scores.statistics.crps import gaussian_crps
from stormdraw.scores.statistics.rank_histogram import NO_RANK

INIT = datetime(2026, 6, 8, 6)
LEADS = [1, 3]


@pytest.fixture
def members(random: np.random.Generator) -> np.ndarray:
    """(member, lead, y, x)."""
    return random.normal(290.0, 1.0, (4, 2, 5, 7)).astype(np.float32)


@pytest.fixture
def observed(random: np.random.Generator) -> np.ndarray:
    """(lead, y, x)."""
    return random.normal(290.0, 1.0, (2, 5, 7)).astype(np.float32)


@pytest.fixture
def weights(random: np.random.Generator) -> np.ndarray:
    return random.uniform(0.5, 1.5, (5, 7))


Truth = Callable[[str, int], np.ndarray]


def as_truth(**fields: np.ndarray) -> Truth:
    """Of each variable (lead, y, x)."""
    return lambda name, lead: fields[name][LEADS.index(lead)]


def case_statistics(
    ensemble: xr.Dataset, truth: Truth, weights: np.ndarray, run_seed: int
) -> xr.Dataset:
    """Of the whole domain."""
    return statistics_by_region(ensemble, truth, weights, run_seed).sel(region="domain")


def test_sums_equal_a_loop_over_points(
    make_ensemble: Callable[..., xr.Dataset],
    members: np.ndarray,
    observed: np.ndarray,
    weights: np.ndarray,
) -> None:
    found = case_statistics(
        make_ensemble(INIT, LEADS, {"T2M": members}), as_truth(T2M=observed), weights, 0
    ).sel(variable="T2M")
    for index, lead in enumerate(LEADS):
        expected = dict.fromkeys(
            ("crps_standard", "crps_fair", "crps_gaussian", "error", "squared_error", "variance"),
            0.0,
        )
        ranks = [0] * 5
        for y, x in np.ndindex(5, 7):
            values = members[:, index, y, x].astype(float)
            truth, weight = float(observed[index, y, x]), weights[y, x]
            distance = np.abs(values - truth).mean()
            pairs = sum(abs(a - b) for a in values for b in values)
            error, variance = values.mean() - truth, values.var(ddof=1)
            expected["crps_standard"] += weight * (distance - pairs / 32)
            expected["crps_fair"] += weight * (distance - pairs / 24)
            expected["crps_gaussian"] += weight * gaussian_crps(error, np.sqrt(variance))
            expected["error"] += weight * error
            expected["squared_error"] += weight * error**2
            expected["variance"] += weight * variance
            ranks[int((values < truth).sum())] += 1
        at_lead = found.sel(lead=lead)
        for name, value in expected.items():
            assert float(at_lead[f"{name}_sum"]) == pytest.approx(value, rel=1e-9), name
        assert float(at_lead["weight_sum"]) == pytest.approx(weights.sum())
        assert int(at_lead["points"]) == 35
        assert int(at_lead["members"]) == 4
        np.testing.assert_array_equal(at_lead["rank_counts"], ranks)


def test_variables_in_the_order_of_the_table(
    make_ensemble: Callable[..., xr.Dataset], members: np.ndarray, observed: np.ndarray
) -> None:
    ensemble = make_ensemble(
        INIT, LEADS, {"WIND10": members, "T2M": members, "REFC": members, "OTHER": members}
    )
    assert ensemble_variables(ensemble) == ["REFC", "T2M", "WIND10"]
    truth = as_truth(REFC=observed, T2M=observed + 1, WIND10=observed)
    found = case_statistics(ensemble, truth, np.ones((5, 7)), 0)
    assert list(found["variable"].values) == ["REFC", "T2M", "WIND10"]
    assert found["crps_fair_sum"].dims == ("variable", "lead")
    np.testing.assert_allclose(
        found["error_sum"].sel(variable="REFC") - found["error_sum"].sel(variable="T2M"),
        35.0,
        rtol=1e-5,
    )
    assert found["init"].values == np.datetime64(INIT)


def test_an_absent_member_is_left_out_at_its_lead(
    make_ensemble: Callable[..., xr.Dataset], members: np.ndarray, observed: np.ndarray
) -> None:
    holed = members.copy()
    holed[2, 1] = np.nan
    ones, truth = np.ones((5, 7)), as_truth(T2M=observed)
    found = case_statistics(make_ensemble(INIT, LEADS, {"T2M": holed}), truth, ones, 0)
    without = case_statistics(
        make_ensemble(INIT, LEADS, {"T2M": members[[0, 1, 3]]}), truth, ones, 0
    )
    np.testing.assert_array_equal(found["members"], [[4, 3]])
    np.testing.assert_array_equal(found["points"], [[35, 35]])
    for name in ("crps_fair_sum", "variance_sum", "error_sum"):
        assert found[name][0, 1] == without[name][0, 1]
    np.testing.assert_array_equal(found["rank_counts"][0, 1, :4], without["rank_counts"][0, 1])
    assert found["rank_counts"][0, 1, 4] == NO_RANK


def test_points_without_a_value_do_not_count(
    make_ensemble: Callable[..., xr.Dataset],
    members: np.ndarray,
    observed: np.ndarray,
    weights: np.ndarray,
) -> None:
    members[1, 0, 2, 3] = np.nan
    observed[0, 4, 4] = np.nan
    truth = as_truth(T2M=observed)
    found = case_statistics(make_ensemble(INIT, LEADS, {"T2M": members}), truth, weights, 0)
    np.testing.assert_array_equal(found["points"], [[33, 35]])
    expected = weights.sum() - weights[2, 3] - weights[4, 4]
    assert float(found["weight_sum"][0, 0]) == pytest.approx(expected)
    assert found["rank_counts"][0, 0].sum() == 33
    # As many points, but others: the checksum tells.
    members[1, 0, 2, 3], members[1, 0, 2, 4] = 290.0, np.nan
    other = case_statistics(make_ensemble(INIT, LEADS, {"T2M": members}), truth, weights, 0)
    np.testing.assert_array_equal(other["points"], found["points"])
    assert other["mask_checksum"][0, 0] != found["mask_checksum"][0, 0]
    assert other["mask_checksum"][0, 1] == found["mask_checksum"][0, 1]


def test_mean_and_spread_give_gaussian_scores_only(
    make_ensemble: Callable[..., xr.Dataset],
    members: np.ndarray,
    observed: np.ndarray,
    weights: np.ndarray,
) -> None:
    truth = as_truth(T2M=observed)
    fitted = {
        "T2M_mean": members.astype(float).mean(axis=0),
        "T2M_spread": members.astype(float).std(axis=0, ddof=1),
    }
    found = case_statistics(make_ensemble(INIT, LEADS, fitted), truth, weights, 0)
    full = case_statistics(make_ensemble(INIT, LEADS, {"T2M": members}), truth, weights, 0)
    for name in ("crps_gaussian_sum", "error_sum", "squared_error_sum", "variance_sum"):
        np.testing.assert_allclose(found[name], full[name], rtol=1e-9, err_msg=name)
    # Nobody says of how many members they are.
    assert np.isnan(found["crps_gaussian_fair_sum"]).all()
    for name in ("points", "weight_sum", "mask_checksum"):
        np.testing.assert_array_equal(found[name], full[name], name)
    assert np.isnan(found["crps_fair_sum"]).all()
    assert np.isnan(found["crps_standard_sum"]).all()
    assert (found["members"] == 0).all()
    assert (found["rank_counts"] == 0).all()


def test_mean_and_spread_of_known_size_score_like_their_members(
    make_ensemble: Callable[..., xr.Dataset], members: np.ndarray, observed: np.ndarray
) -> None:
    truth, ones = as_truth(T2M=observed), np.ones((5, 7))
    fitted = make_ensemble(
        INIT,
        LEADS,
        {
            "T2M_mean": members.astype(float).mean(axis=0),
            "T2M_spread": members.astype(float).std(axis=0, ddof=1),
        },
    ).assign_attrs(members_by_lead=[4, 3])
    found = case_statistics(fitted, truth, ones, 0)["crps_gaussian_fair_sum"].values[0]
    full = case_statistics(make_ensemble(INIT, LEADS, {"T2M": members}), truth, ones, 0)
    four = full["crps_gaussian_fair_sum"].values[0]
    assert found[0] == pytest.approx(four[0], rel=1e-6)
    # Of fewer members more of the error is taken off.
    assert found[1] < four[1] < full["crps_gaussian_sum"][0, 1]


def test_spectra_are_of_ten_members_and_of_the_mean_of_all(
    make_ensemble: Callable[..., xr.Dataset],
    observed: np.ndarray,
    weights: np.ndarray,
    random: np.random.Generator,
) -> None:
    """By Parseval they add up to the variance of a field."""
    many = random.normal(0.0, np.arange(1, 14)[:, None, None, None], (13, 2, 5, 7))
    many = many.astype(np.float32)
    found = case_statistics(
        make_ensemble(INIT, LEADS, {"U10": many}), as_truth(U10=observed), weights, 0
    )
    of_members = found["spectrum_members"].sum("wavenumber").values[0]
    np.testing.assert_allclose(of_members, many[:10].var(axis=(2, 3)).mean(axis=0), rtol=1e-5)
    of_mean = found["spectrum_mean"].sum("wavenumber").values[0]
    np.testing.assert_allclose(of_mean, many.mean(axis=0).var(axis=(1, 2)), rtol=1e-5)


def test_where_the_truth_has_a_gap_spectra_are_of_the_points_around_it(
    make_ensemble: Callable[..., xr.Dataset],
    members: np.ndarray,
    observed: np.ndarray,
    weights: np.ndarray,
) -> None:
    """Whatever members have in the gap; they still add up to the variance outside it."""
    observed[1, 2, 3:6] = np.nan
    there = np.isfinite(observed[1])
    found = case_statistics(
        make_ensemble(INIT, LEADS, {"T2M": members}), as_truth(T2M=observed), weights, 0
    )
    assert found["spectrum_fields"].values.tolist() == [[1, 1]]
    for kind, fields in (
        ("members", members[:, 1]),
        ("mean", members[:, 1].mean(axis=0)[None]),
        ("truth", observed[1][None]),
    ):
        total = found[f"spectrum_{kind}"].sum("wavenumber").values[0, 1]
        assert total == pytest.approx(fields[:, there].var(axis=1).mean(), rel=1e-4)


def test_small_remains_of_fields_and_mean_and_spread_have_no_spectrum(
    make_ensemble: Callable[..., xr.Dataset],
    members: np.ndarray,
    observed: np.ndarray,
    weights: np.ndarray,
) -> None:
    observed[1, :3] = np.nan  # Of five rows.
    found = case_statistics(
        make_ensemble(INIT, LEADS, {"T2M": members}), as_truth(T2M=observed), weights, 0
    )
    assert found["spectrum_fields"].values.tolist() == [[1, 0]]
    both = {"T2M_mean": members.mean(axis=0), "T2M_spread": members.std(axis=0)}
    found = case_statistics(make_ensemble(INIT, LEADS, both), as_truth(T2M=observed), weights, 0)
    assert "spectrum_fields" not in found


def test_ties_are_broken_the_same_way_for_the_same_seed(
    make_ensemble: Callable[..., xr.Dataset],
) -> None:
    constant = make_ensemble(INIT, LEADS, {"REFC": np.full((9, 2, 5, 7), -10.0)})
    truth = as_truth(REFC=np.full((2, 5, 7), -10.0))

    def counts(seed: int) -> np.ndarray:
        found = case_statistics(constant, truth, np.ones((5, 7)), seed)
        return found["rank_counts"].values

    np.testing.assert_array_equal(counts(1), counts(1))
    assert (counts(1) != counts(2)).any()
    # Each lead has random numbers of its own.
    assert (counts(1)[0, 0] != counts(1)[0, 1]).any()
    assert (counts(1) > 0).sum() > 10


def test_nothing_to_score_is_an_error(
    make_ensemble: Callable[..., xr.Dataset], members: np.ndarray, observed: np.ndarray
) -> None:
    ensemble = make_ensemble(INIT, LEADS, {"T2M": members})
    observed[1] = np.nan
    found = case_statistics(ensemble, as_truth(T2M=observed), np.ones((5, 7)), 0)
    np.testing.assert_array_equal(found["points"], [[35, 0]])
    members[:, 0] = np.nan
    with pytest.raises(StormdrawError, match="T2M at init 2026060806: truth and members are both"):
        case_statistics(ensemble, as_truth(T2M=observed), np.ones((5, 7)), 0)
