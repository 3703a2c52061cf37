"""Other people's libraries go from the files of a case to its scores, and find ours."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from checked_case import (
    ARCHIVE,
    INIT,
    LEADS,
    SEED,
    STATE,
    CheckedCase,
    make_case,
    write_mean_and_spread,
    write_members,
)

from stormdraw.errors import StormdrawError
from stormdraw.fields.percentiles import write_percentiles
from stormdraw.grids import Grid, latitude_longitude, polar_stereographic
from stormdraw.scores import case, verification
from stormdraw.scores.check import forecast
from stormdraw.scores.check.agreement import TOLERANCE, read_check, write_check
from stormdraw.scores.points import CommonPoints
from stormdraw.scores.settings import Scores
from stormdraw.scores.statistics import crps, rank_histogram
from stormdraw.scores.threshold import Limit
from stormdraw.scores.weights import area_weights

SCORES_OF_MEMBERS = {
    *("points", "rmse", "bias", "spread", "spread_error_ratio", "rank_index"),
    *("crps_standard", "crps_fair", "crps_gaussian", "brier", "brier_fair"),
}
SCORES_OF_GAUSSIANS = SCORES_OF_MEMBERS - {
    *("rank_index", "crps_standard", "crps_fair", "brier_fair")
}


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> CheckedCase:
    """A case of packed members with the second opinion on it."""
    case = make_case(tmp_path_factory.mktemp("right"))
    case.score()
    case.opinion()
    return case


def elsewhere(right: CheckedCase, folder: Path) -> CheckedCase:
    """The same case, whose second opinion is written to another folder."""
    shutil.copy(right.points, folder)
    return replace(right, folder=folder)


@pytest.fixture
def gaussian(right: CheckedCase, tmp_path: Path) -> CheckedCase:
    """The same forecast, known by mean and spread only; at a point they are sure and right."""
    path = tmp_path / "mean_and_spread.nc"
    write_mean_and_spread(path, right.ensemble)
    return replace(right, folder=tmp_path, ensemble=path)


def test_a_right_run_passes(right: CheckedCase) -> None:
    table = right.check(right.folder / "scores" / "trial" / f"{INIT:%Y%m%d%H}.nc")
    assert set(table["variable"]) == {*STATE, "WIND10"}
    assert set(table["lead_hours"]) == set(LEADS)
    # Only single precision of the truth minus members is between them.
    assert table["relative_difference"].max() < 1e-7
    assert set(table["starts_from"].str.partition(" ")[0]) == {"GRIB2"}
    for (name, _), rows in table.groupby(["variable", "lead_hours"]):
        with_events = {"brier", "brier_fair"} if name in right.scores.thresholds else set()
        expected = SCORES_OF_MEMBERS - {"brier", "brier_fair"} | with_events
        assert set(rows["metric"]) == expected
        assert set(rows[rows["metric"] == "brier"]["threshold"]) == {
            one.text for one in right.scores.thresholds.get(name, ())
        }
        both = rows[rows["metric"] == "crps_standard"]["library"].str.partition(" ")[0]
        assert set(both) == {"properscoring", "xskillscore"}
    again = read_check(right.folder / "check.csv")
    np.testing.assert_allclose(again["ours"], table["ours"], rtol=1e-8)
    assert (again["sample"] == "all").all()


def test_a_distribution_known_by_mean_and_spread_passes(gaussian: CheckedCase) -> None:
    with xr.open_dataset(gaussian.ensemble) as file:
        # No storm in any member: the Gaussian has no width.
        assert (file["REFC_spread"] == 0.0).any()
    statistics = gaussian.score()
    gaussian.opinion()
    table = gaussian.check(statistics)
    assert set(table["metric"]) == SCORES_OF_GAUSSIANS
    assert table["relative_difference"].max() < 1e-7
    assert set(table["library"].str.partition(" ")[0]) == {
        *("properscoring", "xskillscore", "xarray")
    }


def too_large_crps(errors, valid, scores, counts):  # type: ignore[no-untyped-def]
    verification_point_scores(errors, valid, scores, counts)
    scores[2] *= 1.0001


verification_point_scores = verification.point_scores
gaussian_crps = crps.gaussian_crps
lower = Limit.lower


def standard_for_fair(errors, valid, scores, counts):  # type: ignore[no-untyped-def]
    verification_point_scores(errors, valid, scores, counts)
    scores[3] = scores[2]


def beyond(limit: Limit, points: tuple[int, ...], kind: np.dtype) -> np.ndarray:
    """The next number above the threshold: more than it instead of at least."""
    return np.nextafter(lower(limit, points, kind), kind.type(np.inf))


WRONG = {
    "a factor in the CRPS": (verification, "point_scores", too_large_crps, "crps_standard"),
    "no fair CRPS": (verification, "point_scores", standard_for_fair, "crps_fair"),
    "a Gaussian's width": (
        *(crps, "gaussian_crps", lambda error, spread: gaussian_crps(error, 1.001 * spread)),
        "crps_gaussian",
    ),
    "more than": (Limit, "lower", beyond, "brier"),
    "ties below": (
        *(rank_histogram, "ranks", lambda below, equal, random: below),
        "rank_index",
    ),
    "no areas": (case, "area_weights", lambda grid: np.ones(grid.shape), ""),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_kernel_fails_with_its_row(
    fault: str, right: CheckedCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, name, wrong, metric = WRONG[fault]
    monkeypatch.setattr(module, name, wrong)
    statistics = right.score()
    (right.folder / "check.csv").unlink(missing_ok=True)
    with pytest.raises(StormdrawError, match=rf"{INIT:%Y%m%d%H}\.nc: \w+ {metric}") as raised:
        right.check(statistics)
    assert "by xskillscore" in str(raised.value) or "by properscoring" in str(raised.value)
    assert "GRIB2 by cfgrib" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not (right.folder / "check.csv").exists()


def turned(field: np.ndarray) -> np.ndarray:
    return field[..., ::-1, ::-1]


MOVED = {
    "shifted by a point": lambda field: np.roll(field, 1, axis=-1),
    "upside down": lambda field: field[..., ::-1, :],
    "turned": turned,
}


@pytest.mark.parametrize("how", MOVED)
def test_a_truth_that_is_elsewhere_fails(how: str, right: CheckedCase, tmp_path: Path) -> None:
    """In the files that we score against, as a fault in reading GRIB2 would leave them."""
    moved = []
    for path in right.truth:
        with xr.open_dataset(path) as hour:
            changed = {name: hour[name].copy(data=MOVED[how](hour[name].values)) for name in STATE}
            hour.assign(changed).to_netcdf(tmp_path / path.name)
        moved.append(tmp_path / path.name)
    statistics = replace(right, truth=moved).score()
    with pytest.raises(
        StormdrawError, match=r"a relative difference of [\d.e+-]+, more than 1e-05"
    ):
        right.check(statistics)


def test_a_threshold_for_another_variable_fails_as_ours_lacks_it(
    right: CheckedCase, tmp_path: Path
) -> None:
    fewer = Scores(thresholds={"T2M": [285]}, maps=False, neighbourhoods=[1])
    statistics = replace(right, scores=fewer).score()
    with pytest.raises(StormdrawError, match=r"brier\S* \S+ at 1 h is nan, but 0\.\d+ by xskill"):
        right.check(statistics)


def test_members_without_a_value_do_not_count_and_points_of_one_that_lacks_some_neither(
    right: CheckedCase, tmp_path: Path
) -> None:
    path = tmp_path / "ensemble.nc"
    write_members(path, right.truth, 4, False, lost=[2])
    with xr.open_dataset(path, decode_timedelta=False) as file:
        changed = file.load()
    changed["CIN"][0, 0, 3, 4] = np.nan
    changed.to_netcdf(path)
    own = replace(right, folder=tmp_path, ensemble=path)
    statistics = own.score()
    own.opinion()
    table = own.check(statistics)
    points = table[table["metric"] == "points"].set_index(["variable", "lead_hours"])["theirs"]
    everywhere = ARCHIVE.shape[0] * ARCHIVE.shape[1]
    # Where another system has that point, nothing of the field counts.
    assert (points.loc["CIN", 1], points.loc["T2M", 1]) == (everywhere - 1, everywhere)
    with xr.open_dataset(own.points) as file:
        whole = file.load()
    whole["points"][:] = 1
    whole.to_netcdf(own.points)
    score_again(own)
    own.opinion()
    table = own.check(statistics)
    assert set(table[(table["variable"] == "CIN") & (table["lead_hours"] == 1)]["metric"]) == {
        "points"
    }


def score_again(own: CheckedCase) -> None:
    """With the points that lie there."""
    path = own.folder / "scores" / "trial" / f"{INIT:%Y%m%d%H}.nc"
    common = CommonPoints(own.points)
    case.score_case(own.ensemble, own.truth, path, SEED, own.scores, common)


def test_percentiles_are_thresholds_at_each_point(right: CheckedCase, tmp_path: Path) -> None:
    times = [INIT + timedelta(hours=lead) for lead in LEADS]
    climate = tmp_path / "percentiles.nc"
    write_percentiles(right.truth, {"T2M": [60], "WIND10": [30]}, times, climate, {})
    scores = Scores(thresholds={"T2M": ["p60"], "WIND10": ["<= p30"]}, maps=False)
    own = replace(right, folder=tmp_path, scores=scores, percentiles=climate)
    statistics = own.score()
    own.opinion()
    table = own.check(statistics)
    assert set(table["threshold"]) == {"", "p60", "<=p30"}
    assert table["relative_difference"].max() < 1e-7


def test_parts_of_the_grid_give_what_the_whole_gives(
    right: CheckedCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pd.read_csv(right.folder / "opinion.csv")
    # Eleven rows of six members at a time, and a row that is left over.
    monkeypatch.setattr(forecast, "VALUES_AT_ONCE", 11 * 6 * ARCHIVE.shape[1])
    parts = elsewhere(right, tmp_path).opinion()
    np.testing.assert_allclose(parts["theirs"], whole["theirs"], rtol=1e-12)


def test_of_a_large_ensemble_some_fields_are_checked(right: CheckedCase, tmp_path: Path) -> None:
    values = 6 * ARCHIVE.shape[0] * ARCHIVE.shape[1]
    table = elsewhere(right, tmp_path).opinion(most_values=4 * values + 1)
    assert table.groupby(["variable", "lead_hours"]).ngroups == 4
    assert set(table["sample"]) == {"4 of 12 fields"}


@pytest.mark.parametrize(
    "grid",
    [
        ARCHIVE,
        latitude_longitude(-100.0, -95.0, 30.0, 60.0, (31, 6)),
        polar_stereographic(50.0, -160.0, (20, 30), (3000.0, 3000.0), -135.0, 60.0),
    ],
    ids=["Lambert", "degrees", "polar stereographic"],
)
def test_areas_are_those_of_our_weights(grid: Grid) -> None:
    """By PROJ from what a file says in CF's words; of degrees, the cosine of the latitude."""
    own = forecast.areas(xr.Dataset(grid.coordinates()))
    np.testing.assert_allclose(own / own.mean(), area_weights(grid), rtol=1e-7)
    if grid.geographic:
        cosine = np.cos(np.deg2rad(grid.longitude_latitude()[1]))
        np.testing.assert_allclose(own / own.mean(), cosine / cosine.mean(), rtol=1e-6)


def test_a_truth_on_another_grid_starts_from_its_netcdf(right: CheckedCase, tmp_path: Path) -> None:
    """As MRMS and URMA do; the row says so."""
    table = elsewhere(right, tmp_path).opinion(on_grid=False)
    assert set(table["starts_from"]) == {
        "NetCDF of the truth, which is not GRIB2 on the base model's grid"
    }


def test_one_system_among_others_is_named(right: CheckedCase, tmp_path: Path) -> None:
    statistics = right.score()
    opinion = pd.read_csv(right.folder / "opinion.csv", keep_default_na=False)
    other = opinion.assign(system="other", theirs=opinion["theirs"].astype(float))
    other.loc[7, "theirs"] += 2 * TOLERANCE * abs(other.loc[7, "theirs"])
    other.to_csv(tmp_path / "other.csv", index=False)
    given = {"trial": right.folder / "opinion.csv", "other": tmp_path / "other.csv"}
    files = {"trial": statistics, "other": tmp_path / "results" / "other.nc"}
    files["other"].parent.mkdir()
    shutil.copy(statistics, files["other"])
    output = tmp_path / "check.csv"
    with pytest.raises(StormdrawError, match=r"results/other\.nc: REFC crps_gaussian"):
        write_check(given, files, right.scores, SEED, output)
    assert not output.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"crop": {"rows": [2, 21], "columns": [3, 27]}},
        {"crop": {"rows": [1, 22], "columns": [0, 28]}, "coarsen": 3, "store": "compact"},
    ],
    ids=["crop", "all"],
)
def test_another_target_grid_passes_from_grib_on(fields: dict, tmp_path: Path) -> None:
    made = make_case(tmp_path, 4, **fields)
    statistics = made.score()
    made.opinion()
    table = made.check(statistics)
    assert table["relative_difference"].max() < 1e-7
    (start,) = set(table["starts_from"])
    said = {"crop": "cropped", "coarsen": "means of", "store": "rounded as stored"}
    assert [word in start for word in said.values()] == [key in fields for key in said]
