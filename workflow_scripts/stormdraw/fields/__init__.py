"""Turns GRIB2 on any grid into CF NetCDF on one grid, with statistics for training."""
