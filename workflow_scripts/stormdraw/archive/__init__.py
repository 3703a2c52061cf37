"""A GRIB2 archive, real or simulated: fetches, verifies and lists the messages a run needs."""
