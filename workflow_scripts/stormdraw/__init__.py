"""stormdraw: from HRRR GRIB to a scored storm-scale ensemble.

The library behind the workflow. It knows nothing of Snakemake; the scripts beside it do.
"""

import os as _os

# Read when torch is loaded. Without it, crops for training, whole grids for validation and batches
# of other sizes leave gaps between them in a GPU's memory that none of the others fits into.
if not {"PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"} & set(_os.environ):
    _os.environ["PYTORCH_ALLOC_CONF"] = "expandable_segments:True"

# First of all imports: ecCodes' wheel (eckitlib 2.5) carries PROJ symbols that shadow pyproj's if
# it is loaded before, and the process then aborts with "double free" when it ends.
import pyproj as _pyproj  # noqa: F401

# A site may name tables of another ecCodes for its own programs: here they would give messages
# other names.
for _name in ("DEFINITION_PATH", "EXTRA_DEFINITION_PATH", "SAMPLES_PATH", "EXTRA_SAMPLES_PATH"):
    for _library in ("ECCODES", "GRIB"):
        _os.environ.pop(f"{_library}_{_name}", None)

__version__ = "0.1.0"
