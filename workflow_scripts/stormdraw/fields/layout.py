"""Where a NetCDF file holds the values of a field, for reading them without its library.

HDF5's library reads for one thread at a time, and through its own buffers. Contiguous rows, plain
or deflated, need a single read from the file.
"""

import os
import zlib
from dataclasses import dataclass

import h5py
import numpy as np

from stormdraw.grids import Window

_DEFLATE = h5py.h5z.FILTER_DEFLATE
_SHUFFLE = h5py.h5z.FILTER_SHUFFLE


@dataclass(frozen=True)
class Plain:
    """Fields of float32 (y, x), one after another from byte `offset` on."""

    offset: int
    shape: tuple[int, int]

    def read(self, descriptor: int, index: int, window: Window, out: np.ndarray) -> None:
        """Fill `out`, float32 (y, x) in C order, with a window of a field; its ends must be given.

        The rows are read as one piece: thousands of small reads take longer.
        """
        rows, columns = window
        height, width = self.shape
        block = out if out.shape[1] == width else np.empty((len(out), width), np.float32)
        place = self.offset + 4 * width * (index * height + rows.start)
        _read(descriptor, block.data.cast("B"), place)
        if block is not out:
            out[:] = block[:, columns]


@dataclass(frozen=True, eq=False)
class Deflated:
    """Fields of float32 (y, x) in bands of `band_rows` rows, each band deflated separately.

    `places` are int64 (time, band, 2): the offset and the size in bytes. The last band is stored
    with as many rows as the others.
    """

    places: np.ndarray
    band_rows: int
    width: int
    shuffled: bool

    def read(self, descriptor: int, index: int, window: Window, out: np.ndarray) -> None:
        """Fill `out`, float32 (y, x) in C order, with a window of a field; its ends must be given.

        Only the bands of the window are read.
        """
        rows, columns = window
        for band in range(rows.start // self.band_rows, -(-rows.stop // self.band_rows)):
            above = band * self.band_rows
            first, last = max(rows.start, above), min(rows.stop, above + self.band_rows)
            offset, size = self.places[index, band].tolist()
            deflated = bytearray(size)
            _read(descriptor, memoryview(deflated), offset)
            content = np.frombuffer(zlib.decompress(deflated), np.uint8)
            part = out[first - rows.start : last - rows.start]
            self._fill(part, content, slice(first - above, last - above), columns)

    def _fill(self, out: np.ndarray, content: np.ndarray, rows: slice, columns: slice) -> None:
        """Fill `out` with some rows and columns of a band."""
        if not self.shuffled:
            out[:] = content.view(np.float32).reshape(-1, self.width)[rows, columns]
            return
        # All first bytes are stored together, then all second ones. Four strided copies take a
        # third of the time of one transposed copy.
        bytes_of_values = out.view(np.uint8).reshape(*out.shape, 4)
        for position, plane in enumerate(content.reshape(4, -1, self.width)):
            bytes_of_values[..., position] = plane[rows, columns]


def layout_of(dataset: h5py.Dataset) -> Plain | Deflated | None:
    """How a variable (time, y, x) is stored; None if only its library can read it."""
    if dataset.dtype != np.dtype("<f4") or dataset.ndim != 3 or _is_encoded(dataset):
        return None
    times, height, width = dataset.shape
    if dataset.chunks is None:
        offset = dataset.id.get_offset()
        return None if offset is None else Plain(offset, (height, width))
    together, band_rows, across = dataset.chunks
    if (together, across) != (1, width):
        return None
    properties = dataset.id.get_create_plist()
    filters = [properties.get_filter(i)[0] for i in range(properties.get_nfilters())]
    if filters not in ([_DEFLATE], [_SHUFFLE, _DEFLATE]):
        return None
    places = np.empty((times, -(-height // band_rows), 2), np.int64)
    for time, band in np.ndindex(places.shape[:2]):
        chunk = dataset.id.get_chunk_info_by_coord((time, band * band_rows, 0))
        if chunk.byte_offset is None or chunk.filter_mask:
            return None
        places[time, band] = chunk.byte_offset, chunk.size
    return Deflated(places, band_rows, width, _SHUFFLE in filters)


def _read(descriptor: int, view: memoryview, place: int) -> None:
    """Fill a view with bytes of a file from a position on."""
    done = 0
    while done < len(view):
        count = os.preadv(descriptor, [view[done:]], place + done)
        if count == 0:
            raise EOFError("the file ends before the field does")
        done += count


def _is_encoded(dataset: h5py.Dataset) -> bool:
    """Whether stored values must be scaled, or missing values are marked by a number."""
    fill = np.asarray(dataset.attrs.get("_FillValue", np.nan))
    return bool({"scale_factor", "add_offset"} & set(dataset.attrs)) or not np.isnan(fill).all()
