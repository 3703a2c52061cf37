"""A case whose initial state the archive lacks: written as missing, by every method alike."""

from datetime import datetime
from types import SimpleNamespace

import netCDF4
import numpy as np
import pytest
import xarray as xr

from stormdraw.ensembles.baseline import write_climatology, write_persistence
from stormdraw.ensembles.files import Case
from stormdraw.ensembles.rollout import Inputs, Rollout, write_rollout
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.fields.statistics import compute_statistics
from stormdraw.grids import lambert
from stormdraw.models.trained_grid import TrainedGrid
from stormdraw.scores.truth import load_truth
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


@pytest.fixture
def day(tmp_path):
    """Temperatures of 0 to 3 UTC, hour h being h everywhere; 1 UTC is absent."""
    there = [0, 2, 3]
    times = np.array([START + hours(hour) for hour in there], dtype="datetime64[ns]")
    path = tmp_path / "day.nc"
    with written_in_parts(
        path, GRID, {"time": xr.DataArray(times, dims="time")}, {"T2M": "T2M"}, {}
    ) as file:
        for index, hour in enumerate(there):
            file["T2M"][index] = float(hour)
    with netCDF4.Dataset(path, "a") as dataset:
        dataset.setncattr("absent_times", "2026060101")
    return path


def case(hour, method="baseline"):
    return Case("system", method, START + hours(hour), [1, 2], ["T2M"])


def test_persistence_of_nothing(day, tmp_path):
    write_persistence([day], case(1), tmp_path / "e.nc", {})
    with xr.open_dataset(tmp_path / "e.nc") as ensemble:
        assert ensemble["T2M"].shape == (1, 2, *GRID.shape)
        assert ensemble["T2M"].isnull().all()
        assert ensemble.attrs["missing"] == "the archive lacks the initial state"


def test_a_model_draws_nothing(day, tmp_path):
    missing = case(1, "diffusion")
    settings = SimpleNamespace(history=1)
    model = SimpleNamespace(settings=settings)
    trained = SimpleNamespace(name="small", model=model, grid=TrainedGrid.of(GRID))
    inputs, output = Inputs([day], None), tmp_path / "e.nc"
    write_rollout(trained, None, inputs, missing, Rollout(3, 0), output, {}, {})
    with xr.open_dataset(output) as ensemble:
        assert ensemble["T2M"].shape == (3, 2, *GRID.shape)
        assert ensemble["T2M"].isnull().all()


def test_climatology_and_statistics_go_without_the_hour(day, tmp_path):
    training = [START + hours(hour) for hour in range(4)]
    write_climatology([day], training, 12, case(0), tmp_path / "e.nc", {})
    with xr.open_dataset(tmp_path / "e.nc") as ensemble:
        assert ensemble["T2M"][:, 0, 0, 0].values.tolist() == [0.0, 2.0, 3.0]
    statistics = compute_statistics([day], ["T2M"], training)
    assert statistics.mean[0] == pytest.approx(5 / 3)
    # From 2 to 3 UTC only: the pairs with 1 UTC are not there.
    assert statistics.tendency_mean[0] == pytest.approx(1.0)


def test_truth_that_is_not_there_is_missing(day):
    truth = load_truth([day], START, [1, 2], ["T2M"])
    assert truth["T2M"].sel(lead=1).isnull().all()
    assert (truth["T2M"].sel(lead=2) == 2.0).all()
