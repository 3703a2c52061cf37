import numpy as np
import pyproj
import pytest

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.grids import Grid, latitude_longitude
from stormdraw.map_factor import map_factor
from stormdraw.scores.weights import area_weights

CORNERS_AND_MIDDLE = HRRR.crop(slice(None, None, 211), slice(None, None, 257))


def test_weights_are_the_true_areas_with_mean_one() -> None:
    weights = area_weights(CORNERS_AND_MIDDLE)
    assert weights.shape == CORNERS_AND_MIDDLE.shape
    assert weights.mean() == pytest.approx(1.0, abs=1e-12)
    factor = map_factor(CORNERS_AND_MIDDLE)
    assert weights[0, 0] / weights[3, 4] == pytest.approx((factor[3, 4] / factor[0, 0]) ** 2)
    # Cells far from 38.5 N, where the cone touches, are smaller than they look on the map.
    assert weights[0].max() < weights[2].min()


def test_on_an_equal_area_map_all_cells_are_alike() -> None:
    grid = Grid(
        "+proj=laea +lat_0=54.9 +lon_0=-2.5 +a=6378137 +b=6356752.314",
        (-358e3, 0.0, 40e3),
        (-636e3, 0.0, 300e3),
    )
    assert area_weights(grid) == pytest.approx(np.ones((3, 3)), abs=1e-6)


def test_a_cell_of_a_degree_shrinks_with_the_cosine_of_its_latitude() -> None:
    weights = area_weights(latitude_longitude(0.0, 2.0, 0.0, 60.0, (7, 3)))
    assert weights[6] / weights[0] == pytest.approx(0.5, abs=1e-6)
    assert weights[3] / weights[0] == pytest.approx(3**0.5 / 2, abs=1e-6)


@pytest.mark.parametrize(
    "grid",
    [
        Grid("+proj=aea +lat_1=30 +lat_2=60 +R=6371229", (-1e5, 0.0, 1e5), (4e6, 5e6, 6e6)),
        Grid("+proj=merc +R=6371229", (-1e6, 0.0, 1e6), (0.0, 4e6, 8e6)),
        Grid("+proj=longlat +a=6378137 +b=6356752.314", (-10.0, 0.0, 10.0), (10.0, 40.0, 70.0)),
    ],
    ids=["equal area", "conformal", "degrees on an ellipsoid"],
)
def test_weights_are_the_areas_that_geodesics_enclose(grid: Grid) -> None:
    """A small cell around each point, on the grid's Earth."""
    half_x, half_y = (1e-3 * (axis[1] - axis[0]) for axis in (grid.x, grid.y))
    earth = pyproj.CRS(grid.crs).get_geod()
    x, y = (axis.ravel() for axis in np.meshgrid(grid.x, grid.y))
    areas = [
        earth.polygon_area_perimeter(
            *grid.to_longitude_latitude(
                a + half_x * np.array([-1, 1, 1, -1]), b + half_y * np.array([-1, -1, 1, 1])
            )
        )[0]
        for a, b in zip(x, y, strict=True)
    ]
    expected = np.reshape(areas, grid.shape)
    assert area_weights(grid) == pytest.approx(expected / expected.mean(), rel=1e-4)
