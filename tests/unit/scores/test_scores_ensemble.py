"""Members are read from files alike, packed or not, with and without what they lack."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from stormdraw.ensembles.files import Case, ensemble_file
from stormdraw.grids import Grid
from stormdraw.scores import ensemble
from stormdraw.scores.ensemble import open_ensemble, read_forecast

CASE = Case("trial", "diffusion", datetime(2026, 6, 8), [1, 3], ["T2M", "REFC"])
ABSENT = [0, 9, 18]


@pytest.fixture(params=[True, False], ids=["packed", "float32"])
def written(
    request: pytest.FixtureRequest, tmp_path: Path, grid: Grid, random: np.random.Generator
) -> tuple[Path, np.ndarray]:
    """A file, and its T2M and REFC (variable, member, lead, y, x) in steps that packing keeps.

    At 3 h some of 19 members are absent, one member lacks its first row, and one a point.
    """
    fields = np.empty((2, 19, 2, *grid.shape), np.float32)
    fields[0] = random.integers(250 * 64, 310 * 64, fields.shape[1:]) / 64
    fields[1] = np.maximum(random.integers(-90 * 64, 70 * 64, fields.shape[1:]) / 64, -10.0)
    fields[:, ABSENT, 1] = np.nan
    fields[:, 4, 1, 0] = np.nan
    fields[:, 12, 1, 3, 2] = np.nan
    path = tmp_path / "2026060800.nc"
    with ensemble_file(path, grid, CASE, range(19), {}, packed=request.param) as put:
        for member in range(19):
            for lead in range(2):
                put(member, lead, fields[:, member, lead])
    return path, fields


@pytest.mark.parametrize("threads", [1, 3])
def test_members_are_those_of_the_file(
    written: tuple[Path, np.ndarray], threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, fields = written
    monkeypatch.setattr(ensemble, "_UNPACKED_TOGETHER", 8)
    with open_ensemble(path) as opened:
        for place, name in enumerate(CASE.variables):
            whole = read_forecast(opened, name, 1, threads=threads)
            np.testing.assert_array_equal(whole.members, fields[place, :, 0])
            assert whole.absent == 0
            assert whole.valid.all()
            holed = read_forecast(opened, name, 3, threads=threads)
            there = [member for member in range(19) if member not in ABSENT]
            np.testing.assert_array_equal(holed.members, fields[place, there, 1])
            assert holed.absent == len(ABSENT)
            expected = np.ones(whole.valid.shape, bool)
            expected[0] = expected[3, 2] = False
            np.testing.assert_array_equal(holed.valid, expected)


def test_a_file_that_xarray_has_unpacked_is_read_alike(written: tuple[Path, np.ndarray]) -> None:
    path, _ = written
    with open_ensemble(path) as stored, xr.open_dataset(path, decode_timedelta=False) as unpacked:
        own, other = (read_forecast(opened, "REFC", 3) for opened in (stored, unpacked))
    np.testing.assert_array_equal(own.members, other.members)
    np.testing.assert_array_equal(own.valid, other.valid)


def test_without_any_member_no_point_is_valid(tmp_path: Path, grid: Grid) -> None:
    nothing = np.full((2, *grid.shape), np.nan, np.float32)
    with ensemble_file(tmp_path / "none.nc", grid, CASE, range(3), {}, packed=True) as put:
        for member in range(3):
            for lead in range(2):
                put(member, lead, nothing)
    with open_ensemble(tmp_path / "none.nc") as opened:
        for lead in (1, 2):  # The file has no lead of 2 h.
            found = read_forecast(opened, "T2M", lead)
            assert found.members is not None
            assert found.members.shape == (0, *grid.shape)
            assert found.absent == 3
            assert not found.valid.any()
