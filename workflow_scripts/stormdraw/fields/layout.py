"""Where in a NetCDF file the values of a field lie, so that they can be read without its library.

HDF5's library reads for one thread at a time, and through buffers of its own. A field that lies in
one piece, plain or deflated, is one read from its place in the file.
"""

import os
import zlib
from dataclasses import dataclass

import h5py
import numpy as np

_DEFLATE = h5py.h5z.FILTER_DEFLATE
_SHUFFLE = h5py.h5z.FILTER_SHUFFLE


@dataclass(frozen=True)
class Plain:
    """Fields of float32 (y, x), one after the other from `offset` bytes on."""

    offset: int
    field_bytes: int

    def read(self, descriptor: int, index: int, out: np.ndarray) -> None:
        """Fill `out`, float32 (y, x), with one field."""
        view = out.data.cast("B")
        done = 0
        while done < self.field_bytes:
            place = self.offset + index * self.field_bytes + done
            count = os.preadv(descriptor, [view[done:]], place)
            if count == 0:
                raise EOFError("the file ends before the field does")
            done += count


@dataclass(frozen=True)
class Deflated:
    """Fields of float32 (y, x), each a chunk of its own: (offset, size) in bytes."""

    places: tuple[tuple[int, int], ...]
    shuffled: bool

    def read(self, descriptor: int, index: int, out: np.ndarray) -> None:
        """Fill `out`, float32 (y, x), with one field."""
        offset, size = self.places[index]
        content = np.frombuffer(zlib.decompress(os.pread(descriptor, size, offset)), np.uint8)
        if self.shuffled:
            # All first bytes stand together, then all second ones.
            # Four strided copies take a third of the time of one transposed copy.
            bytes_of_values = out.reshape(-1).view(np.uint8).reshape(-1, 4)
            for position, plane in enumerate(content.reshape(4, -1)):
                bytes_of_values[:, position] = plane
        else:
            out.reshape(-1).view(np.uint8)[:] = content


def layout_of(dataset: h5py.Dataset) -> Plain | Deflated | None:
    """How a variable (time, y, x) is stored; None if its library is needed to read it."""
    if dataset.dtype != np.dtype("<f4") or dataset.ndim != 3 or _is_encoded(dataset):
        return None
    if dataset.chunks is None:
        offset = dataset.id.get_offset()
        field = 4 * dataset.shape[1] * dataset.shape[2]
        return None if offset is None else Plain(offset, field)
    if dataset.chunks != (1, *dataset.shape[1:]):
        return None
    properties = dataset.id.get_create_plist()
    filters = [properties.get_filter(i)[0] for i in range(properties.get_nfilters())]
    if filters not in ([_DEFLATE], [_SHUFFLE, _DEFLATE]):
        return None
    chunks = [dataset.id.get_chunk_info_by_coord((i, 0, 0)) for i in range(dataset.shape[0])]
    if any(chunk.byte_offset is None or chunk.filter_mask for chunk in chunks):
        return None
    return Deflated(tuple((chunk.byte_offset, chunk.size) for chunk in chunks), _SHUFFLE in filters)


def _is_encoded(dataset: h5py.Dataset) -> bool:
    """Whether stored values must be scaled, or missing ones told by a number."""
    fill = np.asarray(dataset.attrs.get("_FillValue", np.nan))
    return bool({"scale_factor", "add_offset"} & set(dataset.attrs)) or not np.isnan(fill).all()
