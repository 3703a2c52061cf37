import numpy as np
import pyproj
import pytest

from stormdraw.errors import StormdrawError
from stormdraw.grids import EARTH_RADIUS, HRRR, Grid, lambert
from stormdraw.scores.weights import area_weights, map_factor

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


def test_weights_are_the_true_areas_with_mean_one() -> None:
    weights = area_weights(CORNERS_AND_MIDDLE)
    assert weights.shape == CORNERS_AND_MIDDLE.shape
    assert weights.mean() == pytest.approx(1.0, abs=1e-12)
    factor = map_factor(CORNERS_AND_MIDDLE)
    assert weights[0, 0] / weights[3, 4] == pytest.approx((factor[3, 4] / factor[0, 0]) ** 2)
    # Cells far from 38.5 N, where the cone touches, are smaller than they look on the map.
    assert weights[0].max() < weights[2].min()


def test_other_projections_are_refused() -> None:
    with pytest.raises(StormdrawError, match="lambert_conformal_conic grid, not mercator"):
        area_weights(Grid("+proj=merc +R=6371229", (0.0, 1e3), (0.0, 1e3)))
    on_ellipsoid = "+proj=lcc +lat_0=40 +lat_1=40 +lat_2=40 +lon_0=0 +ellps=WGS84"
    with pytest.raises(StormdrawError, match="grid on a sphere"):
        area_weights(Grid(on_ellipsoid, (0.0, 1e3), (0.0, 1e3)))
