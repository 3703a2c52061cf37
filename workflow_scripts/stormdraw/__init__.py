"""stormdraw: from HRRR GRIB to a scored storm-scale ensemble.

This is the library behind the workflow. Only the scripts beside it know Snakemake.
"""

import os as _os

# Read when torch is loaded. Without it, training crops, validation grids and batches of various
# sizes fragment a GPU's memory.
if not {"PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"} & set(_os.environ):
    _os.environ["PYTORCH_ALLOC_CONF"] = "expandable_segments:True"

# Must be the first import. The wheel of ecCodes (eckitlib 2.5) carries PROJ symbols that shadow
# pyproj's if it is loaded first, and the process then aborts with "double free" at its end.
import pyproj as _pyproj  # noqa: F401

# A site may set tables of another ecCodes for its own programs, which would rename messages here.
for _name in ("DEFINITION_PATH", "EXTRA_DEFINITION_PATH", "SAMPLES_PATH", "EXTRA_SAMPLES_PATH"):
    for _library in ("ECCODES", "GRIB"):
        _os.environ.pop(f"{_library}_{_name}", None)

__version__ = "0.2.0"
