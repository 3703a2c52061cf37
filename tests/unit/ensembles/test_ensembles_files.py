from datetime import datetime

import numpy as np
import pytest
import xarray as xr

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.ensembles.files import Case, ensemble_file
from stormdraw.grids import Grid

GRID = HRRR.crop(slice(480, 484), slice(880, 885))
CASE = Case("a_system", "diffusion", datetime(2026, 6, 8, 6), [1, 3], ["T2M", "U10", "V10"])


def test_members_land_where_they_are_put(tmp_path):
    states = np.random.default_rng(0).normal(size=(3, 2, 3, *GRID.shape)).astype(np.float32)
    with ensemble_file(tmp_path / "a.nc", GRID, CASE, range(3), {}, {"note": "x"}) as put:
        for k in (2, 0, 1):
            for j in (1, 0):
                put(k, j, states[k, j])
    with xr.open_dataset(tmp_path / "a.nc") as dataset:
        assert dataset["T2M"].dims == ("member", "lead", "y", "x")
        assert np.array_equal(dataset["T2M"].values, states[:, :, 0])
        assert np.allclose(dataset["WIND10"].values, np.hypot(states[:, :, 1], states[:, :, 2]))
        assert dataset["lead"].values.tolist() == [1, 3]
        assert dataset["init"].values == np.datetime64("2026-06-08T06")
        assert Grid.of(dataset) == GRID
        assert (dataset.attrs["system"], dataset.attrs["note"]) == ("a_system", "x")


def test_a_failure_leaves_no_file(tmp_path):
    with (
        pytest.raises(KeyboardInterrupt),
        ensemble_file(tmp_path / "a.nc", GRID, CASE, range(3), {}) as put,
    ):
        put(0, 0, np.zeros((3, *GRID.shape)))
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
