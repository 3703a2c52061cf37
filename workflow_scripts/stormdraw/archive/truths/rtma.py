"""RTMA: NOAA's Real-Time Mesoscale Analysis of the surface, 2.5 km, with fewer observations."""

from stormdraw.archive.truths.urma import Urma


class Rtma(Urma):
    """It differs from URMA in the observations that arrive in time."""


TRUTH = Rtma
