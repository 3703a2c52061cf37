"""The height of the sun, from the date, the hour and the place."""

from datetime import datetime

import numpy as np

_J2000 = datetime(2000, 1, 1, 12)


def solar_elevation(time: datetime, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Height of the sun's centre above the horizon in degrees, without refraction.

    Low-precision formulas of the Astronomical Almanac (U.S. Naval Observatory, page C5; good to
    0.01 degrees between 1950 and 2050). `latitude` and `longitude` are in degrees, of any shape.
    """
    days = (time - _J2000).total_seconds() / 86400.0
    mean_longitude = 280.460 + 0.9856474 * days
    mean_anomaly = np.radians(357.528 + 0.9856003 * days)
    ecliptic_longitude = np.radians(
        mean_longitude + 1.915 * np.sin(mean_anomaly) + 0.020 * np.sin(2.0 * mean_anomaly)
    )
    obliquity = np.radians(23.439 - 4.0e-7 * days)
    right_ascension = np.arctan2(
        np.cos(obliquity) * np.sin(ecliptic_longitude), np.cos(ecliptic_longitude)
    )
    declination = np.arcsin(np.sin(obliquity) * np.sin(ecliptic_longitude))
    # Greenwich mean sidereal time in degrees, from the same days (universal time).
    sidereal = 280.46062 + 360.98564737 * days
    hour_angle = np.radians(sidereal + longitude) - right_ascension
    latitude = np.radians(latitude)
    sine = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(
        hour_angle
    )
    return np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0)))


def sine_of_elevation(time: datetime, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """The sine of `solar_elevation`, float32."""
    return np.sin(np.radians(solar_elevation(time, latitude, longitude))).astype(np.float32)
