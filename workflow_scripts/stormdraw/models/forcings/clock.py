"""The hour of the day in UTC, as an angle."""

from datetime import datetime

import numpy as np


def sine_and_cosine_of_hour(time: datetime) -> np.ndarray:
    """Of the angle that the hour hand of a 24-hour clock has turned, float32 (2,)."""
    angle = 2.0 * np.pi * (time.hour + time.minute / 60.0) / 24.0
    return np.array([np.sin(angle), np.cos(angle)], dtype=np.float32)
