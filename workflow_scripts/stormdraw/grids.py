"""Map grids: projection, coordinates and their CF description."""

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj
import xarray as xr

# The sphere of NCEP's convection-allowing models (GRIB2 shape of the Earth 6).
EARTH_RADIUS = 6371229.0

# Points closer than this, in spacings, are the same point. Headers give the first point to a
# microdegree (0.1 m), some only to a thousandth of a degree.
SAME_POINT = 0.01

# Rows and columns of a part of a grid.
Window = tuple[slice, slice]
WHOLE_GRID: Window = (slice(None), slice(None))


def with_ends(window: Window, shape: tuple[int, int]) -> Window:
    """The same part of a grid of `shape` (y, x), with explicit first and end."""
    rows, columns = (slice(*part.indices(side)) for part, side in zip(window, shape, strict=True))
    return rows, columns


@dataclass(frozen=True)
class Grid:
    """A regular grid in a map projection.

    `x` and `y` are 1-D projection coordinates in metres (degrees for a latitude-longitude grid), as
    tuples so that a grid can be compared and used as a key. `crs` is a pyproj definition. Rows run
    from south to north.
    """

    crs: str
    x: tuple[float, ...]
    y: tuple[float, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """(y, x)."""
        return len(self.y), len(self.x)

    @property
    def spacing(self) -> tuple[float, float]:
        """Distance between rows and between columns, in metres (degrees if geographic)."""
        return self.y[1] - self.y[0], self.x[1] - self.x[0]

    @functools.cached_property
    def projection(self) -> pyproj.CRS:
        return pyproj.CRS(self.crs)

    @functools.cached_property
    def _degrees(self) -> pyproj.CRS:
        """Longitudes and latitudes on the map's Earth; those of a rotated pole are turned back."""
        rotated = self.projection.is_geographic and self.projection.is_derived
        found = self.projection.source_crs if rotated else self.projection.geodetic_crs
        if found is None:
            raise ValueError(f"{self.crs} is no map of the Earth")
        return found

    @property
    def geographic(self) -> bool:
        """Whether `x` and `y` are longitudes and latitudes in degrees."""
        return self.crs.startswith("+proj=longlat")

    @property
    def kilometres_a_unit(self) -> tuple[float, float]:
        """Kilometres in a unit of `x` and of `y`; of a degree, in the middle of the grid."""
        if not self.projection.is_geographic:
            return 1e-3, 1e-3
        degree = math.radians(self._semi_major_axis / 1000.0)
        return degree * math.cos(math.radians((self.y[0] + self.y[-1]) / 2.0)), degree

    @property
    def _semi_major_axis(self) -> float:
        """Metres."""
        ellipsoid = self.projection.ellipsoid
        return EARTH_RADIUS if ellipsoid is None else ellipsoid.semi_major_metre

    def longitude_latitude(self) -> tuple[np.ndarray, np.ndarray]:
        """Longitude (degrees east, -180 to 180) and latitude (degrees north), each (y, x)."""
        return self.to_longitude_latitude(*np.meshgrid(self.x, self.y))

    def to_longitude_latitude(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Longitude and latitude in degrees of points given in projection coordinates."""
        transformer = pyproj.Transformer.from_crs(self.projection, self._degrees, always_xy=True)
        longitude, latitude = transformer.transform(x, y)
        return longitude, latitude

    def from_longitude_latitude(
        self, longitude: np.ndarray, latitude: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Projection coordinates x and y in metres of points given in degrees."""
        transformer = pyproj.Transformer.from_crs(self._degrees, self.projection, always_xy=True)
        return transformer.transform(longitude, latitude)

    def matches(self, other: "Grid") -> bool:
        """Whether the points of both grids are the same, to a hundredth of a spacing.

        Nine points are compared: the corners, the middles of the edges and the centre.
        """
        if self == other:
            return True
        if self.shape != other.shape:
            return False
        own_x, own_y = np.meshgrid(_three(self.x), _three(self.y))
        x, y = np.meshgrid(_three(other.x), _three(other.y))
        if self.crs != other.crs:
            degrees = Grid(other.crs, _three(other.x), _three(other.y)).longitude_latitude()
            x, y = self.from_longitude_latitude(*degrees)
        x, y = x - own_x, y - own_y
        if self.geographic:
            x = (x + 180.0) % 360.0 - 180.0
        dy, dx = self.spacing
        return bool((np.abs(x) < SAME_POINT * dx).all() and (np.abs(y) < SAME_POINT * dy).all())

    def crop(self, rows: slice, columns: slice) -> "Grid":
        """The part of this grid that `rows` and `columns` select."""
        return Grid(self.crs, self.x[columns], self.y[rows])

    def coordinates(self) -> dict[str, xr.DataArray]:
        """CF coordinates: x, y, latitude, longitude and the grid mapping variable `projection`."""
        longitude, latitude = self.longitude_latitude()
        if self.geographic:
            x, y = ("longitude", "X", "degrees_east"), ("latitude", "Y", "degrees_north")
        else:
            x, y = ("projection_x_coordinate", "X", "m"), ("projection_y_coordinate", "Y", "m")
        return {
            "y": xr.DataArray(np.array(self.y), dims="y", attrs=_axis(*y)),
            "x": xr.DataArray(np.array(self.x), dims="x", attrs=_axis(*x)),
            "latitude": xr.DataArray(
                latitude,
                dims=("y", "x"),
                attrs={"standard_name": "latitude", "units": "degrees_north"},
            ),
            "longitude": xr.DataArray(
                longitude,
                dims=("y", "x"),
                attrs={"standard_name": "longitude", "units": "degrees_east"},
            ),
            "projection": xr.DataArray(np.int32(0), attrs=self._grid_mapping()),
        }

    def _grid_mapping(self) -> dict[str, Any]:
        attributes = dict(self.projection.to_cf())
        # The exact definition for reading the grid back; CF's attributes are for other programs.
        attributes["proj4"] = self.crs
        return attributes

    @staticmethod
    def of(dataset: xr.Dataset) -> "Grid":
        """The grid of a file that stormdraw wrote."""
        return Grid(
            crs=str(dataset["projection"].attrs["proj4"]),
            x=tuple(dataset["x"].values.tolist()),
            y=tuple(dataset["y"].values.tolist()),
        )


def _three(points: tuple[float, ...]) -> tuple[float, ...]:
    """The first point, one in the middle and the last."""
    return points[0], points[len(points) // 2], points[-1]


def _axis(standard_name: str, axis: str, units: str) -> dict[str, str]:
    return {"standard_name": standard_name, "axis": axis, "units": units}


@functools.lru_cache(maxsize=64)
def lambert(
    first_latitude: float,
    first_longitude: float,
    shape: tuple[int, int],
    spacing: tuple[float, float],
    central_longitude: float,
    standard_parallels: tuple[float, float],
    reference_latitude: float,
    radius: float = EARTH_RADIUS,
    polar_radius: float | None = None,
) -> Grid:
    """A Lambert conformal grid as in GRIB2 template 3.30.

    `shape` is (y, x), angles are in degrees, radii in metres (`polar_radius` for an ellipsoid).
    `spacing` is (dy, dx) in metres from the first point on; negative where rows run to the south or
    columns to the west. Cached: a day's messages all have the same grid, and setting up PROJ takes
    longer than decoding a small field.
    """
    crs = (
        f"+proj=lcc +lat_0={reference_latitude:.6f} +lon_0={_west(central_longitude):.6f} "
        f"+lat_1={standard_parallels[0]:.6f} +lat_2={standard_parallels[1]:.6f} "
        f"+x_0=0 +y_0=0 {_ellipsoid(radius, polar_radius)} +units=m +no_defs"
    )
    return _projected(crs, first_latitude, first_longitude, shape, spacing)


@functools.lru_cache(maxsize=64)
def polar_stereographic(
    first_latitude: float,
    first_longitude: float,
    shape: tuple[int, int],
    spacing: tuple[float, float],
    central_longitude: float,
    true_latitude: float,
    south: bool = False,
    radius: float = EARTH_RADIUS,
    polar_radius: float | None = None,
) -> Grid:
    """A polar stereographic grid as in GRIB2 template 3.20; arguments as for `lambert`.

    Spacings are true at `true_latitude`; `south` if the south pole is the centre.
    """
    pole, sign = (-90, -1) if south else (90, 1)
    crs = (
        f"+proj=stere +lat_0={pole} +lat_ts={sign * abs(true_latitude):.6f} "
        f"+lon_0={_west(central_longitude):.6f} "
        f"+x_0=0 +y_0=0 {_ellipsoid(radius, polar_radius)} +units=m +no_defs"
    )
    return _projected(crs, first_latitude, first_longitude, shape, spacing)


@functools.lru_cache(maxsize=64)
def mercator(
    first_latitude: float,
    first_longitude: float,
    shape: tuple[int, int],
    spacing: tuple[float, float],
    true_latitude: float,
    radius: float = EARTH_RADIUS,
    polar_radius: float | None = None,
) -> Grid:
    """A Mercator grid as in GRIB2 template 3.10; arguments as for `polar_stereographic`."""
    # Centred half way round the Earth from the point where columns could cross the map's edge.
    east = first_longitude + (0.0 if spacing[1] < 0 else 180.0)
    crs = (
        f"+proj=merc +lat_ts={true_latitude:.6f} +lon_0={_west(east):.6f} "
        f"+x_0=0 +y_0=0 {_ellipsoid(radius, polar_radius)} +units=m +no_defs"
    )
    return _projected(crs, first_latitude, first_longitude, shape, spacing)


@functools.lru_cache(maxsize=64)
def latitude_longitude(
    west: float,
    east: float,
    south: float,
    north: float,
    shape: tuple[int, int],
    radius: float = EARTH_RADIUS,
    polar_radius: float | None = None,
) -> Grid:
    """A regular grid in degrees between corners; `east` is above `west`, by up to 360."""
    crs = f"+proj=longlat {_ellipsoid(radius, polar_radius)} +no_defs"
    x, y = np.linspace(west, east, shape[1]), np.linspace(south, north, shape[0])
    return Grid(crs, tuple(x.tolist()), tuple(y.tolist()))


def _projected(
    crs: str,
    first_latitude: float,
    first_longitude: float,
    shape: tuple[int, int],
    spacing: tuple[float, float],
) -> Grid:
    origin = Grid(crs, (0.0,), (0.0,))
    x0, y0 = origin.from_longitude_latitude(
        np.array(_west(first_longitude)), np.array(first_latitude)
    )
    x = [float(x0) + spacing[1] * i for i in range(shape[1])]
    y = [float(y0) + spacing[0] * j for j in range(shape[0])]
    return Grid(crs, tuple(sorted(x)), tuple(sorted(y)))


def _ellipsoid(radius: float, polar_radius: float | None) -> str:
    if polar_radius is None:
        return f"+R={radius:.0f}"
    return f"+a={radius:.4f} +b={polar_radius:.4f}"


def _west(longitude: float) -> float:
    """Longitude in (-180, 180]."""
    return (longitude + 180.0) % 360.0 - 180.0
