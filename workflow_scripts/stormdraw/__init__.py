"""stormdraw: from HRRR GRIB to a scored storm-scale ensemble.

The library behind the workflow. It knows nothing of Snakemake; the scripts beside it do.
"""

import os as _os

# First of all imports: ecCodes' wheel (eckitlib 2.5) carries PROJ symbols that shadow pyproj's if
# it is loaded before, and the process then aborts with "double free" when it ends.
import pyproj as _pyproj  # noqa: F401

# A site may name tables of another ecCodes for its own programs: here they would give messages
# other names.
for _name in ("DEFINITION_PATH", "EXTRA_DEFINITION_PATH", "SAMPLES_PATH", "EXTRA_SAMPLES_PATH"):
    for _library in ("ECCODES", "GRIB"):
        _os.environ.pop(f"{_library}_{_name}", None)

__version__ = "0.1.0"
