"""An archive of GRIB2, real or simulated: what of it a run needs, fetched, verified and listed."""
