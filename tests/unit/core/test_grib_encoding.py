"""Values of a message come back as they were, and so do points without one."""

import numpy as np
import pytest

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.grib_encoding import new_message, pack, surface_keys
from stormdraw.grib_values import decode
from stormdraw.messages import opened
from stormdraw.variables import variable

import eccodes  # isort: skip  (after stormdraw)

GRID = HRRR.crop(slice(0, 4), slice(0, 5))
# 9999 is what ecCodes takes for missing unless it is told another number.
VALUES = np.linspace(9980.0, 9999.0, 20).reshape(GRID.shape)


@pytest.mark.parametrize("missing", [0, 1, 19, 20])
def test_what_is_packed_comes_back(missing):
    values = VALUES.copy()
    values.ravel()[:missing] = np.nan
    row = variable("CAPE")
    with new_message(GRID, row.grib.parameter, 0, surface_keys(*row.grib.first_surface)) as handle:
        pack(handle, values, 0)
        content = eccodes.codes_get_message(handle)
    with opened(content) as handle:
        np.testing.assert_array_equal(decode(handle), values)
