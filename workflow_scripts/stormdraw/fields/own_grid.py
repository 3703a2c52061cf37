"""Fields that are kept on their own grid, and put on the target grid when they are read.

Over HRRR's area GFS's grid of 0.25 degree has a fiftieth of HRRR's points: on the target grid a
year of it takes terabytes, on its own some tens of gigabytes. Interpolating a part of the target
grid then takes less time than reading it would.
"""

import functools
import math
from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array, diags_array

from stormdraw.fields.regridding import Regridder
from stormdraw.fields.target import Target
from stormdraw.fields.winds import turned
from stormdraw.grids import Grid, Window, with_ends
from stormdraw.variables import variable, vectors

# What the bilinear weights of a point of the target grid take in memory: four of 8 bytes and their
# places of 4, where they start, and the turn of its winds.
BYTES_A_POINT = 4 * (8 + 4) + 4 + 2 * 4


@functools.lru_cache(maxsize=8)
def kept_grid(source: Grid, target: Target) -> Grid:
    """The grid that the fields of a source are kept on, which has the fewer points of two.

    It is the part of the source's around the target's points, or else the target's; the latter too
    if the source does not cover it.
    """
    weights = Regridder(source, target.points)
    own = weights.source
    fewer = math.prod(own.shape) < math.prod(target.grid.shape)
    if isinstance(own, Grid) and fewer and not weights.outside.size:
        return own
    return target.grid


@functools.lru_cache(maxsize=2)
def placement(own: Grid, target: Target, names: tuple[str, ...]) -> "Placement":
    """The weights of a grid pair, computed once per process: on a whole grid they take seconds."""
    return Placement(own, target, names)


class Placement:
    """Puts the variables `names` of a file on its own grid on parts of the target grid.

    Values are those of `Target.place`, to rounding where blocks are averaged. Winds of the file
    follow the axes of its grid. A missing point makes those missing that it has a share of.
    """

    def __init__(self, own: Grid, target: Target, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._shape = target.grid.shape
        self._factor = target.factor
        self._pairs = [
            (self._names.index(u), self._names.index(v))
            for u, v in vectors().items()
            if u in self._names
        ]
        fine = Regridder(own, target.points)
        means = _block_means(self._shape, target.factor) if target.factor > 1 else None
        in_pairs = {place for pair in self._pairs for place in pair}
        self._alone = [place for place in range(len(self._names)) if place not in in_pairs]
        kinds = {variable(self._names[place]).regridding for place in self._alone}
        if self._pairs and (means is None or fine.from_source is None):
            kinds.add("bilinear")
        self._weights: dict[str, csr_array] = {
            kind: fine.weights(kind) if means is None else csr_array(means @ fine.weights(kind))
            for kind in sorted(kinds)
        }
        self._turn = fine.from_source if means is None else None
        if self._pairs and means is not None and fine.from_source is not None:
            # Winds are turned at each point of a block, then averaged.
            bilinear = fine.weights("bilinear")
            for name, share in zip(("cosine", "sine"), fine.from_source, strict=True):
                self._weights[name] = csr_array(means @ diags_array(share.ravel()) @ bilinear)

    def place(
        self, fields: np.ndarray, window: Window, out: np.ndarray | None = None
    ) -> np.ndarray:
        """A part of the target grid, float32 (variable, y, x), of fields (variable, y, x).

        `out` is filled if given.
        """
        rows, columns = with_ends(window, self._shape)
        shape = rows.stop - rows.start, columns.stop - columns.start
        if out is None:
            out = np.empty((len(self._names), *shape), np.float32)
        weights = self._of_part(rows, columns)
        flat = fields.reshape(len(fields), -1)
        for place in self._alone:
            row = variable(self._names[place])
            mean = weights[row.regridding] @ self._before_mean(flat[place], row.decibel)
            out[place] = self._after_mean(mean, row.decibel).reshape(shape)
        for u, v in self._pairs:
            for place, component in zip((u, v), self._wind(weights, flat[u], flat[v]), strict=True):
                out[place] = component.reshape(shape)
            if self._turn is not None:
                cosine, sine = (part[rows, columns] for part in self._turn)
                out[u], out[v] = turned(out[u], out[v], cosine, sine)
        return out

    def _of_part(self, rows: slice, columns: slice) -> dict[str, csr_array]:
        """The weights of a part of the target grid."""
        height, width = self._shape
        if (rows, columns) == (slice(0, height, 1), slice(0, width, 1)):
            return self._weights
        lines, across = np.arange(height)[rows], np.arange(width, dtype=np.int32)[columns]
        points = (lines[:, None].astype(np.int32) * width + across).ravel()
        return {kind: weights[points] for kind, weights in self._weights.items()}

    def _wind(
        self, weights: dict[str, csr_array], u: np.ndarray, v: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The components of a wind, not turned yet if blocks are not averaged."""
        if "cosine" not in weights:
            return weights["bilinear"] @ u, weights["bilinear"] @ v
        cosine, sine = weights["cosine"], weights["sine"]
        return cosine @ u - sine @ v, sine @ u + cosine @ v

    # The mean over a block of a field in decibels is that of its power.
    def _before_mean(self, field: np.ndarray, decibel: bool) -> np.ndarray:
        return np.power(10.0, field / 10.0) if decibel and self._factor > 1 else field

    def _after_mean(self, field: np.ndarray, decibel: bool) -> np.ndarray:
        return 10.0 * np.log10(field) if decibel and self._factor > 1 else field


def _block_means(shape: tuple[int, int], factor: int) -> csr_array:
    """The means over blocks of `factor` x `factor` points, (block, point)."""
    blocks = np.arange(math.prod(shape), dtype=np.int32).reshape(shape)
    of_points = blocks.repeat(factor, axis=0).repeat(factor, axis=1).ravel()
    points = np.arange(of_points.size, dtype=np.int32)
    return csr_array((np.full(points.size, 1 / factor**2), (of_points, points)))
