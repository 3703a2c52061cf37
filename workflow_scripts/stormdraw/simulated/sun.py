"""The solar elevation."""

import functools
import math
from datetime import datetime

import numpy as np

from stormdraw.simulated.domain import Domain

# Members and models go through the same hours one after another.
_REMEMBERED_TIMES = 64


@functools.lru_cache(_REMEMBERED_TIMES)
def daylight(domain: Domain, time: datetime) -> np.ndarray:
    """Sine of the solar elevation over the domain's box, zero at night, (y, x)."""
    return np.maximum(sine_of_elevation(time, *domain.longitude_latitude), 0.0)


def sine_of_elevation(time: datetime, longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    """Sine of the solar elevation at a time in UTC; negative at night.

    `longitude` in degrees east, `latitude` in degrees north. Declination and equation of time by
    Spencer (1971, Search 2, 172), good to about 0.1 degrees.
    """
    start = datetime(time.year, 1, 1)
    day = (time - start).total_seconds() / 86400.0
    angle = 2 * math.pi * day / 365.0
    declination = (
        0.006918
        - 0.399912 * math.cos(angle)
        + 0.070257 * math.sin(angle)
        - 0.006758 * math.cos(2 * angle)
        + 0.000907 * math.sin(2 * angle)
        - 0.002697 * math.cos(3 * angle)
        + 0.00148 * math.sin(3 * angle)
    )
    equation_of_time = (
        0.000075
        + 0.001868 * math.cos(angle)
        - 0.032077 * math.sin(angle)
        - 0.014615 * math.cos(2 * angle)
        - 0.040849 * math.sin(2 * angle)
    )
    clock = 2 * math.pi * (day % 1.0 - 0.5) + equation_of_time
    hour_angle = np.radians(longitude) + clock
    phi = np.radians(latitude)
    return np.sin(phi) * math.sin(declination) + np.cos(phi) * math.cos(declination) * np.cos(
        hour_angle
    )
