"""stormdraw: from HRRR GRIB to a scored storm-scale ensemble.

The library behind the workflow. It knows nothing of Snakemake; the scripts beside it do.
"""

# First of all imports: ecCodes' wheel (eckitlib 2.5) carries PROJ symbols that shadow pyproj's if
# it is loaded before, and the process then aborts with "double free" when it ends.
import pyproj as _pyproj  # noqa: F401

__version__ = "0.1.0"
