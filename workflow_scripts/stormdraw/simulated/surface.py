"""The observed variables of the simulated archive, from the hidden state."""

import functools
from dataclasses import dataclass

import numpy as np

from stormdraw.simulated.cells import sum_of_bells
from stormdraw.simulated.domain import Domain
from stormdraw.simulated.latents import INDEX
from stormdraw.simulated.physics import TRUTH, Physics, cape_of, cin_of, dewpoint_below
from stormdraw.simulated.state import State
from stormdraw.variables import variable

# A cold pool drives the air at 10 m down its gradient: m^2 s^-1 K^-1.
_OUTFLOW = 2.2e4
_DEEPEST_POOL = 9.0  # K
# It rains where the lift, of standard deviation 1, exceeds this.
_LIFT_OF_RAIN = 1.25
# Rain trails a core: seconds since the core was there, dBZ weaker, times wider.
_TRAIL = ((600.0, 22.0, 1.6), (1800.0, 28.0, 1.9))


@dataclass(frozen=True)
class Bias:
    """Surface errors of a forecast model, each a number or (y, x) on the box: K and m/s."""

    temperature: np.ndarray | float = 0.0
    dewpoint: np.ndarray | float = 0.0
    u: np.ndarray | float = 0.0
    v: np.ndarray | float = 0.0


UNBIASED = Bias()


@dataclass(frozen=True)
class Air:
    """The air near the ground on the box, each (y, x).

    `temperature` and `dewpoint` at 2 m and the depth of the cold `pool` in K, `cape` and `cin` in
    J/kg, `convergence` of the 10 m wind in 1/s. `inhibition` and `lift` are the random fields;
    `activity` is the sum of the strengths of cells, `storm` the same limited to 1.
    """

    temperature: np.ndarray
    dewpoint: np.ndarray
    inhibition: np.ndarray
    cape: np.ndarray
    cin: np.ndarray
    convergence: np.ndarray
    lift: np.ndarray
    pool: np.ndarray
    activity: np.ndarray
    storm: np.ndarray


@dataclass(frozen=True)
class Surface:
    """The surface of a world: domain, terrain in m (y, x) on the box, physics and errors."""

    domain: Domain
    terrain: np.ndarray
    physics: Physics = TRUTH
    bias: Bias = UNBIASED

    def air(self, state: State) -> Air:
        """The state of the air near the ground, which determines new storms."""
        physics, domain = self.physics, self.domain
        names = ("temperature", "moisture", "inhibition", "lift")
        waves = [state.latents[INDEX[name]] for name in names]
        waves += [state.pool, self._squared * self._potential(state)]
        warmth, moisture, inhibition, lift, pool, convergence = domain.on_points(np.stack(waves))
        pool = _DEEPEST_POOL * np.tanh(np.maximum(pool, 0.0) / _DEEPEST_POOL)
        cells = state.cells
        activity = sum_of_bells(domain, cells.x, cells.y, cells.strength(), 2.2 * cells.radius)
        storm = np.minimum(activity, 1.0)
        height = self.terrain - physics.altitude
        warming = physics.heating * (state.heat - physics.mean_heat)
        temperature = physics.temperature + warming + warmth - physics.lapse_rate * height
        temperature = temperature - pool + self.bias.temperature
        # Warm air masses are moist; daytime mixing dries the air, rain moistens it.
        drying = 2.5 * (state.heat - physics.mean_heat)
        moist = physics.dewpoint + moisture + 0.4 * warmth - drying
        moist = moist - 0.0025 * height + 1.2 * storm - 0.2 * pool + self.bias.dewpoint
        dewpoint = dewpoint_below(temperature, moist)
        cape = cape_of(temperature, dewpoint, inhibition)
        cin = cin_of(temperature, inhibition, cape)
        return Air(
            temperature, dewpoint, inhibition, cape, cin, convergence, lift, pool, activity, storm
        )

    def observe(self, state: State) -> dict[str, np.ndarray]:
        """`SIMULATED_VARIABLES` on the box, each (y, x), before rounding."""
        air = self.air(state)
        texture = self.domain.on_points(state.latents[INDEX["texture"]])
        u, v = self._wind(state, air, texture)
        return {
            "REFC": self._reflectivity(state, air, texture),
            "T2M": air.temperature,
            "D2M": air.dewpoint,
            "U10": u,
            "V10": v,
            "CAPE": air.cape,
            "CIN": air.cin,
        }

    def _potential(self, state: State) -> np.ndarray:
        """Coefficients of the velocity potential, low in a cold pool: air flows out of it."""
        return state.latents[INDEX["velocity_potential"]] - np.float32(_OUTFLOW) * state.pool

    @functools.cached_property
    def _squared(self) -> np.ndarray:
        """k^2, minus the Laplacian: applied to a velocity potential it gives convergence."""
        return (self.domain.wavenumber**2).astype(np.float32)

    @functools.cached_property
    def _derivatives(self) -> tuple[np.ndarray, np.ndarray]:
        """i ky and i kx, (ky, kx) each: derivatives along y and x."""
        ky, kx = (1j * k for k in self.domain.wavenumbers)
        return ky.astype(np.complex64), kx.astype(np.complex64)

    def _wind(self, state: State, air: Air, texture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """10 m wind along x and y in m/s: steering, rotation, divergence, outflow and gusts."""
        ky, kx = self._derivatives
        psi, phi = state.latents[INDEX["streamfunction"]], self._potential(state)
        u, v = self.domain.on_points(np.stack([kx * phi - ky * psi, ky * phi + kx * psi]))
        physics = self.physics
        felt = physics.mixing + physics.daytime_mixing * state.heat
        gusts = (0.2 + 1.6 * air.storm) * texture
        steering_u, steering_v = state.steering.tolist()
        u = physics.roughness * (felt * steering_u + u) + gusts + self.bias.u
        v = physics.roughness * (felt * steering_v + v) - 0.5 * gusts + self.bias.v
        return u, v

    def _reflectivity(self, state: State, air: Air, texture: np.ndarray) -> np.ndarray:
        """Composite reflectivity in dBZ: cores, the rain that trails them, and rain from lift.

        A core is a bell in linear reflectivity Z = 10^(dBZ / 10), so a paraboloid in dBZ; bells add
        up. Weak echoes fall off faster, since very small drops give none.
        """
        cells, domain = state.cells, self.domain
        strength = cells.strength()
        core = cells.peak * strength
        linear = sum_of_bells(domain, cells.x, cells.y, 10 ** (core / 10), cells.radius)
        for seconds, weakening, widening in _TRAIL:
            linear += sum_of_bells(
                domain,
                (cells.x - seconds * state.steering[0]) % domain.lengths[1],
                (cells.y - seconds * state.steering[1]) % domain.lengths[0],
                10 ** ((core - weakening * strength) / 10),
                widening * cells.radius,
            )
        rain = 22.0 * (air.lift - _LIFT_OF_RAIN)
        linear += np.where(rain > 0.0, 10 ** (np.minimum(rain, 32.0) / 10), 0.0)
        echo = 10 * np.log10(np.maximum(linear, 1e-3)) + 3.8 * texture
        echo = echo - 0.9 * np.maximum(8.0 - echo, 0.0)
        return np.where(echo > 55.0, 55.0 + 11.0 * np.tanh((echo - 55.0) / 11.0), echo)


def to_precision(name: str, values: np.ndarray) -> np.ndarray:
    """`values` within the variable's bounds, rounded to the archive's precision, as float64."""
    row = variable(name)
    steps = 1.0 / row.precision
    bounded = np.clip(np.asarray(values, dtype=np.float64), row.lower, row.upper)
    # Adding zero turns -0.0 into 0.0, which is what GRIB returns.
    return np.rint(bounded * steps) / steps + 0.0
