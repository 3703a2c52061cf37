"""Messages: what is written is what is read, by stormdraw and by others."""

from datetime import datetime

import numpy as np
import pytest
from simulated_world import DOMAIN, generator

from stormdraw.messages import grid_relative_winds, opened, read_grid, read_header
from stormdraw.simulated import SIMULATED_VARIABLES
from stormdraw.simulated.gribs import DECOYS, Encoder, Product, ensemble_product
from stormdraw.simulated.lattices import five_kilometre_grid, nam_nest_grid
from stormdraw.variables import VARIABLES

import cfgrib  # isort: skip  (after stormdraw, as ecCodes)
import eccodes  # isort: skip

INIT = datetime(2026, 6, 1, 18)
GRIDS = {
    "window": DOMAIN.window,
    "5 km": five_kilometre_grid(DOMAIN.window),
    "NAM": nam_nest_grid(DOMAIN.window),
}
TYPICAL = {"REFC": 5, "T2M": 290, "D2M": 280, "U10": 0, "V10": 0, "CAPE": 500, "CIN": -60}


def values_of(name: str, shape: tuple[int, int]) -> np.ndarray:
    """Rough values on steps of the variable's precision."""
    precision = VARIABLES[name].precision
    steps = np.rint(40 * generator().standard_normal(shape) + TYPICAL[name] / precision)
    return steps * precision


def decoded(message: bytes, shape: tuple[int, int]) -> np.ndarray:
    with opened(message) as handle:
        return eccodes.codes_get_values(handle).reshape(shape)


@pytest.mark.parametrize("name", SIMULATED_VARIABLES)
@pytest.mark.parametrize("lead", [0, 7])
def test_values_on_steps_of_the_precision_come_back_exactly(name, lead):
    values = values_of(name, DOMAIN.window.shape)
    with Encoder(DOMAIN.window, 83) as encoder:
        message = encoder.encode(Product.of(name), values, INIT, lead)
    with opened(message) as handle:
        header = read_header(handle)
        packing = eccodes.codes_get(handle, "packingType")
        digits = eccodes.codes_get(handle, "decimalScaleFactor")
    assert (header.variable, header.init, header.lead) == (VARIABLES[name], INIT, lead)
    assert header.statistic is None
    assert packing == "grid_complex_spatial_differencing"
    assert 10.0**-digits == pytest.approx(VARIABLES[name].precision)
    read = decoded(message, values.shape).astype(np.float32)
    np.testing.assert_array_equal(read, values.astype(np.float32))


def test_other_values_come_back_within_half_a_step():
    values = 290.0 + generator().standard_normal(DOMAIN.window.shape)
    with Encoder(DOMAIN.window, 83) as encoder:
        message = encoder.encode(Product.of("T2M"), values, INIT, 0)
    error = np.abs(decoded(message, values.shape) - values)
    assert 0.03 < error.max() <= 0.05 + 1e-9


@pytest.mark.parametrize("constant", [0.0, -10.0])
def test_a_constant_field_is_small_and_leaves_no_trace_in_the_next(constant):
    shape = DOMAIN.window.shape
    values = values_of("REFC", shape)
    with Encoder(DOMAIN.window, 83) as encoder:
        first = encoder.encode(Product.of("REFC"), values, INIT, 0)
        flat = encoder.encode(Product.of("REFC"), np.full(shape, constant), INIT, 0)
        again = encoder.encode(Product.of("REFC"), values, INIT, 0)
    assert len(flat) < 250
    assert (decoded(flat, shape) == constant).all()
    assert again == first


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_the_grid_read_back_is_the_grid_written(grid):
    with Encoder(grid, 83) as encoder:
        message = encoder.encode(Product.of("U10"), values_of("U10", grid.shape), INIT, 0)
    with opened(message) as handle:
        assert read_grid(handle) == grid
        assert grid_relative_winds(handle)
        latitudes = eccodes.codes_get_array(handle, "latitudes").reshape(grid.shape)
        longitudes = eccodes.codes_get_array(handle, "longitudes").reshape(grid.shape)
    longitude, latitude = grid.longitude_latitude()
    np.testing.assert_allclose(latitudes, latitude, atol=1e-5)
    np.testing.assert_allclose((longitudes + 180) % 360 - 180, longitude, atol=1e-5)


def test_decoys_are_not_taken_for_variables():
    with Encoder(DOMAIN.window, 83) as encoder:
        flat = np.zeros(DOMAIN.window.shape)
        headers = {}
        for name, product in DECOYS.items():
            with opened(encoder.encode(product, flat, INIT, 3)) as handle:
                headers[name] = read_header(handle)
    assert headers["TMP:surface"].variable is None
    assert headers["CAPE:180-0 mb"].variable is None
    assert headers["CIN:180-0 mb"].variable is None
    assert headers["WIND:hourly maximum"].variable is VARIABLES["WINDMAX"]


def test_an_ensemble_product_says_of_how_many_and_is_one_digit_finer():
    values = 1.0 + np.rint(100 * generator().random(DOMAIN.window.shape)) / 100
    with Encoder(DOMAIN.window, 255) as encoder:
        message = encoder.encode(ensemble_product("T2M", "spread"), values, INIT, 3, members=10)
    with opened(message) as handle:
        assert read_header(handle).statistic == "spread"
        assert eccodes.codes_get(handle, "numberOfForecastsInEnsemble") == 10
    np.testing.assert_allclose(decoded(message, values.shape), values, atol=1e-9)


def test_cfgrib_reads_it_too(tmp_path):
    values = values_of("T2M", DOMAIN.window.shape)
    with Encoder(DOMAIN.window, 83) as encoder:
        message = encoder.encode(Product.of("T2M"), values, INIT, 2)
    path = tmp_path / "some.grib2"
    path.write_bytes(message)
    dataset = cfgrib.open_dataset(path, backend_kwargs={"indexpath": ""})
    np.testing.assert_allclose(dataset["t2m"].values, values, atol=1e-3)
    assert dataset["valid_time"].values == np.datetime64("2026-06-01T20")
