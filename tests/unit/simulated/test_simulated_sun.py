"""The height of the sun, by what almanacs say."""

from datetime import datetime

import numpy as np
import pytest
from simulated_world import DOMAIN

from stormdraw.simulated.sun import daylight, sine_of_elevation


def elevation(time: datetime, longitude: float, latitude: float) -> float:
    """Degrees."""
    return float(
        np.degrees(np.arcsin(sine_of_elevation(time, np.array(longitude), np.array(latitude))))
    )


def test_overhead_at_the_equator_at_an_equinox_noon():
    # 2026-03-20: the sun is 7.4 minutes late.
    assert elevation(datetime(2026, 3, 20, 12, 7), 0.0, 0.0) == pytest.approx(90.0, abs=0.5)


def test_noon_at_the_solstices():
    """Elevation is 90 degrees - latitude + declination of 23.44 degrees."""
    noon_at_90_west = datetime(2026, 6, 21, 18, 2)
    assert elevation(noon_at_90_west, -90.0, 40.0) == pytest.approx(73.44, abs=0.2)
    assert elevation(datetime(2026, 12, 21, 17, 58), -90.0, 40.0) == pytest.approx(26.56, abs=0.2)


def test_sunrise_of_a_known_day():
    """Wichita, Kansas, 2026-06-21: the sun's centre crosses the horizon near 11:14 and 01:50 UTC
    (5 minutes after and before the almanac's rise and set, which allow for refraction)."""
    assert elevation(datetime(2026, 6, 21, 11, 14), -97.34, 37.69) == pytest.approx(0.0, abs=0.6)
    assert elevation(datetime(2026, 6, 22, 1, 49), -97.34, 37.69) == pytest.approx(0.0, abs=0.6)


def test_there_is_no_daylight_at_night():
    assert (daylight(DOMAIN, datetime(2026, 6, 21, 7)) == 0.0).all()
    assert (daylight(DOMAIN, datetime(2026, 6, 21, 18)) > 0.9).all()
