"""The map factor beside PROJ's and beside distances on the sphere."""

import numpy as np
import pyproj
import pytest

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.errors import StormdrawError
from stormdraw.grids import EARTH_RADIUS, Grid, lambert
from stormdraw.map_factor import map_factor, require_conformal

CORNERS_AND_MIDDLE = HRRR.crop(slice(None, None, 211), slice(None, None, 257))
# HiResW and HREF products: tangent at 25 N; and a cone cut at two parallels.
TANGENT_25 = lambert(20.0, 240.0, (40, 60), (80e3, 80e3), 265.0, (25.0, 25.0), 25.0)
MERCATOR = Grid(
    f"+proj=merc +lat_ts=20 +R={EARTH_RADIUS}", x=80e3 * np.arange(20), y=4e6 + 80e3 * np.arange(30)
)
SECANT = lambert(20.0, 240.0, (40, 60), (80e3, 80e3), 265.0, (30.0, 60.0), 40.0)


@pytest.mark.parametrize(("grid", "parallels"), [(TANGENT_25, (25, 25)), (SECANT, (30, 60))])
def test_map_factor_of_a_lambert_cone_is_snyders(grid: Grid, parallels: tuple[int, int]) -> None:
    """Snyder 1987, Map Projections: A Working Manual, eqs. 15-3 and 15-4."""
    first, last = np.radians(parallels)

    def isometric(latitude: np.ndarray | float) -> np.ndarray:
        return np.tan(np.pi / 4 + np.asarray(latitude) / 2)

    n = np.sin(first)
    if first != last:
        n = np.log(np.cos(first) / np.cos(last)) / np.log(isometric(last) / isometric(first))
    phi = np.radians(grid.longitude_latitude()[1])
    expected = np.cos(first) / np.cos(phi) * (isometric(first) / isometric(phi)) ** n
    np.testing.assert_allclose(map_factor(grid), expected, rtol=1e-9)


def test_a_map_that_is_not_conformal_is_refused() -> None:
    x = y = 100e3 * np.arange(10)
    equal_area = Grid("+proj=laea +lat_0=54.9 +lon_0=-2.5 +R=6371229", x=x, y=y)
    for check in (map_factor, require_conformal):
        with pytest.raises(StormdrawError, match="need a conformal grid"):
            check(equal_area)
    require_conformal(HRRR)


@pytest.mark.parametrize("grid", [CORNERS_AND_MIDDLE, SECANT, MERCATOR])
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
