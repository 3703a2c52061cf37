"""Wind as stations report it, in components towards east and north."""

import numpy as np


def components(speed: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The wind towards east and towards north, in the units of `speed`.

    `direction`, in degrees clockwise from north, is where the wind comes from; 0 and 360 are both
    north. A calm has components whatever its direction. A wind without a direction, which METAR
    calls variable, has none: NaN.
    """
    angle = np.deg2rad(np.where(speed == 0.0, 0.0, direction))
    # Adding zero makes -0 of a calm 0.
    return -speed * np.sin(angle) + 0.0, -speed * np.cos(angle) + 0.0
