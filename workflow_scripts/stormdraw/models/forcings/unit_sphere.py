"""Places as points of a sphere of radius 1."""

import numpy as np


def unit_sphere(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Cartesian coordinates of places in degrees (y, x), float32 (3, y, x).

    The first axis leads to 0 degrees east on the equator, the second to 90 degrees east, the third
    to the north pole.
    """
    north, east = np.radians(latitude), np.radians(longitude)
    from_axis = np.cos(north)
    return np.stack([from_axis * np.cos(east), from_axis * np.sin(east), np.sin(north)]).astype(
        np.float32
    )
