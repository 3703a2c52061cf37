"""The air aloft, from the hidden state: what drives the world near the ground.

T850       a mean, plus the temperature field and a little of the ground's heat
U700, V700 the steering wind, plus the rotation of the streamfunction
PWAT       a mean, plus the moisture field and the lift
"""

import numpy as np

from stormdraw.simulated.latents import INDEX
from stormdraw.simulated.state import State
from stormdraw.simulated.surface import Surface

_TEMPERATURE, _HEATED = 288.0, 1.5  # K at 850 hPa, and K per unit of ground heat
_WATER, _WATER_OF_MOISTURE, _WATER_OF_LIFT = 30.0, 3.5, 2.0  # kg/m^2, and per K and unit of lift


def upper_air(surface: Surface, state: State) -> dict[str, np.ndarray]:
    """T850, U700, V700 and PWAT on the box, each (y, x), before rounding."""
    domain = surface.domain
    temperature, moisture, psi, lift = (
        state.latents[INDEX[name]] for name in ("temperature", "moisture", "streamfunction", "lift")
    )
    ky, kx = (1j * k for k in domain.wavenumbers)
    fields = domain.on_points(np.stack([temperature, moisture, lift, -ky * psi, kx * psi]))
    warmth, moist, lifted, u, v = fields
    heat = state.heat - surface.physics.mean_heat
    return {
        "T850": _TEMPERATURE + warmth + _HEATED * heat,
        "U700": state.steering[0] + u,
        "V700": state.steering[1] + v,
        "PWAT": _WATER + _WATER_OF_MOISTURE * moist + _WATER_OF_LIFT * lifted,
    }
