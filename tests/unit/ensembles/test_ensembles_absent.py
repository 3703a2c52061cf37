"""A case whose initial state the archive lacks: written as missing, by every method alike."""

from datetime import datetime
from types import SimpleNamespace

import netCDF4
import numpy as np
import pytest
import xarray as xr
from taken import to_make, write

from stormdraw.ensembles.files import Case
from stormdraw.ensembles.rollout import Inputs, Rollout, write_rollout
from stormdraw.ensembles.systems.climatology import Climatology, write_climatology
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.fields.statistics import compute_statistics
from stormdraw.grids import lambert
from stormdraw.models.checkpoint import TrainedModel
from stormdraw.models.trained_grid import TrainedGrid
from stormdraw.roles import Roles
from stormdraw.scores.truth import Truth
from stormdraw.times import hours

START = datetime(2026, 6, 1)
GRID = lambert(
    first_latitude=36.0,
    first_longitude=262.5,
    shape=(4, 5),
    spacing=(3000.0, 3000.0),
    central_longitude=262.5,
    standard_parallels=(38.5, 38.5),
    reference_latitude=38.5,
)


def write_day(path, there, **notes):
    """Temperatures of the hours that are there, hour h being h everywhere."""
    times = np.array([START + hours(hour) for hour in there], dtype="datetime64[ns]")
    with written_in_parts(
        path, GRID, {"time": xr.DataArray(times, dims="time")}, {"T2M": "T2M"}, notes
    ) as file:
        for index, hour in enumerate(there):
            file["T2M"][index] = float(hour)
    return path


@pytest.fixture
def day(tmp_path):
    """0 to 3 UTC, of which 1 UTC is absent."""
    return write_day(tmp_path / "day.nc", [0, 2, 3], absent_times="2026060101")


@pytest.fixture
def masked_day(tmp_path):
    """0 to 3 UTC; at 1 UTC one point is masked."""
    path = write_day(tmp_path / "masked.nc", [0, 1, 2, 3], incomplete_times="2026060101")
    with netCDF4.Dataset(path, "a") as dataset:
        dataset["T2M"][1, 2, 3] = np.nan
    return path


def case(hour, method="baseline"):
    return Case("system", method, START + hours(hour), [1, 2], ["T2M"])


def test_persistence_of_nothing(day, tmp_path):
    write("persistence", case(1), tmp_path / "e.nc", analyses=[day])
    with xr.open_dataset(tmp_path / "e.nc") as ensemble:
        assert ensemble["T2M"].shape == (1, 2, *GRID.shape)
        assert ensemble["T2M"].isnull().all()
        reason = "the archive lacks the initial state of 2026-06-01 01 UTC"
        assert ensemble.attrs["missing"] == reason


@pytest.mark.parametrize(
    ("fields", "hour", "history", "reason"),
    [
        ("day", 1, 1, "the archive lacks the initial state of 2026-06-01 01 UTC"),
        ("masked_day", 1, 1, "the initial state of 2026-06-01 01 UTC has missing points"),
        # The hour before counts for a model that sees it.
        ("masked_day", 2, 2, "the initial state of 2026-06-01 01 UTC has missing points"),
    ],
)
def test_a_model_draws_nothing(fields, hour, history, reason, request, tmp_path):
    missing = case(hour, "diffusion")
    settings = SimpleNamespace(history=history)
    model = SimpleNamespace(settings=settings, roles=Roles(predicted=("T2M",)))
    trained = TrainedModel("small", model, None, TrainedGrid.of(GRID))
    inputs, output = Inputs([request.getfixturevalue(fields)], None), tmp_path / "e.nc"
    write_rollout(trained, None, inputs, missing, Rollout(3, 0), output, {}, {})
    with xr.open_dataset(output) as ensemble:
        assert ensemble["T2M"].shape == (3, 2, *GRID.shape)
        assert ensemble["T2M"].isnull().all()
        assert ensemble.attrs["missing"] == reason


def test_persistence_and_truth_lack_the_masked_point_alone(masked_day, tmp_path):
    write("persistence", case(1), tmp_path / "e.nc", analyses=[masked_day])
    with xr.open_dataset(tmp_path / "e.nc") as ensemble:
        assert "missing" not in ensemble.attrs
        lacking = np.argwhere(ensemble["T2M"].isnull().values).tolist()
        assert lacking == [[0, 0, 2, 3], [0, 1, 2, 3]]
    truth = Truth([masked_day], START, [1]).field("T2M", 1)
    assert np.argwhere(np.isnan(truth)).tolist() == [[2, 3]]


@pytest.mark.parametrize("fields", ["day", "masked_day"])
def test_climatology_goes_without_the_hour(fields, request, tmp_path):
    training = [START + hours(hour) for hour in range(4)]
    path = request.getfixturevalue(fields)
    made = to_make(case(0), tmp_path / "e.nc", analyses=[path])
    write_climatology(made, training, Climatology(12))
    with xr.open_dataset(tmp_path / "e.nc") as ensemble:
        assert ensemble["T2M"][:, 0, 0, 0].values.tolist() == [0.0, 2.0, 3.0]


def test_climatology_takes_an_hour_of_which_another_variable_has_a_missing_point(tmp_path):
    path = write_day(tmp_path / "day.nc", [0, 1, 2, 3])
    with netCDF4.Dataset(path, "a") as dataset:
        other = dataset.createVariable("D2M", "f4", dataset["T2M"].dimensions)
        other.incomplete_times = "2026060101"
    made = to_make(case(0), tmp_path / "e.nc", analyses=[path])
    write_climatology(made, [START + hours(hour) for hour in range(4)], Climatology(12))
    with xr.open_dataset(tmp_path / "e.nc") as ensemble:
        assert ensemble["T2M"][:, 0, 0, 0].values.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_statistics_go_without_the_hour(day):
    training = [START + hours(hour) for hour in range(4)]
    statistics = compute_statistics([day], ["T2M"], training)
    assert statistics.mean[0] == pytest.approx(5 / 3)
    # From 2 to 3 UTC only: the pairs with 1 UTC are not there.
    assert statistics.tendency_mean[0] == pytest.approx(1.0)


def test_truth_that_is_not_there_is_missing(day):
    truth = Truth([day], START, [1, 2])
    assert np.isnan(truth.field("T2M", 1)).all()
    assert (truth.field("T2M", 2) == 2.0).all()
