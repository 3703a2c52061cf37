from datetime import datetime, timedelta

import numpy as np
import pytest
import xarray as xr

from stormdraw.ensembles.baseline import climatology_times, write_climatology, write_persistence
from stormdraw.ensembles.files import Case
from stormdraw.errors import StormdrawError

STATE = ["T2M", "U10", "V10"]
START = datetime(2026, 6, 1)
HOURS = [START + timedelta(hours=hour) for hour in range(48)]


def case(init, leads=(1, 2)):
    return Case("a_baseline", "baseline", init, list(leads), STATE)


def test_persistence_is_the_present_at_every_lead(day_files, tmp_path):
    init = START + timedelta(hours=30)
    write_persistence([day_files[1]], case(init), tmp_path / "p.nc", {})
    with xr.open_dataset(tmp_path / "p.nc") as dataset:
        assert dataset.sizes["member"] == 1
        assert (dataset["T2M"].values == 30.0).all()
        assert (dataset["V10"].values == 230.0).all()


def test_persistence_without_an_initial_state_is_an_error(day_files, tmp_path):
    with pytest.raises(StormdrawError, match="no field at 2026-06-09 00 UTC"):
        write_persistence(day_files, case(datetime(2026, 6, 9)), tmp_path / "p.nc", {})
    assert not (tmp_path / "p.nc").exists()


def test_climatology_draws_the_same_hours_of_the_day(day_files, tmp_path):
    """Cases at 05 UTC + 1 h: training at 05, 06 and 07 UTC of both days, told by their values."""
    init = datetime(2026, 6, 3, 5)
    write_climatology(day_files, HOURS, 1, case(init, [1]), tmp_path / "c.nc", {})
    with xr.open_dataset(tmp_path / "c.nc") as dataset:
        assert sorted(dataset["T2M"].values[:, 0, 0, 0]) == [5, 6, 7, 29, 30, 31]


def test_climatology_never_sees_the_test(day_files, tmp_path):
    init = datetime(2026, 6, 3, 5)
    write_climatology(day_files, HOURS, 12, case(init, [1]), tmp_path / "c.nc", {})
    with xr.open_dataset(tmp_path / "c.nc") as dataset:
        assert sorted(dataset["T2M"].values[:, 0, 0, 0]) == list(range(48))


def test_leads_with_fewer_members_are_filled_with_missing_ones(day_files, tmp_path):
    training = HOURS[:31]  # 00 to 06 UTC twice, the rest of the day once
    write_climatology(day_files, training, 1, case(datetime(2026, 6, 3, 4)), tmp_path / "c.nc", {})
    with xr.open_dataset(tmp_path / "c.nc") as dataset:
        valid = np.isfinite(dataset["T2M"].values[..., 0, 0]).sum(axis=0)
        assert valid.tolist() == [6, 5]  # 04-06 UTC twice; 05-06 twice and 07 once


def test_window_wraps_around_midnight():
    near = climatology_times(HOURS, datetime(2026, 6, 3, 0), 1)
    assert [time.hour for time in near] == [0, 1, 23, 0, 1, 23]


def test_an_hour_never_seen_falls_back_on_all():
    training = HOURS[1:17]
    assert climatology_times(training, datetime(2026, 6, 1, 21), 1) == training
