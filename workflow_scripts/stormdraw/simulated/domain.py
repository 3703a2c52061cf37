"""The domain of the world: a periodic box around the window of the archive."""

import functools
from dataclasses import dataclass

import numpy as np
import scipy.fft

from stormdraw.grib_encoding import first_point
from stormdraw.grids import Grid, lambert
from stormdraw.seeds import generator_for
from stormdraw.simulated.base import BASE

# The box extends at least this many points beyond each side of the window: storms enter from there,
# and rotated grids find values beyond the window's edge.
MARGIN = 24


@dataclass(frozen=True)
class Domain:
    """A periodic box of `shape` (y, x) points on the base model's lattice.

    `window` is the grid of the archive; its first point is the box's point `corner` (y, x).
    """

    window: Grid
    shape: tuple[int, int]
    corner: tuple[int, int]

    @property
    def spacing(self) -> float:
        """Distance between neighbouring points, in metres."""
        return self.window.spacing[0]

    @property
    def lengths(self) -> tuple[float, float]:
        """(y, x) lengths of the box, in metres."""
        return self.shape[0] * self.spacing, self.shape[1] * self.spacing

    @functools.cached_property
    def box(self) -> Grid:
        """The grid of the whole box."""
        x = self.window.x[0] + self.spacing * (np.arange(self.shape[1]) - self.corner[1])
        y = self.window.y[0] + self.spacing * (np.arange(self.shape[0]) - self.corner[0])
        return Grid(self.window.crs, tuple(x.tolist()), tuple(y.tolist()))

    @functools.cached_property
    def longitude_latitude(self) -> tuple[np.ndarray, np.ndarray]:
        """Degrees east and north of the box's points, each (y, x), in single precision."""
        longitude, latitude = self.box.longitude_latitude()
        return longitude.astype(np.float32), latitude.astype(np.float32)

    @functools.cached_property
    def waves(self) -> tuple[int, int]:
        """Shape (ky, kx) of the Fourier coefficients kept: waves longer than 3 points.

        ky runs from negative to positive, kx from zero, since fields are real.
        """
        rows, columns = self.shape
        return 2 * (rows // 3) + 1, columns // 3 + 1

    @functools.cached_property
    def wavenumbers(self) -> tuple[np.ndarray, np.ndarray]:
        """Angular wavenumbers in 1/m: ky (ky, 1) and kx (1, kx)."""
        count_y, count_x = self.waves
        ky = 2 * np.pi / self.lengths[0] * (np.arange(count_y) - count_y // 2)
        kx = 2 * np.pi / self.lengths[1] * np.arange(count_x)
        return ky[:, None], kx[None, :]

    @functools.cached_property
    def wavenumber(self) -> np.ndarray:
        """The length of the wavenumber vector in 1/m, (ky, kx)."""
        ky, kx = self.wavenumbers
        return np.hypot(ky, kx)

    def on_points(self, waves: np.ndarray) -> np.ndarray:
        """Fourier coefficients (..., ky, kx) as values (..., y, x)."""
        half, columns = self.waves[0] // 2, self.waves[1]
        spectrum = np.zeros((*waves.shape[:-2], self.shape[0], columns), dtype=waves.dtype)
        spectrum[..., : half + 1, :] = waves[..., half:, :]
        spectrum[..., -half:, :] = waves[..., :half, :]
        # irfft2 takes missing waves in x as zero.
        return scipy.fft.irfft2(spectrum, s=self.shape, norm="forward")

    def on_waves(self, values: np.ndarray) -> np.ndarray:
        """Values (..., y, x) as Fourier coefficients (..., ky, kx); shorter waves are lost."""
        half, columns = self.waves[0] // 2, self.waves[1]
        spectrum = scipy.fft.rfft2(values, norm="forward")[..., :columns]
        return np.concatenate([spectrum[..., -half:, :], spectrum[..., : half + 1, :]], axis=-2)

    def seen(self, values: np.ndarray) -> np.ndarray:
        """The part (..., y, x) of a field on the box within the window."""
        rows, columns = self.window.shape
        row, column = self.corner
        return values[..., row : row + rows, column : column + columns]


def domain_of(rows: tuple[int, int], columns: tuple[int, int]) -> Domain:
    """The domain whose window is these rows and columns, each [first, end), of the base model."""
    window = in_microdegrees(BASE.grid.crop(slice(*rows), slice(*columns)))
    shape = (
        scipy.fft.next_fast_len(window.shape[0] + 2 * MARGIN, real=True),
        scipy.fft.next_fast_len(window.shape[1] + 2 * MARGIN, real=True),
    )
    corner = ((shape[0] - window.shape[0]) // 2, (shape[1] - window.shape[1]) // 2)
    return Domain(window, shape, corner)


def in_microdegrees(grid: Grid) -> Grid:
    """The Lambert grid as a GRIB2 header can encode it: first point in whole microdegrees.

    This moves the points by some centimetres, so that a grid equals the one read from its files.
    """
    longitude, latitude = first_point(grid)
    projection = dict(part.split("=") for part in grid.crs.split() if "=" in part)
    return lambert(
        first_latitude=latitude,
        first_longitude=longitude,
        shape=grid.shape,
        spacing=grid.spacing,
        central_longitude=float(projection["+lon_0"]),
        standard_parallels=(float(projection["+lat_1"]), float(projection["+lat_2"])),
        reference_latitude=float(projection["+lat_0"]),
    )


def terrain(domain: Domain, run_seed: int) -> np.ndarray:
    """A fixed, smooth altitude in metres, (y, x) on the box: plains that rise to the west.

    Power falls as (1 + (k L)^2)^-2.5 with L = 18 km; standard deviation 90 m.
    """
    generator = generator_for(run_seed, "simulated", "terrain")
    white = domain.on_waves(generator.standard_normal(domain.shape))
    rough = domain.on_points(white * (1 + (18e3 * domain.wavenumber) ** 2) ** -1.25)
    rough -= rough.mean()
    # One wave keeps the box periodic; its slope lies over the window.
    column = np.arange(domain.shape[1]) - domain.shape[1] / 2
    rise = -170.0 * np.sin(2 * np.pi * column / domain.shape[1])
    return (480.0 + 90.0 * rough / rough.std() + rise[None, :]).astype(np.float32)
