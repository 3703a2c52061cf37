"""GRIB2 of any grid, turned into CF NetCDF on one grid, and what training needs to know of it."""
