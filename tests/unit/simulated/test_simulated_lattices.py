"""Grids of the other models, and the way to them."""

import numpy as np
import pyproj
import pytest
from scipy.interpolate import RegularGridInterpolator
from simulated_world import DOMAIN, generator

from stormdraw.simulated.domain import domain_of
from stormdraw.simulated.lattices import Interpolation, five_kilometre_grid, nam_nest_grid

GRIDS = {"5 km": five_kilometre_grid(DOMAIN.window), "NAM": nam_nest_grid(DOMAIN.window)}


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_grids_cover_the_window_and_lie_in_the_box(grid):
    x, y = grid.from_longitude_latitude(*DOMAIN.window.longitude_latitude())
    assert grid.x[1] < x.min()
    assert x.max() < grid.x[-2]
    assert grid.y[1] < y.min()
    assert y.max() < grid.y[-2]
    x, y = DOMAIN.box.from_longitude_latitude(*grid.longitude_latitude())
    assert DOMAIN.box.x[0] < x.min()
    assert x.max() < DOMAIN.box.x[-1]
    assert DOMAIN.box.y[0] < y.min()
    assert y.max() < DOMAIN.box.y[-1]


def test_grids_are_those_of_the_real_files():
    """NCEP grid 227: 5.079 km, true at 25 N, along 95 W, whole steps from its corner."""
    grid = GRIDS["5 km"]
    assert grid.spacing == pytest.approx((5079.0, 5079.0), abs=1e-6)
    assert "+lat_0=25.000000 +lon_0=-95.000000 +lat_1=25.000000" in grid.crs
    x0, y0 = grid.from_longitude_latitude(np.array(226.541), np.array(12.19))
    assert (grid.x[0] - x0) / 5079.0 % 1 == pytest.approx(0.0, abs=1e-4)
    assert (grid.y[0] - y0) / 5079.0 % 1 == pytest.approx(0.0, abs=1e-4)
    assert GRIDS["NAM"].crs == DOMAIN.window.crs
    assert (GRIDS["NAM"].x[0] - DOMAIN.window.x[0]) % 3000.0 == pytest.approx(1500.0, abs=1.0)


@pytest.mark.parametrize("columns", [(900, 932), (100, 132), (1700, 1732)])
def test_winds_are_turned_to_the_other_grids_axes(columns):
    """A wind is where it takes a point in ten seconds, on either map."""
    domain = domain_of((500, 524), columns)
    target = five_kilometre_grid(domain.window)
    rng = generator()
    u, v = rng.normal(size=2)
    uniform = {"U10": np.full(domain.shape, u), "V10": np.full(domain.shape, v)}
    turned = Interpolation(domain.box, target).apply(uniform)
    x, y = domain.box.from_longitude_latitude(*target.longitude_latitude())
    between = pyproj.Transformer.from_crs(domain.box.projection, target.projection, always_xy=True)
    x0, y0 = between.transform(x, y)
    x1, y1 = between.transform(x + 10 * u, y + 10 * v)
    # The two maps have different scales: compare directions, and lengths with the true ones.
    stretch = np.hypot(x1 - x0, y1 - y0) / np.hypot(u, v)
    np.testing.assert_allclose(turned["U10"], (x1 - x0) / stretch, atol=1e-5)
    np.testing.assert_allclose(turned["V10"], (y1 - y0) / stretch, atol=1e-5)


def test_continuous_fields_are_interpolated_linearly():
    field = generator().standard_normal(DOMAIN.shape)
    target = GRIDS["5 km"]
    interpolated = Interpolation(DOMAIN.box, target).apply({"T2M": field})["T2M"]
    x, y = DOMAIN.box.from_longitude_latitude(*target.longitude_latitude())
    scipys = RegularGridInterpolator((DOMAIN.box.y, DOMAIN.box.x), field)
    np.testing.assert_allclose(interpolated, scipys(np.stack([y, x], axis=-1)), atol=1e-9)


def test_a_floor_is_not_mixed_with_what_lies_above_it():
    checkered = np.where(np.indices(DOMAIN.shape).sum(axis=0) % 2, 40.0, -10.0)
    interpolated = Interpolation(DOMAIN.box, GRIDS["NAM"]).apply({"REFC": checkered})["REFC"]
    assert set(np.unique(interpolated)) == {-10.0, 40.0}


def test_interpolation_to_the_window_is_a_crop():
    field = generator().standard_normal(DOMAIN.shape)
    interpolated = Interpolation(DOMAIN.box, DOMAIN.window).apply({"REFC": field, "T2M": field})
    np.testing.assert_array_equal(interpolated["REFC"], DOMAIN.seen(field))
    np.testing.assert_allclose(interpolated["T2M"], DOMAIN.seen(field), atol=1e-5)
