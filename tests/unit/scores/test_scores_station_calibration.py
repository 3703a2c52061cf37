"""The test of truth: a perfect ensemble against reports whose error is known."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import binom, norm
from station_files import stations_at, write_reports

from stormdraw.grids import Grid
from stormdraw.scores.settings import Scores
from stormdraw.scores.stations.case import score_stations
from stormdraw.scores.stations.systems import station_sums
from stormdraw.scores.summary import table_of

DAYS, MEMBERS, ERROR = 16, 10, 1.0
LEADS = (1, 2)


def forecasts(members: np.ndarray) -> Mapping[str, Mapping[str, np.ndarray]]:
    """The same ensemble as members, as mean and spread, and a single one of its members."""
    moments = {"T2M_mean": members.mean(axis=0), "T2M_spread": members.std(axis=0, ddof=1)}
    return {"members": {"T2M": members}, "published": moments, "single": {"T2M": members[:1]}}


@pytest.fixture(scope="module")
def score(tmp_path_factory: pytest.TempPathFactory, grid: Grid) -> Callable[..., pd.DataFrame]:
    """The scores of a perfect ensemble, given an observation error.

    Truth and members are drawn from the same distribution, N(m, 1) with m another one at each
    point. A station lies on each grid point and reports the truth with an error of N(0, ERROR**2).
    """
    folder = tmp_path_factory.mktemp("stations")
    random = np.random.default_rng(20260608)
    rows, columns = (side.ravel() for side in np.mgrid[: grid.shape[0], : grid.shape[1]])
    stations = stations_at(grid, rows, columns)
    cases = []
    for day in range(DAYS):
        init = datetime(2026, 6, 1, 6) + timedelta(days=day)
        middle = 280.0 + random.standard_normal((2, *grid.shape))
        truth = middle + random.standard_normal(middle.shape)
        members = middle + random.standard_normal((MEMBERS, *middle.shape))
        reported = truth + ERROR * random.standard_normal(middle.shape)
        values = {
            init + timedelta(hours=lead): {"T2M": reported[index].ravel()}
            for index, lead in enumerate(LEADS)
        }
        path = write_reports(folder / f"{init:%Y%m%d}.parquet", stations, values)
        for system, fields in forecasts(members.astype(np.float32)).items():
            dataset = xr.Dataset(
                {
                    name: (("member", "lead", "y", "x")[4 - field.ndim :], field)
                    for name, field in fields.items()
                },
                coords={
                    "lead": list(LEADS),
                    "init": np.datetime64(init, "ns"),
                    **grid.coordinates(),
                },
                attrs={"system": system, "method": "perfect", "members_by_lead": [MEMBERS] * 2},
            )
            ensemble = folder / f"{system}_{init:%Y%m%d%H}.nc"
            dataset.to_netcdf(ensemble, engine="netcdf4")
            cases.append((system, ensemble, path, f"{init:%Y%m%d%H}"))

    def scored(error: float, systems: Collection[str]) -> pd.DataFrame:
        scores = Scores.model_validate(
            {"thresholds": {"T2M": [280]}, "stations": {"observation_error": {"T2M": error}}}
        )
        paths: dict[str, list[Path]] = {}
        for system, ensemble, reports, init in cases:
            if system not in systems:
                continue
            output = folder / f"error{error}" / system / f"{init}.nc"
            output.parent.mkdir(parents=True, exist_ok=True)
            score_stations(
                ensemble, [reports], output, 1, LEADS, scores.stations, scores.thresholds
            )
            paths.setdefault(system, []).append(output)
        return table_of(station_sums(paths).systems, scores, 1)

    return scored


@pytest.fixture(scope="module")
def with_error(score: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    return score(ERROR, ("members", "published", "single"))


@pytest.fixture(scope="module")
def without_error(score: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    return score(0.0, ("members",))


def rows(table: pd.DataFrame, system: str, metric: str) -> pd.DataFrame:
    found = table[(table["system"] == system) & (table["metric"] == metric)]
    assert len(found) == len(LEADS)
    return found


def test_a_perfect_ensemble_is_calibrated_if_the_reports_error_is_accounted_for(
    with_error: pd.DataFrame,
) -> None:
    found = rows(with_error, "members", "spread_error_ratio_with_observation_error")
    assert (found["ci_low"] <= 1.0).all()
    assert (found["ci_high"] >= 1.0).all()
    # 560 reports a lead: a mean square has a standard error of sqrt(2 / 560), its root of half.
    np.testing.assert_allclose(found["value"], 1.0, atol=4 * 0.5 * np.sqrt(2 / 560))


def test_a_perfect_ensemble_seems_under_dispersive_if_it_is_not(
    with_error: pd.DataFrame, without_error: pd.DataFrame
) -> None:
    # The mean of 10 members errs by 1 + 1/10 against the truth, by 1 more against a report.
    expected = np.sqrt(1.1 / 2.1)
    for table, metric in (
        (with_error, "spread_error_ratio"),
        (without_error, "spread_error_ratio"),
        (without_error, "spread_error_ratio_with_observation_error"),
    ):
        found = rows(table, "members", metric)
        assert (found["ci_high"] < 1.0).all()
        np.testing.assert_allclose(found["value"], expected, atol=0.07)


def test_ranks_among_perturbed_members_are_flat_and_u_shaped_among_others(
    with_error: pd.DataFrame, without_error: pd.DataFrame
) -> None:
    # Of 560 reports in 11 ranks chance makes the index of a flat histogram 11 sqrt(2 / pi)
    # sqrt(p (1 - p) / 560) with p = 1 / 11 on average, 0.11.
    assert (rows(with_error, "members", "rank_index")["value"] < 0.22).all()
    # The chance that k of M members lie below a report, which has twice their variance.
    report = np.linspace(-12.0, 12.0, 4001)
    density = norm.pdf(report, scale=np.sqrt(1.0 + ERROR**2)) * (report[1] - report[0])
    k = np.arange(MEMBERS + 1)
    chance = (binom.pmf(k[:, None], MEMBERS, norm.cdf(report)) * density).sum(axis=1)
    expected = np.abs(chance - 1 / (MEMBERS + 1)).sum()
    found = rows(without_error, "members", "rank_index")["value"]
    np.testing.assert_allclose(found, expected, atol=0.11)


@pytest.mark.parametrize(
    ("system", "metric"), [("members", "crps_fair"), ("published", "crps_gaussian_fair")]
)
def test_crps_is_that_of_the_distribution_of_reports(
    with_error: pd.DataFrame, system: str, metric: str
) -> None:
    """Of N(m, s**2), of which the report is drawn, it is s / sqrt(pi); s**2 = 1 + ERROR**2."""
    expected = np.sqrt((1.0 + ERROR**2) / np.pi)
    # One report's CRPS varies by about half of its mean.
    tolerance = 4 * 0.6 * expected / np.sqrt(560)
    np.testing.assert_allclose(rows(with_error, system, metric)["value"], expected, atol=tolerance)


def test_a_single_member_is_scored_by_its_absolute_error(with_error: pd.DataFrame) -> None:
    """E|x - y| of a difference of variance 1 + 1 + ERROR**2: nothing is added to the member."""
    value = rows(with_error, "single", "crps_fair")["value"]
    np.testing.assert_allclose(value, np.sqrt(2 * 3.0 / np.pi), atol=4 * 1.05 / np.sqrt(560))


def test_the_brier_score_is_best_if_the_error_is_accounted_for(
    with_error: pd.DataFrame, without_error: pd.DataFrame
) -> None:
    """The fair score is proper: no probability scores better than that of the reports."""
    better, worse = (
        rows(table, "members", "brier_fair")["value"].mean()
        for table in (with_error, without_error)
    )
    assert better < worse
    published = rows(with_error, "published", "brier")["value"].mean()
    assert published == pytest.approx(better, abs=0.02)
