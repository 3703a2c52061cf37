"""What an archive of the world has at the end of an hour: near the ground, aloft, over the hour."""

from collections.abc import Sequence

import numpy as np

from stormdraw.simulated import SIMULATED_VARIABLES
from stormdraw.simulated.rain import rain_of, rain_rate
from stormdraw.simulated.state import State
from stormdraw.simulated.surface import Surface
from stormdraw.simulated.upper_air import upper_air


class Observer:
    """Observes `SIMULATED_VARIABLES` and `further` ones, which are of `SIMULATED_ON_REQUEST`.

    Keeps the rate of rain at the end of the last hour, where the next one begins.
    """

    def __init__(self, surface: Surface, further: Sequence[str] = ()) -> None:
        self._surface = surface
        self._further = further
        self._end: tuple[State, np.ndarray] | None = None

    def observe(self, hour: Sequence[State]) -> dict[str, np.ndarray]:
        """The variables on the box, each (y, x), before rounding.

        `hour` are the states of an hour of the world, from its start to its end.
        """
        seen = self._surface.observe(hour[-1])
        if self._further:
            seen |= upper_air(self._surface, hour[-1])
        if "APCP" in self._further:
            seen["APCP"] = self._rain(hour, rain_rate(seen["REFC"]))
        return {name: seen[name] for name in (*SIMULATED_VARIABLES, *self._further)}

    def _rain(self, hour: Sequence[State], last: np.ndarray) -> np.ndarray:
        rates = [*(self._rate(state) for state in hour[:-1]), last]
        self._end = hour[-1], last
        return rain_of(self._surface.domain, hour, rates)

    def _rate(self, state: State) -> np.ndarray:
        if self._end is not None and self._end[0] is state:
            return self._end[1]
        return rain_rate(self._surface.observe(state)["REFC"])
