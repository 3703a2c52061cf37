from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.errors import StormdrawError
from stormdraw.grids import Grid
from stormdraw.scores.analysis import against_analysis
from stormdraw.scores.case import score_case
from stormdraw.scores.missing import missing_data
from stormdraw.scores.settings import Scores
from stormdraw.scores.weights import area_weights

INIT = datetime(2026, 6, 8, 6)


@pytest.fixture
def truth_path(write_fields: Callable[..., Path], grid: Grid) -> Path:
    times = [INIT + timedelta(hours=hour) for hour in range(4)]
    ones = np.ones((4, *grid.shape), np.float32)
    return write_fields("20260608.nc", times, {"U10": 3 * ones, "V10": 4 * ones})


@pytest.fixture
def ensemble_path(tmp_path: Path, make_ensemble: Callable[..., xr.Dataset], grid: Grid) -> Path:
    speed = np.full((3, 2, *grid.shape), 5.0, np.float32)
    speed += np.array([1.0, 2.0, 6.0], np.float32)[:, None, None, None]
    path = tmp_path / "ensembles" / "2026060806.nc"
    path.parent.mkdir()
    make_ensemble(INIT, [1, 3], {"WIND10": speed}).to_netcdf(path, engine="netcdf4")
    return path


def test_writes_statistics_with_provenance(
    tmp_path: Path, ensemble_path: Path, truth_path: Path, grid: Grid
) -> None:
    output = tmp_path / "scores" / "trial" / "2026060806.nc"
    returned = score_case(ensemble_path, [truth_path], output, run_seed=7)
    with xr.open_dataset(output, engine="netcdf4") as written:
        xr.testing.assert_equal(written.load(), returned)
        assert written.attrs["system"] == "trial"
        assert written.attrs["method"] == "diffusion"
        assert written.attrs["Conventions"] == "CF-1.11"
        assert '"seed": 7' in written.attrs["settings"]
        assert written["lead"].attrs["units"] == "h"
        assert written["init"].values == np.datetime64(INIT)
        assert set(written.coords) == {"variable", "lead", "init", "region"}
    weight = area_weights(grid).sum()
    # Members 1, 2 and 6 m/s above a truth of 5 m/s, at every point.
    np.testing.assert_allclose(returned["error_sum"], 3.0 * weight)
    np.testing.assert_allclose(returned["variance_sum"], 7.0 * weight)
    np.testing.assert_array_equal(returned["rank_counts"][0, :, 0], [[35, 0, 0, 0]] * 2)
    assert [path.name for path in output.parent.iterdir()] == ["2026060806.nc"]


def test_another_grid_is_an_error(
    tmp_path: Path, ensemble_path: Path, write_fields: Callable[..., Path], grid: Grid
) -> None:
    shifted = HRRR.crop(slice(101, 106), slice(900, 907))
    times = [INIT + timedelta(hours=hour) for hour in range(4)]
    ones = np.ones((4, *grid.shape), np.float32)
    path = write_fields("other.nc", times, {"U10": ones, "V10": ones}, shifted)
    with pytest.raises(StormdrawError, match=r"2026060806\.nc: its grid .* not that of the truth"):
        score_case(ensemble_path, [path], tmp_path / "out.nc", run_seed=0)
    assert not (tmp_path / "out.nc").exists()


def test_grids_that_differ_by_rounding_match(
    tmp_path: Path,
    ensemble_path: Path,
    truth_path: Path,
    write_fields: Callable[..., Path],
    grid: Grid,
) -> None:
    """A day of the truth whose first point is a microdegree (0.11 m) off, and one that is not."""
    near = Grid(grid.crs, tuple(x + 0.11 for x in grid.x), tuple(y + 0.11 for y in grid.y))
    first, last = [INIT, INIT + timedelta(hours=1)], [INIT + timedelta(hours=3)]
    u, v = 3 * np.ones((2, *grid.shape)), 4 * np.ones((2, *grid.shape))
    paths = [
        write_fields("a.nc", first, {"U10": u, "V10": v}),
        write_fields("b.nc", last, {"U10": u[:1], "V10": v[:1]}, near),
    ]
    expected = score_case(ensemble_path, [truth_path], tmp_path / "whole.nc", run_seed=0)
    xr.testing.assert_equal(
        score_case(ensemble_path, paths, tmp_path / "parts.nc", run_seed=0), expected
    )


def test_errors_name_the_ensemble_file(
    tmp_path: Path, truth_path: Path, make_ensemble: Callable[..., xr.Dataset], grid: Grid
) -> None:
    path = tmp_path / "empty.nc"
    nothing = np.full((3, 1, *grid.shape), np.nan, np.float32)
    make_ensemble(INIT, [1], {"U10": nothing}).to_netcdf(path, engine="netcdf4")
    with pytest.raises(
        StormdrawError, match=r"empty\.nc: U10 at init 2026060806: truth and members"
    ):
        score_case(path, [truth_path], tmp_path / "out.nc", run_seed=0)
    other = tmp_path / "other.nc"
    make_ensemble(INIT, [1], {"OTHER": nothing}).to_netcdf(other, engine="netcdf4")
    with pytest.raises(StormdrawError, match=r"other\.nc: no variable that can be scored"):
        score_case(other, [truth_path], tmp_path / "out.nc", run_seed=0)


def test_a_case_that_cannot_be_started_counts_for_nothing_and_says_why(
    tmp_path: Path, truth_path: Path, make_ensemble: Callable[..., xr.Dataset], grid: Grid
) -> None:
    nothing = np.full((3, 2, *grid.shape), np.nan, np.float32)
    ensemble = make_ensemble(INIT, [1, 3], {"U10": nothing})
    ensemble.attrs["missing"] = "the initial state of 2026-06-08 06 UTC has missing points"
    ensemble.to_netcdf(tmp_path / "empty.nc", engine="netcdf4")
    output = tmp_path / "scores" / "trial" / "2026060806.nc"
    found = score_case(tmp_path / "empty.nc", [truth_path], output, run_seed=0)
    assert found["points"].sum() == 0
    table = missing_data({"trial": [output]})
    assert table["lead_hours"].tolist() == [1, 3]
    assert table["absent_members"].tolist() == [3, 3]
    assert set(table["reason"]) == {"the initial state of 2026-06-08 06 UTC has missing points"}


@pytest.fixture
def two_variables(
    tmp_path: Path,
    write_fields: Callable[..., Path],
    make_ensemble: Callable[..., xr.Dataset],
    grid: Grid,
    random: np.random.Generator,
) -> tuple[Path, Path]:
    """An ensemble of T2M and D2M, and its truth."""
    fields = random.normal(280.0, 2.0, (2, 4, 1, *grid.shape)).astype(np.float32)
    members = {"T2M": fields[0, 1:], "D2M": fields[1, 1:]}
    path = tmp_path / "2026060806.nc"
    make_ensemble(INIT, [1], members).to_netcdf(path, engine="netcdf4")
    truth = {"T2M": fields[0, 0], "D2M": fields[1, 0]}
    return path, write_fields("20260608.nc", [INIT + timedelta(hours=1)], truth)


def test_some_variables_are_scored_as_beside_the_others(
    tmp_path: Path, two_variables: tuple[Path, Path]
) -> None:
    ensemble, truth = two_variables
    both = score_case(ensemble, [truth], tmp_path / "both.nc", 0)
    one = score_case(ensemble, [truth], tmp_path / "one.nc", 0, only=["D2M", "REFC"])
    assert one["variable"].values.tolist() == ["D2M"]
    xr.testing.assert_identical(one.drop_attrs(), both.sel(variable=["D2M"]).drop_attrs())


def test_a_system_without_the_variables_has_no_scores_against_the_analysis(
    tmp_path: Path, two_variables: tuple[Path, Path]
) -> None:
    ensemble, truth = two_variables
    paths = {name: [tmp_path / name / "2026060806.nc"] for name in ("trial", "other")}
    score_case(ensemble, [truth], paths["trial"][0], 0, only=["T2M"])
    score_case(ensemble, [truth], paths["other"][0], 0, only=["REFC"])
    table = against_analysis(paths, Scores(reference="other"), 0, ["other"])
    assert set(table["system"]) == {"trial"}
    assert set(table["against"]) == {""}


def test_where_no_radar_sees_no_system_is_compared(
    tmp_path: Path,
    write_fields: Callable[..., Path],
    make_ensemble: Callable[..., xr.Dataset],
    grid: Grid,
) -> None:
    """Two of five rows have no truth of reflectivity, for three members and for one alike."""
    seen = np.full((1, *grid.shape), 20.0, np.float32)
    seen[:, :2] = np.nan
    warm = np.full((1, *grid.shape), 280.0, np.float32)
    truth = write_fields("radar.nc", [INIT + timedelta(hours=1)], {"REFC": seen, "T2M": warm})
    weight = area_weights(grid)[2:].sum()
    masks = []
    for system, members in (("three", [25.0, 30.0, 35.0]), ("one", [17.0])):
        above = np.array(members, np.float32)[:, None, None, None]
        # Nonsense where there is no coverage: it must not count.
        echo = np.where(np.isfinite(seen), above, 99.0).astype(np.float32)
        fields = {"REFC": echo, "T2M": np.full_like(echo, 281.0)}
        make_ensemble(INIT, [1], fields, system).to_netcdf(
            tmp_path / f"{system}.nc", engine="netcdf4"
        )
        output = tmp_path / system / "2026060806.nc"
        found = score_case(tmp_path / f"{system}.nc", [truth], output, run_seed=0).squeeze()
        at = {name: found.sel(variable=name) for name in ("REFC", "T2M")}
        assert (int(at["REFC"]["points"]), int(at["REFC"]["missing_truth"])) == (21, 14)
        assert (int(at["T2M"]["points"]), int(at["T2M"]["missing_truth"])) == (35, 0)
        error = np.mean(members) - 20.0
        np.testing.assert_allclose(at["REFC"]["error_sum"], error * weight, rtol=1e-6)
        masks.append(int(at["REFC"]["mask_checksum"]))
    assert masks[0] == masks[1]
