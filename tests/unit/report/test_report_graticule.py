from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.grids import Grid
from stormdraw.report.graticule import (
    MapGrid,
    angle_text,
    degrees_within,
    draw_graticule,
    draw_scale_bar,
)


def map_of(grid: Grid) -> MapGrid:
    longitude, latitude = grid.longitude_latitude()
    return MapGrid(np.array(grid.x) / 1000, np.array(grid.y) / 1000, latitude, longitude)


IDAHO = HRRR.crop(slice(711, 789), slice(366, 407))


def test_degrees_are_round_and_at_least_two() -> None:
    assert degrees_within(37.2, 40.4).tolist() == [38.0, 40.0]
    assert degrees_within(-116.9, -115.4).tolist() == pytest.approx([-116.5, -116.0, -115.5])
    assert degrees_within(21.1, 47.8).tolist() == [30.0, 40.0]


@pytest.mark.parametrize(
    ("angle", "text"),
    [(43.5, "43.5°N"), (-12.0, "12°S"), (0.0, "0°"), (0.30000000000000004, "0.3°N")],
)
def test_angles_name_their_hemisphere(angle: float, text: str) -> None:
    assert angle_text(angle, "N", "S") == text


def test_labels_stand_where_the_lines_leave_the_map(tmp_path: Path) -> None:
    grid = map_of(IDAHO)
    axes = Figure().subplots()
    draw_graticule(axes, grid, left=True, bottom=True)
    labels = [label.get_text() for label in axes.get_yticklabels()]
    for y, label in zip(axes.get_yticks(), labels, strict=True):
        # The projection itself says which latitude the left edge has there.
        edge = Grid(IDAHO.crs, (IDAHO.x[0],), (1000.0 * y,))
        _, latitude = edge.longitude_latitude()
        assert latitude.item() == pytest.approx(float(label.removesuffix("°N")), abs=1e-3)
    assert len(labels) >= 2
    assert all(label.get_text().endswith("°W") for label in axes.get_xticklabels())


def test_inner_maps_have_no_labels() -> None:
    axes = Figure().subplots()
    draw_graticule(axes, map_of(IDAHO), left=False, bottom=False)
    assert len(axes.get_xticks()) == len(axes.get_yticks()) == 0


def test_extent_reaches_the_edges_of_the_cells() -> None:
    grid = map_of(IDAHO)
    left, right, bottom, top = grid.extent
    assert right - left == pytest.approx(41 * 3.0)
    assert top - bottom == pytest.approx(78 * 3.0)
    assert grid.aspect == pytest.approx(78 / 41)


def test_the_scale_bar_has_the_labelled_length() -> None:
    grid = map_of(IDAHO)
    axes = Figure().subplots()
    draw_scale_bar(axes, grid)
    start, end = axes.lines[-1].get_xdata()
    assert axes.texts[0].get_text() == "20 km"
    assert end - start == pytest.approx(20.0)
