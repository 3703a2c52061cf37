import numpy as np

from stormdraw.grids import HRRR
from stormdraw.report.map_outlines import outlines


def test_the_northern_border_of_colorado_is_the_41st_parallel() -> None:
    # A crop around 41 N, 105 W; the border there is a straight line of latitude.
    x, y = HRRR.from_longitude_latitude(np.array(-105.0), np.array(41.0))
    column = int(np.searchsorted(HRRR.x, float(x)))
    row = int(np.searchsorted(HRRR.y, float(y)))
    grid = HRRR.crop(slice(row - 20, row + 20), slice(column - 30, column + 30))
    points = np.concatenate(outlines(grid)) * 1000.0
    inside = (
        (points[:, 0] > grid.x[0])
        & (points[:, 0] < grid.x[-1])
        & (points[:, 1] > grid.y[0])
        & (points[:, 1] < grid.y[-1])
    )
    longitude, latitude = _degrees(points[inside])
    near = np.abs(longitude + 105.0) < 0.5
    assert near.any()
    assert np.abs(latitude[near] - 41.0).max() < 0.02


def test_lines_of_a_domain_by_the_sea_have_coasts_that_reach_across_it() -> None:
    x, y = HRRR.from_longitude_latitude(np.array(-90.0), np.array(29.5))
    column, row = int(np.searchsorted(HRRR.x, float(x))), int(np.searchsorted(HRRR.y, float(y)))
    grid = HRRR.crop(slice(row - 40, row + 40), slice(column - 40, column + 40))
    lines = outlines(grid)
    assert sum(len(line) for line in lines) > 200
    assert all(len(line) > 1 and np.isfinite(line).all() for line in lines)
    # No line jumps from one end of the map to the other.
    assert max(float(np.abs(np.diff(line, axis=0)).max()) for line in lines) < 60.0


def test_a_domain_in_the_middle_of_kansas_has_none() -> None:
    grid = HRRR.crop(slice(500, 503), slice(880, 883))
    lines = outlines(grid)
    for line in lines:
        x, y = line[:, 0] * 1000.0, line[:, 1] * 1000.0
        inside = (x > grid.x[0]) & (x < grid.x[-1]) & (y > grid.y[0]) & (y < grid.y[-1])
        assert not inside.any()


def _degrees(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    import pyproj

    back = pyproj.Transformer.from_crs(
        HRRR.projection, HRRR.projection.geodetic_crs, always_xy=True
    )
    return back.transform(points[:, 0], points[:, 1])
