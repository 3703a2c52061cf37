"""The map factor beside PROJ's and beside distances on the sphere."""

import numpy as np
import pyproj
import pytest

from stormdraw.grids import EARTH_RADIUS, HRRR, Grid, lambert
from stormdraw.map_factor import map_factor

CORNERS_AND_MIDDLE = HRRR.crop(slice(None, None, 211), slice(None, None, 257))
# HiResW and HREF products: tangent at 25 N; and a cone cut at two parallels.
TANGENT_25 = lambert(20.0, 240.0, (40, 60), (80e3, 80e3), 265.0, (25.0, 25.0), 25.0)
SECANT = lambert(20.0, 240.0, (40, 60), (80e3, 80e3), 265.0, (30.0, 60.0), 40.0)


@pytest.mark.parametrize("grid", [CORNERS_AND_MIDDLE, TANGENT_25, SECANT])
def test_map_factor_is_that_of_proj(grid: Grid) -> None:
    factors = pyproj.Proj(grid.crs).get_factors(*grid.longitude_latitude())
    np.testing.assert_allclose(map_factor(grid), factors.meridional_scale, rtol=1e-9)
    np.testing.assert_allclose(map_factor(grid), factors.parallel_scale, rtol=1e-9)


@pytest.mark.parametrize("grid", [CORNERS_AND_MIDDLE, SECANT])
def test_map_factor_is_map_distance_over_distance_on_the_sphere(grid: Grid) -> None:
    x, y = np.meshgrid(grid.x, grid.y)
    step = 50.0
    to_sphere = pyproj.Transformer.from_crs(
        grid.projection, grid.projection.geodetic_crs, always_xy=True
    )
    start = to_sphere.transform(x - step, y)
    end = to_sphere.transform(x + step, y)
    distance = pyproj.Geod(a=EARTH_RADIUS, b=EARTH_RADIUS).inv(*start, *end)[2]
    np.testing.assert_allclose(map_factor(grid), 2 * step / distance, rtol=1e-6)
