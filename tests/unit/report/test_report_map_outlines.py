import numpy as np
import pytest

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.grids import latitude_longitude
from stormdraw.report.case_sheet import svg_outline
from stormdraw.report.graticule import map_grid
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


def test_the_sea_has_a_coast_and_no_line_jumps() -> None:
    # The barrier islands of Texas; no border of a state or country is near.
    x, y = HRRR.from_longitude_latitude(np.array(-97.3), np.array(27.3))
    column, row = int(np.searchsorted(HRRR.x, float(x))), int(np.searchsorted(HRRR.y, float(y)))
    grid = HRRR.crop(slice(row - 15, row + 15), slice(column - 15, column + 15))
    lines = [line for line in outlines(grid) if len(line) > 20]
    points = np.concatenate(lines) * 1000.0
    near = (np.abs(points[:, 0] - float(x)) < 30e3) & (np.abs(points[:, 1] - float(y)) < 30e3)
    assert near.sum() > 20
    assert all(np.isfinite(line).all() for line in lines)
    # No line leaps over the map, which is 90 km wide and has a degree of lines around it.
    assert max(float(np.abs(np.diff(line, axis=0)).max()) for line in lines) < 90.0


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


def test_a_map_in_degrees_has_the_earths_kilometres_in_the_middle() -> None:
    # 2 degrees around 41 N, 105 W: the northern border of Colorado again.
    grid = latitude_longitude(-106.0, -104.0, 40.0, 42.0, (21, 21), radius=6371229.0)
    across, up = map_grid(grid).x, map_grid(grid).y
    quarter = np.pi / 2 * 6371.229
    assert up[-1] - up[0] == pytest.approx(quarter * 2 / 90)
    assert across[-1] - across[0] == pytest.approx(quarter * 2 / 90 * np.cos(np.radians(41.0)))
    points = np.concatenate(outlines(grid))
    inside = (points > (across[0], up[0])).all(axis=1) & (points < (across[-1], up[-1])).all(axis=1)
    border = points[inside & (np.abs(points[:, 0] - across.mean()) < 40.0)]
    assert np.abs(border[:, 1] - up[10]).min() < 2.0
    _, (width, height) = svg_outline(grid)
    assert height / width == pytest.approx(1 / np.cos(np.radians(41.0)), rel=2e-3)
