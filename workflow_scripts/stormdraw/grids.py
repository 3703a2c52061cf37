"""Map grids: projection, coordinates and their CF description."""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj
import xarray as xr

# The sphere of NCEP's convection-allowing models (GRIB2 shape of the Earth 6).
EARTH_RADIUS = 6371229.0


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
        """Distance between rows and between columns, in metres."""
        return self.y[1] - self.y[0], self.x[1] - self.x[0]

    @functools.cached_property
    def projection(self) -> pyproj.CRS:
        return pyproj.CRS(self.crs)

    def longitude_latitude(self) -> tuple[np.ndarray, np.ndarray]:
        """Longitude (degrees east, -180 to 180) and latitude (degrees north), each (y, x)."""
        x, y = np.meshgrid(self.x, self.y)
        transformer = pyproj.Transformer.from_crs(
            self.projection, self.projection.geodetic_crs, always_xy=True
        )
        longitude, latitude = transformer.transform(x, y)
        return longitude, latitude

    def from_longitude_latitude(
        self, longitude: np.ndarray, latitude: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Projection coordinates x and y in metres of points given in degrees."""
        transformer = pyproj.Transformer.from_crs(
            self.projection.geodetic_crs, self.projection, always_xy=True
        )
        return transformer.transform(longitude, latitude)

    def crop(self, rows: slice, columns: slice) -> "Grid":
        """The part of this grid that `rows` and `columns` select."""
        return Grid(self.crs, self.x[columns], self.y[rows])

    def coordinates(self) -> dict[str, xr.DataArray]:
        """CF coordinates: x, y, latitude, longitude and the grid mapping variable `projection`."""
        longitude, latitude = self.longitude_latitude()
        return {
            "y": xr.DataArray(
                np.array(self.y), dims="y", attrs=_axis("projection_y_coordinate", "Y", "m")
            ),
            "x": xr.DataArray(
                np.array(self.x), dims="x", attrs=_axis("projection_x_coordinate", "X", "m")
            ),
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
        # The definition this grid is rebuilt from: exact, while CF's attributes are for others.
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
) -> Grid:
    """A Lambert conformal grid as GRIB2 template 3.30 gives it.

    `shape` is (y, x), `spacing` (dy, dx) in metres, angles in degrees; the first point is the
    south-western one. Cached: a day's messages all describe the same grid, and PROJ takes longer to
    set up than a small field to decode.
    """
    crs = (
        f"+proj=lcc +lat_0={reference_latitude:.6f} +lon_0={_west(central_longitude):.6f} "
        f"+lat_1={standard_parallels[0]:.6f} +lat_2={standard_parallels[1]:.6f} "
        f"+x_0=0 +y_0=0 +R={radius:.0f} +units=m +no_defs"
    )
    origin = Grid(crs, (0.0,), (0.0,))
    x0, y0 = origin.from_longitude_latitude(
        np.array(_west(first_longitude)), np.array(first_latitude)
    )
    return Grid(
        crs,
        x=tuple(float(x0) + spacing[1] * i for i in range(shape[1])),
        y=tuple(float(y0) + spacing[0] * j for j in range(shape[0])),
    )


def _west(longitude: float) -> float:
    """Longitude in (-180, 180]."""
    return (longitude + 180.0) % 360.0 - 180.0


# The whole HRRR CONUS grid, 1059 x 1799 points of 3 km.
HRRR = lambert(
    first_latitude=21.138123,
    first_longitude=237.280472,
    shape=(1059, 1799),
    spacing=(3000.0, 3000.0),
    central_longitude=262.5,
    standard_parallels=(38.5, 38.5),
    reference_latitude=38.5,
)
