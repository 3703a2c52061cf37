import json
from pathlib import Path

import numpy as np
import pytest
import shapefile

from stormdraw.errors import StormdrawError
from stormdraw.grids import Grid
from stormdraw.scores.regions import region_masks
from stormdraw.scores.settings import Box, Outline


@pytest.fixture
def corners(grid: Grid) -> tuple[float, float, float, float]:
    """West, east, south and north of a part of the grid."""
    longitude, latitude = grid.longitude_latitude()
    west, east = np.quantile(longitude, [0.2, 0.7])
    south, north = np.quantile(latitude, [0.3, 0.9])
    return float(west), float(east), float(south), float(north)


def by_loop(grid: Grid, corners: tuple[float, float, float, float]) -> np.ndarray:
    west, east, south, north = corners
    longitude, latitude = grid.longitude_latitude()
    inside = np.zeros(grid.shape, bool)
    for index in np.ndindex(grid.shape):
        inside[index] = west <= longitude[index] <= east and south <= latitude[index] <= north
    return inside


def ring(corners: tuple[float, float, float, float]) -> list[list[float]]:
    west, east, south, north = corners
    return [[west, south], [west, north], [east, north], [east, south], [west, south]]


def test_the_whole_domain_comes_first(grid: Grid) -> None:
    masks = region_masks(grid, {})
    assert list(masks) == ["domain"]
    assert masks["domain"].all()


def test_box_geojson_and_shapefile_agree(
    grid: Grid, corners: tuple[float, float, float, float], tmp_path: Path
) -> None:
    polygon = {"type": "Polygon", "coordinates": [ring(corners)]}
    feature = {"type": "Feature", "properties": {}, "geometry": polygon}
    collection = {"type": "FeatureCollection", "features": [feature]}
    for name, content in {"bare": polygon, "one": feature, "many": collection}.items():
        (tmp_path / f"{name}.geojson").write_text(json.dumps(content))
    with shapefile.Writer(str(tmp_path / "area.shp")) as writer:
        writer.field("name", "C")
        writer.poly([ring(corners)])
        writer.record("area")
    west, east, south, north = corners
    regions = {
        "box": Box(west=west, east=east, south=south, north=north),
        **{
            path.stem: Outline(file=str(path))
            for path in (*tmp_path.glob("*.geojson"), tmp_path / "area.shp")
        },
    }
    masks = region_masks(grid, regions)
    expected = by_loop(grid, corners)
    assert 0 < expected.sum() < expected.size
    assert len(masks) == 6
    for name in regions:
        np.testing.assert_array_equal(masks[name], expected, name)


def test_a_box_may_cross_the_date_line(grid: Grid) -> None:
    longitude, _ = grid.longitude_latitude()
    middle = float(np.median(longitude))
    box = Box(west=middle, east=-179.0, south=-90.0, north=90.0)
    np.testing.assert_array_equal(region_masks(grid, {"far": box})["far"], longitude >= middle)


def test_invalid_regions_are_refused_with_a_reason(grid: Grid, tmp_path: Path) -> None:
    far = {"far": Box(west=0.0, east=1.0, south=0.0, north=1.0)}
    with pytest.raises(
        StormdrawError, match=r"scores\.regions\.far: it contains no point of the grid"
    ):
        region_masks(grid, far)
    with pytest.raises(StormdrawError, match=r"gone\.geojson: cannot be read"):
        region_masks(grid, {"gone": Outline(file=str(tmp_path / "gone.geojson"))})
    (tmp_path / "line.json").write_text('{"type": "Point", "coordinates": [1, 2]}')
    with pytest.raises(StormdrawError, match=r"line\.json: no polygon"):
        region_masks(grid, {"line": Outline(file=str(tmp_path / "line.json"))})
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(StormdrawError, match=r"broken\.json: cannot be read"):
        region_masks(grid, {"broken": Outline(file=str(tmp_path / "broken.json"))})
