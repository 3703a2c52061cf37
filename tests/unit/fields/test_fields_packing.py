"""Variables as 16-bit numbers: exact where it matters, and how far off elsewhere."""

import netCDF4
import numpy as np
import pytest
import xarray as xr

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.fields.packing import packing_of
from stormdraw.variables import DEFAULT_STATE, variable

NAMES = (*DEFAULT_STATE, "WIND10")


def values_of(name: str) -> np.ndarray:
    """All over a variable's range, bounds included."""
    row = variable(name)
    inside = np.random.default_rng(1).uniform(row.lower, row.upper, 10_000)
    return np.array([row.lower, row.upper, *inside], dtype=np.float32)


@pytest.mark.parametrize("name", NAMES)
def test_error_is_far_below_what_the_archive_resolves(name: str) -> None:
    packing, values = packing_of(name), values_of(name)
    unpacked = packing.unpack(packing.pack(values))
    assert unpacked.dtype == np.float32
    error = np.abs(unpacked.astype(np.float64) - values.astype(np.float64)).max()
    assert error <= packing.step / 2 + 1e-6 * np.abs(values).max()
    assert packing.step / 2 <= 0.04 * variable(name).precision / 2


@pytest.mark.parametrize("name", NAMES)
def test_packing_again_changes_nothing(name: str) -> None:
    packing = packing_of(name)
    once = packing.pack(values_of(name))
    np.testing.assert_array_equal(packing.pack(packing.unpack(once)), once)


@pytest.mark.parametrize("name", [n for n in NAMES if variable(n).floor is not None])
def test_nothing_there_stays_exactly_that(name: str) -> None:
    floor = np.float32(variable(name).floor)
    assert packing_of(name).unpack(packing_of(name).pack(np.array([floor])))[0] == floor


def test_numbers_by_hand() -> None:
    # 120 K in at most 65,534 steps of a power of two: 2^-9 K.
    packing = packing_of("T2M")
    assert (packing.offset, packing.step) == (213.0, 2.0**-9)
    values = np.array([213.0, 213.0 + 2.0**-9, 300.0, 100.0, 900.0, np.nan], dtype=np.float32)
    assert packing.pack(values).tolist() == [0, 1, 87 * 512, 0, 65534, 65535]
    assert np.isnan(packing.unpack(np.array([65535], dtype=np.uint16)))


def test_readers_of_netcdf_unpack_it(tmp_path) -> None:
    grid = HRRR.crop(slice(480, 484), slice(880, 885))
    leading = {"member": xr.DataArray(np.arange(2), dims="member")}
    field = np.full(grid.shape, 287.5, dtype=np.float32)
    field[0, 0] = np.nan
    with written_in_parts(tmp_path / "a.nc", grid, leading, {"T2M": "T2M"}, {}, "packed") as file:
        for member in range(2):
            file["T2M"][member] = packing_of("T2M").pack(field + member)
    with xr.open_dataset(tmp_path / "a.nc") as dataset:
        assert dataset["T2M"].dtype == np.float32
        np.testing.assert_array_equal(dataset["T2M"], [field, field + 1])
    with netCDF4.Dataset(tmp_path / "a.nc") as dataset:
        assert dataset["T2M"].dtype == np.uint16
        assert np.ma.getmaskarray(dataset["T2M"][:]).sum() == 2
        assert dataset["T2M"][1, 1, 1] == 288.5
