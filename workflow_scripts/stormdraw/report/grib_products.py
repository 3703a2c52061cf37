"""Products of an ensemble as GRIB2 messages, encoded as NCEP encodes HREF and REFS."""

from datetime import datetime

import eccodes
import numpy as np

from stormdraw.grib_encoding import interval_keys, new_message, pack, surface_keys
from stormdraw.grib_keys import PROCESSING_CODES
from stormdraw.grids import Grid
from stormdraw.report.product import Product
from stormdraw.variables import variable

# Only NCEP's local tables have codes for reflectivity and probability-matched means, so the centre
# is NCEP (7). The data are marked as a research product of an unknown process.
_RESEARCH = 2
_UNKNOWN_PROCESS = 255


def encode(product: Product, grid: Grid, init: datetime, lead: int, values: np.ndarray) -> bytes:
    """Encode `values` (y, x) as a message; a bitmap marks points that are not finite."""
    row = variable(product.name)
    over_interval = not row.grib.instantaneous
    keys = {
        "productionStatusOfProcessedData": _RESEARCH,
        "dataDate": int(f"{init:%Y%m%d}"),
        "dataTime": int(f"{init:%H%M}"),
        "generatingProcessIdentifier": _UNKNOWN_PROCESS,
        "forecastTime": lead,
        **surface_keys(*row.grib.first_surface, row.grib.top),
        **product.grib_keys(),
    }
    if over_interval:
        code = PROCESSING_CODES[row.grib.statistic]
        keys |= interval_keys(init, lead, row.grib.hours, code)
    template = product.templates[over_interval]
    with new_message(grid, row.grib.parameter, template, keys) as handle:
        pack(handle, values, product.digits)
        return eccodes.codes_get_message(handle)


def inventory_columns(product: Product, init: datetime, lead: int) -> str:
    """The columns after number and offset of a message's inventory line, as wgrib2 writes them."""
    # The table of variables holds a regular expression whose alternatives come last.
    row = variable(product.name)
    name_and_level = row.inventory.partition("(?:")[0]
    forecast = row.grib.forecast_column(lead)
    return f"d={init:%Y%m%d%H}:{name_and_level}:{forecast}:{product.inventory_ending}"
