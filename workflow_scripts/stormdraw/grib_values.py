"""The values of GRIB2 messages."""

import eccodes
import numpy as np

from stormdraw.grid_headers import in_map_order

# The value that ecCodes uses for missing values: larger than any other, and exact in float32.
_MISSING = 2.0**100


def decode(handle: int) -> np.ndarray:
    """A message's values as float32 (y, x), rows from south to north, NaN where missing."""
    return in_map_order(handle, decode_in_order(handle))


def decode_in_order(handle: int) -> np.ndarray:
    """A message's values as float32 in the order of its points, NaN where missing."""
    eccodes.codes_set(handle, "missingValue", _MISSING)
    # Read in double precision and then rounded: ecCodes is slower in float32.
    values = eccodes.codes_get_array(handle, "values", ktype=float).astype(np.float32)
    # With or without a bitmap: complex packing has its own code for missing points.
    if values.max() >= _MISSING:
        values[values >= _MISSING] = np.nan
    return values
