"""A crop of HRRR's grid so small that every value can be looked at."""

from stormdraw.archive.base_models.hrrr import GRID as HRRR

GRID = HRRR.crop(slice(480, 485), slice(880, 886))
