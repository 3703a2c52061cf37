"""The regions that are scored: the whole domain, boxes and polygons."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import shapefile
import shapely
import shapely.geometry

from stormdraw.errors import StormdrawError
from stormdraw.grids import Grid
from stormdraw.scores.settings import WHOLE_DOMAIN, Box, Outline


def region_masks(grid: Grid, regions: Mapping[str, Box | Outline]) -> dict[str, np.ndarray]:
    """The mask (y, x) of each region; the first is the whole domain.

    A grid cell belongs to a region if its centre lies inside.

    Raises StormdrawError if a file cannot be read or a region contains no point of the grid.
    """
    longitude, latitude = grid.longitude_latitude()
    masks = {WHOLE_DOMAIN: np.ones(grid.shape, bool)}
    for name, region in regions.items():
        if isinstance(region, Box):
            masks[name] = _in_box(region, longitude, latitude)
        else:
            masks[name] = _in_outline(region, longitude, latitude)
        if not masks[name].any():
            raise StormdrawError(
                f"scores.regions.{name}: it contains no point of the grid, which spans "
                f"{longitude.min():.2f} to {longitude.max():.2f} E, {latitude.min():.2f} to "
                f"{latitude.max():.2f} N"
            )
    return masks


def _in_box(box: Box, longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    if box.west <= box.east:
        between = (longitude >= box.west) & (longitude <= box.east)
    else:
        between = (longitude >= box.west) | (longitude <= box.east)
    return between & (latitude >= box.south) & (latitude <= box.north)


def _in_outline(outline: Outline, longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    path = Path(outline.file)
    try:
        shapes = _from_shapefile(path) if path.suffix == ".shp" else _from_geojson(path)
    except (OSError, ValueError, KeyError, shapefile.ShapefileException) as error:
        raise StormdrawError(f"{path}: cannot be read as a region: {error}") from None
    polygons = [shape for shape in shapes if shape.geom_type in ("Polygon", "MultiPolygon")]
    if not polygons:
        raise StormdrawError(f"{path}: no polygon found; a region consists of polygons")
    area = shapely.union_all([shapely.make_valid(polygon) for polygon in polygons])
    shapely.prepare(area)
    return shapely.intersects_xy(area, longitude, latitude)


def _from_geojson(path: Path) -> list[shapely.Geometry]:
    content = json.loads(path.read_text(encoding="utf-8"))
    if content.get("type") == "FeatureCollection":
        parts = [feature["geometry"] for feature in content["features"]]
    elif content.get("type") == "Feature":
        parts = [content["geometry"]]
    else:
        parts = [content]
    return [shapely.geometry.shape(part) for part in parts if part is not None]


def _from_shapefile(path: Path) -> list[shapely.Geometry]:
    with shapefile.Reader(str(path)) as reader:
        return [shapely.geometry.shape(shape.__geo_interface__) for shape in reader.shapes()]
