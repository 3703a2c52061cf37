"""The real ensemble of MOGREPS-UK and UKV as truth, against netCDF4's reading of their files."""

from datetime import datetime

import netCDF4
import numpy as np
import pytest

from stormdraw.external.reading import open_forecast, open_state
from stormdraw.external.settings import ExternalFiles

INIT, VALID = datetime(2017, 6, 2, 3), datetime(2017, 6, 2, 15)
VARIABLES = ("T2M", "WIND10")


@pytest.fixture
def folder(real_data):
    if not (real_data / "mogreps_uk").is_dir():
        pytest.skip(f"no MOGREPS-UK at {real_data}")
    return real_data / "mogreps_uk"


@pytest.fixture
def members(folder):
    path = f"{folder}/members/{{init:%Y%m%dT%H%MZ}}-PT{{lead:04d}}H-{{variable}}.nc"
    return ExternalFiles(path=path, preset="mogreps")


@pytest.fixture
def truth(folder):
    path = f"{folder}/truth/{{valid:%Y%m%dT%H%MZ}}-PT0000H-{{variable}}.nc"
    return ExternalFiles(path=path, preset="mogreps")


def test_members_are_those_of_the_files(members, folder):
    file = folder / "members" / "20170602T0300Z-PT0012H-temperature_at_screen_level.nc"
    with netCDF4.Dataset(file) as theirs:
        expected = theirs["air_temperature"][:].filled(np.nan)
    with open_forecast(members, "mogreps", INIT, VARIABLES, [6, 12]) as forecast:
        assert forecast.members == list(range(12))
        for member in forecast.members:
            np.testing.assert_array_equal(forecast.field("T2M", member, 12), expected[member])
        assert forecast.field("T2M", 0, 6) is None
        assert forecast.field("WIND10", 11, 12).max() < 40


def test_the_truth_lies_on_the_grid_of_the_members(members, truth):
    with open_state(truth, "ukv", VALID, VARIABLES) as state:
        with open_forecast(members, "mogreps", INIT, VARIABLES, [12]) as forecast:
            assert state.grid.matches(forecast.grid)
            error = np.mean([forecast.field("T2M", m, 12) for m in forecast.members], axis=0)
            error -= state.field("T2M")
        # An ensemble of the day is within a few degrees; one upside down is not.
        assert np.sqrt(np.mean(error**2)) < 1.5
        assert np.sqrt(np.mean((error[::-1] - error) ** 2)) > 0


def test_the_grid_is_over_the_british_isles(members):
    with open_forecast(members, "mogreps", INIT, VARIABLES, [12]) as forecast:
        longitude, latitude = forecast.grid.longitude_latitude()
    # Corners by the Lambert azimuthal equal-area formulas on the ellipsoid (Snyder 1987, 24-26 to
    # 24-32 and 3-18), worked with pyproj's `Proj` from the file's parameters.
    assert (longitude[0, 0], latitude[0, 0]) == pytest.approx((-7.4037, 49.0713), abs=0.05)
    assert np.all(np.diff(latitude[:, 100]) > 0)
