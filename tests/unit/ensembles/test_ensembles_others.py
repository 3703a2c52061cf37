"""Systems in files of others: their members on the target grid, and what is said of gaps."""

from datetime import datetime
from pathlib import Path

import netCDF4
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from others_files import configuration, members, state, write_ensemble, write_truth

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.ensembles.export import CaseToExport, export_case
from stormdraw.ensembles.files import Case, ensemble_file
from stormdraw.ensembles.others import numbers
from stormdraw.ensembles.system import CaseToMake
from stormdraw.errors import StormdrawError
from stormdraw.external.inputs import local_files, require_any
from stormdraw.fields.expected_grid import grid_of_truth, target_grid, target_shape
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.fields.normalise import time_coordinate
from stormdraw.fields.settings import Fields
from stormdraw.fields.truth import TruthInputs
from stormdraw.fields.truth import write_truth as write_day_of_truth
from stormdraw.fields.truth_sources import VariableTruth
from stormdraw.fields.writing import Destination
from stormdraw.scores.case import score_case
from stormdraw.scores.memory import grid_points
from stormdraw.scores.missing import missing_data
from stormdraw.scores.points import CommonPoints, write_points
from stormdraw.scores.settings import Scores
from stormdraw.settings import load_settings

INIT = datetime(2024, 5, 1)
NAMES = ["T2M", "WIND10"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A truth and two systems, of which one lacks member 1 at 2 h."""
    for hour in (1, 2):
        write_truth(tmp_path / "truth", INIT.replace(hour=hour))
    write_ensemble(tmp_path / "theirs", INIT, [1, 2], 4, 1, without=[(1, 2)])
    write_ensemble(tmp_path / "older", datetime(2024, 4, 30, 18), [7, 8], 3, 2)
    return tmp_path


def day_of_truth(folder: Path, settings, **more) -> Path:
    """`results/fields/truth/20240501.nc` of these settings."""
    output = folder / "truth.nc"
    times = [time for time in settings.compared_times() if time.day == INIT.day]
    inputs = TruthInputs(times=times, grid=grid_of_truth(settings), **more)
    truths = {
        name: VariableTruth("theirs", files=settings.archive.truth_of(name).own_files)
        for name in settings.variables
    }
    to = Destination(output, output.with_suffix(".csv"), settings.fields, {})
    write_day_of_truth(inputs, truths, to)
    return output


def made(folder: Path, settings, name: str, init: datetime = INIT) -> Path:
    """The ensemble file of a system, and beside it the table of its suspicious values."""
    output = folder / f"{name}.nc"
    system = settings.ensembles.system(name)
    variables = system.variables(settings, {})
    case = Case(name, "external", init, settings.leads, variables)
    files = {"grid": day_of_truth(folder, settings), "quality": output.with_suffix(".csv")}
    system.write(CaseToMake(settings, case, output, {}, **files))
    return output


def test_members_at_leads_are_those_of_the_files_and_gaps_are_missing(folder: Path) -> None:
    settings = load_settings(configuration(folder))
    with xr.open_dataset(made(folder, settings, "theirs")) as ensemble:
        assert ensemble["member"].values.tolist() == [0, 1, 2, 3]
        for name in NAMES:
            for j, lead in enumerate((1, 2)):
                expected = members(name, INIT.replace(hour=lead), 4, 1)
                if lead == 2:
                    expected[1] = np.nan
                np.testing.assert_array_equal(ensemble[name][:, j], expected)
        assert ensemble.attrs["absent_members"] == "none"
        assert ensemble.attrs["missing_variables"] == "none"


def test_an_older_run_is_compared_at_the_same_valid_times(folder: Path) -> None:
    """The case of 00 UTC takes the run of 18 UTC: its leads of 7 and 8 h."""
    settings = load_settings(configuration(folder))
    with xr.open_dataset(made(folder, settings, "older")) as ensemble:
        assert ensemble["lead"].values.tolist() == [1, 2]
        assert ensemble["init"].values == np.datetime64(INIT)
        for j, hour in enumerate((1, 2)):
            expected = members("T2M", INIT.replace(hour=hour), 3, 2)
            np.testing.assert_array_equal(ensemble["T2M"][:, j], expected)


def test_absent_members_and_variables_are_named(folder: Path) -> None:
    write_ensemble(folder / "theirs", INIT, [1, 2], 4, 1, [(2, 1), (2, 2)], names=["T2M"])
    config = configuration(folder)
    config["ensembles"]["systems"][0]["members"] = 6
    output = made(folder, load_settings(config), "theirs")
    with xr.open_dataset(output) as ensemble:
        assert ensemble["member"].values.tolist() == [0, 1, 2, 3, 4, 5]
        assert ensemble.attrs["absent_members"] == "2 4 5"
        assert ensemble.attrs["missing_variables"] == "WIND10"
        assert np.isnan(ensemble["WIND10"]).all()
    points = folder / "points.nc"
    write_points([output], [1, 2], points)
    assert CommonPoints(points).at("T2M", 1).all()
    assert not CommonPoints(points).at("WIND10", 1).any()


def test_the_first_members_are_taken(folder: Path) -> None:
    config = configuration(folder)
    config["ensembles"]["systems"][0]["members"] = 2
    with xr.open_dataset(made(folder, load_settings(config), "theirs")) as ensemble:
        assert ensemble["member"].values.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("found", "count", "expected"),
    [([0, 1, 2], 3, [0, 1, 2]), ([1, 2, 3], 2, [1, 2]), ([1, 5], 4, [0, 1, 2, 5]), ([], 2, [0, 1])],
)
def test_absent_members_have_the_lowest_free_numbers(found, count, expected):
    assert numbers(found, count) == expected


def test_a_case_without_any_file_is_left_out_with_the_reason(folder: Path) -> None:
    (folder / "theirs" / "2024050100.nc").unlink()
    settings = load_settings(configuration(folder))
    output = made(folder, settings, "theirs")
    with xr.open_dataset(output) as ensemble:
        assert ensemble.attrs["missing"] == "its files have nothing of the run of 2024-05-01 00 UTC"
        assert np.isnan(ensemble["T2M"]).all()
    write_points([output], [1, 2], folder / "points.nc")
    scored = folder / "scored.nc"
    in_common = CommonPoints(folder / "points.nc")
    score_case(output, [folder / "truth.nc"], scored, 0, Scores(), in_common)
    table = missing_data({"theirs": [scored]})
    assert set(table["reason"]) == {"its files have nothing of the run of 2024-05-01 00 UTC"}
    assert set(table["points"]) == {0}


def test_a_missing_member_is_a_stated_gap_and_costs_no_point(folder: Path) -> None:
    settings = load_settings(configuration(folder))
    output = made(folder, settings, "theirs")
    write_points([output], [1, 2], folder / "points.nc")
    scored = folder / "scored.nc"
    in_common = CommonPoints(folder / "points.nc")
    score_case(output, [folder / "truth.nc"], scored, 0, Scores(), in_common)
    table = missing_data({"theirs": [scored]})
    expected = [(name, 2, 1, 108) for name in NAMES]
    found = table[["variable", "lead_hours", "absent_members", "points"]]
    assert [tuple(row) for row in found.itertuples(index=False)] == expected


def test_what_is_impossible_is_masked_and_listed(folder: Path) -> None:
    path = folder / "theirs" / "2024050100.nc"
    with netCDF4.Dataset(path, "a") as file:
        file["T2M"][3, 0, 2, 5] = 12.0
    output = made(folder, load_settings(configuration(folder)), "theirs")
    with xr.open_dataset(output) as ensemble:
        assert np.isnan(ensemble["T2M"][3, 0, 2, 5])
        assert int(np.isnan(ensemble["T2M"][3, 0]).sum()) == 1
    (row,) = pd.read_csv(output.with_suffix(".csv"), dtype=str).itertuples()
    assert (row.variable, row.member, row.valid, row.suspicious) == ("T2M", "3", "2024050101", "1")


def test_the_grid_is_that_of_the_truth_or_averages_over_its_blocks(folder: Path) -> None:
    config = configuration(folder)
    settings = load_settings(config)
    grid = target_grid(settings)
    assert grid is not None
    assert grid.shape == (9, 12)
    assert grid.projection.coordinate_operation.method_name == "Lambert Azimuthal Equal Area"
    assert grid_points(settings) == 108
    coarse = load_settings({**config, "fields": {"coarsen": 3}})
    assert target_shape(coarse) == (3, 4)
    with xr.open_dataset(made(folder, coarse, "theirs")) as ensemble:
        blocks = members("T2M", INIT.replace(hour=1), 4, 1).reshape(4, 3, 3, 4, 3)
        np.testing.assert_allclose(ensemble["T2M"][:, 0], blocks.mean(axis=(2, 4)), rtol=1e-6)


def test_the_truth_is_the_content_of_its_files(folder: Path) -> None:
    with xr.open_dataset(day_of_truth(folder, load_settings(configuration(folder)))) as truth:
        assert truth["time"].values.astype("datetime64[h]").astype(str).tolist() == [
            "2024-05-01T01",
            "2024-05-01T02",
        ]
        for j, hour in enumerate((1, 2)):
            for name in NAMES:
                expected = state(name, INIT.replace(hour=hour))
                np.testing.assert_array_equal(truth[name][j], expected)
        assert truth["T2M"].attrs["source"] == "theirs"


def test_an_hour_that_the_truth_lacks_ends_the_run_or_is_left_out(folder: Path) -> None:
    (folder / "truth" / "truth_2024050102.nc").unlink()
    settings = load_settings(configuration(folder))
    with pytest.raises(
        StormdrawError, match=r"no T2M of 2024-05-01 02 UTC; expected it in .*02.nc"
    ):
        day_of_truth(folder, settings)
    with xr.open_dataset(day_of_truth(folder, settings, may_be_absent=True)) as truth:
        assert truth.sizes["time"] == 1
        assert truth.attrs["absent_times"] == "2024050102"


def test_a_truth_without_any_field_has_no_grid(folder: Path) -> None:
    for path in (folder / "truth").iterdir():
        path.unlink()
    settings = load_settings(configuration(folder))
    assert grid_of_truth(settings) is None
    with pytest.raises(StormdrawError, match=r"no field at any time that forecasts are compared"):
        day_of_truth(folder, settings, may_be_absent=True)


def test_an_excluded_hour_is_no_truth(folder: Path) -> None:
    settings = load_settings(configuration(folder))
    excluded = [INIT.replace(hour=2)]
    output = day_of_truth(folder, settings, may_be_absent=True, excluded=excluded)
    with xr.open_dataset(output) as truth:
        assert truth.attrs["absent_times"] == "2024050102"


def test_jobs_follow_the_files_that_there_are(folder: Path) -> None:
    settings = load_settings(configuration(folder))
    theirs, older = settings.ensembles.systems
    assert theirs.files_of(settings, INIT) == [f"{folder}/theirs/2024050100.nc"]
    assert older.files_of(settings, INIT) == [f"{folder}/older/2024043018.nc"]
    assert theirs.files_of(settings, datetime(2024, 5, 2)) == []
    remote = theirs.model_copy(update={"path": "https://example.org/{init:%Y%m%d%H}.nc"})
    assert remote.files_of(settings, INIT) == []
    remote.require_files(settings)


def test_a_file_for_each_member_variable_and_lead_is_an_input_each(tmp_path: Path) -> None:
    for member in (1, 2, 10):
        for lead in (6, 7, 8):
            (tmp_path / f"2024050100_t2m_{lead:03d}_{member}.nc").touch()
    (tmp_path / "2024050106_t2m_006_1.nc").touch()
    config = configuration(tmp_path)
    path = f"{tmp_path}/{{init:%Y%m%d%H}}_{{variable}}_{{lead:03d}}_{{member}}.nc"
    config["ensembles"]["systems"][0] |= {"path": path, "layout": {"variables": {"T2M": "t2m"}}}
    files = load_settings(config).ensembles.systems[0]
    found = local_files(files, "theirs", INIT, ["T2M"], [6, 7])
    assert found == sorted(
        f"{tmp_path}/2024050100_t2m_{lead:03d}_{member}.nc"
        for lead in (6, 7)
        for member in (1, 2, 10)
    )


def test_a_path_that_leads_nowhere_is_refused_with_an_example(tmp_path: Path) -> None:
    settings = load_settings(configuration(tmp_path))
    theirs = settings.ensembles.systems[0]
    example = (
        f"theirs: path: there is no file of any of the 2 times of this run, such as {tmp_path}"
    )
    with pytest.raises(StormdrawError, match=f"{example}/theirs/2024050100.nc; correct"):
        theirs.require_files(settings)
    write_ensemble(tmp_path / "theirs", datetime(2024, 5, 2), [1, 2], 4, 1)
    theirs.require_files(settings)
    files = settings.archive.truth_of("T2M").own_files
    with pytest.raises(StormdrawError, match=r"archive.truth: T2M: path: there is no file"):
        require_any(files, "archive.truth: T2M", "truth", [INIT], ["T2M"], [0])


def test_a_truth_of_one_variable_goes_on_the_analyses_grid(folder: Path, tmp_path: Path) -> None:
    """Its two rows in the north are outside the analyses' grid, which is two rows further south."""
    settings = load_settings(configuration(folder))
    whole = day_of_truth(folder, settings)
    with xr.open_dataset(whole) as day:
        part = day.isel(y=slice(0, 7)).load()
        part["T2M"] = part["T2M"] + 100.0
        analyses = folder / "analyses.nc"
        part.to_netcdf(analyses)
    truths = {
        "T2M": VariableTruth("analysis"),
        "WIND10": VariableTruth("theirs", files=settings.archive.truth_of("WIND10").own_files),
    }
    output = folder / "mixed.nc"
    to = Destination(output, output.with_suffix(".csv"), Fields(), {})
    times = [INIT.replace(hour=hour) for hour in (1, 2)]
    write_day_of_truth(TruthInputs(analyses=[analyses], times=times), truths, to)
    with xr.open_dataset(output) as mixed:
        assert mixed["T2M"].shape == (2, 7, 12)
        np.testing.assert_array_equal(mixed["T2M"], part["T2M"])
        np.testing.assert_array_equal(mixed["WIND10"][0], state("WIND10", times[0])[:7])


def write_our_own(folder: Path, init: datetime, names, leads, grid) -> tuple[Path, Path]:
    """A case as drawn members are packed, and an analysis at its leads: `<init>.nc`, `<day>.nc`."""
    random = np.random.default_rng(init.day)
    truth = folder / f"{init:%Y%m%d}.nc"
    valid = {"time": time_coordinate([init.replace(hour=hour) for hour in leads])}
    with written_in_parts(truth, grid, valid, {name: name for name in names}, {}) as file:
        for name in names:
            middle = 280.0 if name == "T2M" else 0.0
            file[name][:] = random.normal(middle, 4.0, (len(leads), *grid.shape))
    ensemble = folder / f"{init:%Y%m%d%H}.nc"
    case = Case("ours", "diffusion", init, leads, names)
    with ensemble_file(ensemble, grid, case, range(5), {}, packed=True) as put:
        for k, j in np.ndindex(5, len(leads)):
            fields = random.normal([[[280.0]], [[0.0]], [[0.0]]], 4.0, (3, *grid.shape))
            put(k, j, fields.astype(np.float32))
    return ensemble, truth


@pytest.mark.parametrize("path", ["{init:%Y%m%d%H}.nc", "ours.zarr"])
def test_our_own_members_read_back_as_those_of_others_are_equal(tmp_path: Path, path: str) -> None:
    """From the files that we write, or from the store of two cases that `ensembles.export` makes.

    On HRRR's map, with winds. No layout is needed to find anything but the speed that is stored:
    that of packed components is another one.
    """
    grid = HRRR.crop(slice(480, 500), slice(880, 904))
    names, leads = ["T2M", "U10", "V10"], [1, 2]
    inits = [INIT, INIT.replace(day=2)]
    written = [write_our_own(tmp_path, init, names, leads, grid) for init in inits]
    for ensemble, _ in reversed(written):
        to_export = CaseToExport(
            ensemble, tmp_path / "ours.zarr", 5, [f"{init:%Y%m%d%H}" for init in inits]
        )
        export_case("zarr", to_export)
    config = configuration(tmp_path) | {"variables": names, "scores": {}}
    config["archive"]["truth"]["external"]["path"] = f"{tmp_path}/{{valid:%Y%m%d}}.nc"
    config["ensembles"]["systems"] = [
        {
            "name": "again",
            "method": "external",
            "members": 5,
            "path": f"{tmp_path}/{path}",
            "layout": {"variables": {name: name for name in (*names, "WIND10")}},
        }
    ]
    again = made(tmp_path, load_settings(config), "again")
    ours, truth = written[0]
    with xr.open_dataset(ours) as expected, xr.open_dataset(again) as found:
        assert found.attrs["absent_members"] == found.attrs["missing_variables"] == "none"
        for name in (*names, "WIND10"):
            np.testing.assert_array_equal(found[name], expected[name].astype("f4"))
    scores = Scores(neighbourhoods=[1], variogram_lags=[])
    one = score_case(ours, [truth], tmp_path / "one.nc", 0, scores)
    other = score_case(again, [tmp_path / "truth.nc"], tmp_path / "other.nc", 0, scores)
    assert one["variable"].values.tolist() == ["T2M", "U10", "V10", "WIND10"]
    for name in ("crps_fair_sum", "crps_standard_sum", "squared_error_sum", "variance_sum"):
        np.testing.assert_allclose(other[name], one[name], rtol=1e-6)
