"""Writes what is in anemoi.zip, by anemoi-inference 0.13's own writers, a file a member.

python write_anemoi.py FOLDER, where anemoi-inference, zarr and netCDF4 are installed. A trained
model, which would say what is mocked here, is not needed to write.
"""

import sys
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
from anemoi.inference.outputs.netcdf import NetCDFOutput
from anemoi.inference.outputs.zarr import ZarrOutput

out = Path(sys.argv[1])
y, x = np.meshgrid(np.arange(4), np.arange(5), indexing="ij")
axes = np.linspace(51.5, 50.0, 4), np.linspace(357.0, 361.0, 5) % 360.0
lat, lon = (values.ravel() for values in np.meshgrid(*axes, indexing="ij"))


def value(member, lead):
    return (280 + member + lead / 10 + y / 100 + x / 1000).astype("f4").ravel()


start = datetime(2026, 6, 8, 6)
for member in (1, 2, 3):
    for kind, name in ((NetCDFOutput, "nc"), (ZarrOutput, "zarr")):
        hour = timedelta(hours=1)
        context = MagicMock(reference_date=start, lead_time=3 * hour, write_initial_state=False)
        metadata = MagicMock(rollout_shift=hour, multi_step_output=1, output_offsets=[hour])
        variable = MagicMock(grib_keys={"param": "2t"}, is_computed_forcing=False)
        metadata.typed_variables = {"2t": variable}
        context.checkpoint.typed_variables = {"2t": variable}
        key = "path" if name == "nc" else "store"
        output = kind(context, metadata, **{key: str(out / f"m{member}.{name}")})
        output.typed_variables = {"2t": variable}
        output.post_process = lambda state: state
        if name == "zarr":
            type(output).write_step_zero = False
        state = {"latitudes": lat, "longitudes": lon, "date": start, "fields": {}}
        output.open(state)
        for lead in (1, 2, 3):
            fields = {"2t": value(member, lead)}
            output.write_step({**state, "date": start + lead * hour, "fields": fields})
        output.close()
