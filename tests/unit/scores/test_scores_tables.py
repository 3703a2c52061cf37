"""The tables of a score file, against loops and closed forms; and scores made of them."""

from collections.abc import Callable
from datetime import datetime
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scoringrules
import xarray as xr
from scipy import stats

from stormdraw.grids import Grid
from stormdraw.scores.case_statistics import case_statistics
from stormdraw.scores.settings import Scores
from stormdraw.scores.statistics.spread_error import spread_bin_edges
from stormdraw.scores.summary import by_hour, summarise, tidy_scores, write_tidy
from stormdraw.scores.threshold import Threshold

INIT = datetime(2026, 6, 8, 6)
SCORES = Scores(thresholds={"REFC": [5.0, 20.0]}, neighbourhoods=[1, 3], variogram_lags=[1])
Make = Callable[..., xr.Dataset]


@pytest.fixture
def storms(random: np.random.Generator) -> np.ndarray:
    """Six members, (member, lead, y, x)."""
    return np.maximum(random.normal(8.0, 15.0, (6, 1, 5, 7)), -10.0).astype(np.float32)


@pytest.fixture
def observed(random: np.random.Generator) -> np.ndarray:
    return np.maximum(random.normal(8.0, 15.0, (1, 5, 7)), -10.0).astype(np.float32)


def as_truth(**fields: np.ndarray) -> Callable[[str, int], np.ndarray]:
    """At the only lead, of each variable (1, y, x)."""
    return lambda name, lead: fields[name][lead - 1]


def only(dataset: xr.Dataset, region: str = "domain") -> xr.Dataset:
    return dataset.isel(variable=0, lead=0).sel(region=region)


def test_threshold_weighted_crps_equals_scoringrules(
    make_ensemble: Make, storms: np.ndarray, observed: np.ndarray
) -> None:
    ensemble, truth = make_ensemble(INIT, [1], {"REFC": storms}), as_truth(REFC=observed)
    found = only(case_statistics(ensemble, truth, np.ones((5, 7)), 0, SCORES))
    members, values = storms[:, 0].astype(float), observed[0].astype(float)
    for index, threshold in enumerate((5.0, 20.0)):
        for kind, estimator in (("standard", "nrg"), ("fair", "fair")):
            theirs = scoringrules.twcrps_ensemble(
                values, members, a=threshold, m_axis=0, estimator=estimator
            )
            ours = found[f"threshold_weighted_{kind}_sum"][index]
            assert float(ours) == pytest.approx(theirs.sum(), rel=1e-6)


def test_a_threshold_below_all_values_gives_the_fair_crps(
    make_ensemble: Make, storms: np.ndarray, observed: np.ndarray
) -> None:
    ensemble, truth = make_ensemble(INIT, [1], {"REFC": storms}), as_truth(REFC=observed)
    scores = SCORES.model_copy(update={"thresholds": {"REFC": [Threshold(-10.0)]}})
    found = only(case_statistics(ensemble, truth, np.ones((5, 7)), 0, scores))
    assert float(found["threshold_weighted_fair_sum"][0]) == pytest.approx(
        # Errors are rounded to float32, and the threshold is not.
        float(found["crps_fair_sum"]),
        rel=1e-7,
    )


def test_regions_are_parts_of_the_domain(
    make_ensemble: Make, storms: np.ndarray, observed: np.ndarray
) -> None:
    ensemble, truth = make_ensemble(INIT, [1], {"REFC": storms}), as_truth(REFC=observed)
    west = np.zeros((5, 7), bool)
    west[:, :3] = True
    regions = {"domain": np.ones((5, 7), bool), "west": west, "east": ~west}
    found = case_statistics(ensemble, truth, np.ones((5, 7)), 0, SCORES, regions=regions)
    for name in found.data_vars:
        if "region" in found[name].dims and name not in (
            *("members", "mask_checksum", "absent_members"),
            *("variogram_standard_sum", "variogram_fair_sum", "variogram_weight_sum"),
        ):
            parts = found[name].sel(region="west") + found[name].sel(region="east")
            np.testing.assert_allclose(found[name].sel(region="domain"), parts, rtol=1e-9)
    beside = as_truth(REFC=observed[..., :3])
    alone = case_statistics(ensemble.isel(x=slice(3)), beside, np.ones((5, 3)), 0, SCORES)
    for name in ("crps_fair_sum", "parts_sum", "spread_bin_variance_sum"):
        np.testing.assert_allclose(only(alone)[name], only(found, "west")[name], rtol=1e-9)


def test_spread_bins_hold_every_point_once(
    make_ensemble: Make, storms: np.ndarray, observed: np.ndarray
) -> None:
    ensemble, truth = make_ensemble(INIT, [1], {"REFC": storms}), as_truth(REFC=observed)
    found = only(case_statistics(ensemble, truth, np.ones((5, 7)), 0, SCORES))
    assert float(found["spread_bin_variance_sum"].sum()) == pytest.approx(
        float(found["variance_sum"])
    )
    assert float(found["spread_bin_squared_error_sum"].sum()) == pytest.approx(
        float(found["squared_error_sum"])
    )
    spread = storms[:, 0].astype(float).std(axis=0, ddof=1)
    edges = [0.0, *spread_bin_edges(0.1), np.inf]
    np.testing.assert_array_equal(
        found["spread_bin_weight_sum"], np.histogram(spread, edges)[0].astype(float)
    )


def test_pit_of_a_gaussian_is_flat_if_it_is_right(make_ensemble: Make, grid: Grid) -> None:
    random = np.random.default_rng(5)
    counts = np.zeros(20)
    for _ in range(60):
        mean = random.normal(290.0, 3.0, (1, *grid.shape))
        spread = random.uniform(0.5, 2.0, (1, *grid.shape))
        ensemble = make_ensemble(INIT, [1], {"T2M_mean": mean, "T2M_spread": spread})
        truth = as_truth(T2M=random.normal(mean, spread))
        counts += only(case_statistics(ensemble, truth, np.ones(grid.shape), 0))["pit_counts"]
    assert counts.sum() == 60 * 35
    assert stats.chisquare(counts).pvalue > 1e-3


def test_matched_scores_are_means_over_all_subsets(
    make_ensemble: Make, storms: np.ndarray, observed: np.ndarray, tmp_path: Path
) -> None:
    """The closed form, against every subset of three of the six members."""
    paths = {}
    for name, members in {"trial": storms, "href": storms[:3]}.items():
        ensemble = make_ensemble(INIT, [1], {"REFC": members}, system=name)
        found = case_statistics(ensemble, as_truth(REFC=observed), np.ones((5, 7)), 0, SCORES)
        paths[name] = [tmp_path / f"{name}.nc"]
        found.to_netcdf(paths[name][0])
    summary = summarise(
        paths,
        Scores(reference="href", neighbourhoods=[1, 3]),
        0,
    ).set_index(["system", "metric"])
    members, truth = storms[:, 0].astype(float), observed[0].astype(float)
    chosen = [members[list(subset)] for subset in combinations(range(6), 3)]
    crps = np.mean(
        [scoringrules.crps_ensemble(truth, subset, m_axis=0, estimator="nrg") for subset in chosen]
    )
    error = np.mean([(subset.mean(axis=0) - truth) ** 2 for subset in chosen])
    assert summary.loc[("trial", "crps_matched"), "value"] == pytest.approx(crps, rel=1e-7)
    assert summary.loc[("trial", "rmse_matched"), "value"] == pytest.approx(
        np.sqrt(error), rel=1e-7
    )
    own = summary.loc["href"]["value"]
    assert own["crps_matched"] == pytest.approx(own["crps_standard"])
    # And random subsets approach it.
    random = np.random.default_rng(0)
    drawn = [
        scoringrules.crps_ensemble(
            truth, members[random.permutation(6)[:3]], m_axis=0, estimator="nrg"
        ).mean()
        for _ in range(300)
    ]
    assert np.mean(drawn) == pytest.approx(crps, abs=4 * np.std(drawn) / np.sqrt(300))


@pytest.mark.parametrize("threads", [1, 2])
def test_scores_do_not_change_with_chunks_order_or_threads(
    threads: int, make_ensemble: Make, storms: np.ndarray, observed: np.ndarray
) -> None:
    truth, ones = as_truth(REFC=observed), np.ones((5, 7))
    plain = case_statistics(make_ensemble(INIT, [1], {"REFC": storms}), truth, ones, 0, SCORES)
    other = make_ensemble(INIT, [1], {"REFC": storms[::-1]}).chunk({"member": 2, "x": 3})
    found = case_statistics(other, truth, ones, 0, SCORES, threads=threads)
    for name in set(plain.data_vars) - {"event"}:
        np.testing.assert_allclose(found[name], plain[name], rtol=1e-6, atol=1e-9, err_msg=name)
    for name in (
        "event",
        "crps_fair_sum",
        "rank_counts",
        "probability_weight_sum",
        "fss_difference_sum",
    ):
        np.testing.assert_array_equal(found[name], plain[name], name)


def test_the_wind_vector_is_scored_with_its_speed(
    make_ensemble: Make, random: np.random.Generator
) -> None:
    u, v = random.normal(size=(2, 4, 1, 5, 7)).astype(np.float32)
    true_u, true_v = random.normal(size=(2, 1, 5, 7)).astype(np.float32)
    fields = {"U10": u, "V10": v, "WIND10": np.hypot(u, v)}
    truth = as_truth(U10=true_u, V10=true_v, WIND10=np.hypot(true_u, true_v))
    weights = random.uniform(0.5, 1.5, (5, 7))
    found = case_statistics(make_ensemble(INIT, [1], fields), truth, weights, 0)
    theirs = scoringrules.es_ensemble(
        np.stack([true_u[0], true_v[0]], -1), np.moveaxis(np.stack([u[:, 0], v[:, 0]], -1), 0, -2)
    )
    of_speed = found.sel(variable="WIND10", region="domain", lead=1)
    assert float(of_speed["energy_standard_sum"]) == pytest.approx(
        float((weights * theirs).sum()), rel=1e-5
    )
    assert float(found.sel(variable="U10", region="domain", lead=1)["energy_weight_sum"]) == 0.0


def test_the_tidy_table_has_every_region(
    tmp_path: Path,
    score_cases: Callable[..., list[Path]],
    grid: Grid,
    random: np.random.Generator,
) -> None:
    longitude, _ = grid.longitude_latitude()
    middle = float(np.median(longitude))
    scores = SCORES.model_copy(
        update={
            "regions": Scores.model_validate(
                {"regions": {"west": {"west": -180, "east": middle, "south": -90, "north": 90}}}
            ).regions
        }
    )
    truth = random.normal(9, 9, (2, *grid.shape))
    members = random.normal(9, 9, (4, 2, *grid.shape)).astype(np.float32)
    paths = {"trial": score_cases([({"REFC": members}, {"REFC": truth})], scores)}
    domain = summarise(paths, Scores(neighbourhoods=[1, 3]), 0)
    hours = by_hour(paths, scores)
    write_tidy(tidy_scores(paths, scores, 0, hours=hours), tmp_path / "scores.parquet")
    read = pd.read_parquet(tmp_path / "scores.parquet")
    of_hours = read[read["valid_hour"].notna()]
    assert sorted(of_hours["value"].dropna()) == sorted(hours["value"].dropna())
    assert set(of_hours["lead_hours"].fillna(-1)) == {1, 2, -1}
    read = read[read["valid_hour"].isna()]
    assert list(read["region"].unique()) == ["domain", "west"]
    assert (read["days"] == 1).all()
    np.testing.assert_array_equal(read.loc[read["region"] == "domain", "value"], domain["value"])
    nan = ""
    expected = {
        *(("crps_reliability", nan, nan), ("rank_index", nan, nan)),
        *(("brier", "20", nan), ("fss", "20", 3.0), ("pmm_csi", "5", nan)),
    }
    of_rows = read[["metric", "threshold", "width"]].astype(object).fillna(nan)
    assert expected <= set(of_rows.itertuples(index=False, name=None))
    count = int((longitude <= middle).sum())
    points = read[(read["region"] == "west") & (read["metric"] == "points")]["value"]
    assert (points == count).all()
