"""The dynamics of the world: one step of the hidden state."""

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from stormdraw.simulated.cells import Cells, candidates
from stormdraw.simulated.latents import Spectra
from stormdraw.simulated.noise import Noise
from stormdraw.simulated.physics import birth_rate, cape_of
from stormdraw.simulated.state import State
from stormdraw.simulated.sun import daylight
from stormdraw.simulated.surface import Air, Surface

STEPS_PER_HOUR = 2
_STEPS_PER_DAY = 24 * STEPS_PER_HOUR
_HOURS = 1.0 / STEPS_PER_HOUR

# The steering wind (x, y) in m/s, an Ornstein-Uhlenbeck process: about 36 km/h from the south-west.
MEAN_STEERING = np.array([9.0, 4.5])
STEERING_DEVIATION = 2.0
_STEERING_HOURS = 72.0

_HEAT_HOURS = 4.0
_POOL_HOURS = 2.5
_POOL_DRIFT = 0.6
_POOL_DIFFUSIVITY = 800.0

_KM2 = 1e6


@dataclass(frozen=True)
class World:
    """Stochastic dynamics with a surface."""

    surface: Surface

    @functools.cached_property
    def spectra(self) -> Spectra:
        return Spectra(self.surface.domain, _HOURS)

    def start(self, time: datetime, generator: np.random.Generator) -> State:
        """Random fields drawn from their climate, no storms, and mean ground heat."""
        domain = self.surface.domain
        return State(
            time=time,
            steering=MEAN_STEERING + STEERING_DEVIATION * generator.standard_normal(2),
            latents=self.spectra.draw(generator),
            pool=np.zeros(self.spectra.shape[1:], dtype=np.complex64),
            heat=np.full(domain.shape, self.surface.physics.mean_heat, dtype=np.float32),
            cells=Cells.none(),
        )

    def steps(self, state: State, noise: Noise) -> Iterator[State]:
        """The states half an hour, an hour ... after `state`, endlessly."""
        while True:
            state = self.step(state, noise)
            yield state

    def hours(self, state: State, noise: Noise) -> Iterator[tuple[State, ...]]:
        """The states of each hour after `state`, from its start to its end, endlessly."""
        steps = self.steps(state, noise)
        while True:
            hour = (state, *itertools.islice(steps, STEPS_PER_HOUR))
            yield hour
            state = hour[-1]

    def hourly(self, state: State, noise: Noise) -> Iterator[State]:
        """The states 1, 2, 3 ... hours after `state`, endlessly."""
        return (hour[-1] for hour in self.hours(state, noise))

    def step(self, state: State, noise: Noise) -> State:
        """The state half an hour later. The package's docstring has the equations."""
        air = self.surface.air(state)
        white = noise.white_waves(state.time, self.spectra.shape)
        memory = np.exp(-_HOURS / _STEERING_HOURS)
        steering = MEAN_STEERING + memory * (state.steering - MEAN_STEERING)
        steering += STEERING_DEVIATION * np.sqrt(1 - memory**2) * noise.steering(state.time)
        return State(
            time=state.time + timedelta(hours=_HOURS),
            steering=steering,
            latents=self.spectra.step(state.latents, state.steering, white),
            pool=self._pool(state, air),
            heat=self._heat(state, air),
            cells=self._survivors(state, air, noise).join(self._born(state, air, noise)),
        )

    def _pool(self, state: State, air: Air) -> np.ndarray:
        """Cold pools: fed by mature cells, advected, diffused and warmed."""
        cooling = _HOURS * self.surface.physics.downdraft * air.activity
        fed = self.surface.domain.on_waves(cooling)
        along_y, along_x = self.spectra.shift(state.steering, _POOL_DRIFT)
        return (state.pool + fed) * self._pool_memory * along_y * along_x

    @functools.cached_property
    def _pool_memory(self) -> np.ndarray:
        """The share of a cold pool that remains after a step, (ky, kx)."""
        spreading = _POOL_DIFFUSIVITY * 3600.0 * self.surface.domain.wavenumber**2
        return np.exp(-_HOURS * (1 / _POOL_HOURS + spreading)).astype(np.float32)

    def _heat(self, state: State, air: Air) -> np.ndarray:
        """Ground heat relaxes towards the sunlight that clouds and storms let through."""
        shade = np.maximum(0.55 * np.clip(air.lift - 0.5, 0.0, 1.0), 0.75 * air.storm)
        return self._warmed(state.heat, state.time, shade)

    def clear_sky_heat(self, time: datetime) -> np.ndarray:
        """The ground heat at a time after a day under a clear sky, (y, x)."""
        heat = np.full(self.surface.domain.shape, self.surface.physics.mean_heat, np.float32)
        for steps in range(_STEPS_PER_DAY, 0, -1):
            heat = self._warmed(heat, time - steps * timedelta(hours=_HOURS), 0.0)
        return heat

    def _warmed(self, heat: np.ndarray, time: datetime, shade: np.ndarray | float) -> np.ndarray:
        """Ground heat one step after `time`, (y, x); `shade` is the share of sunlight kept off."""
        sun = daylight(self.surface.domain, time + timedelta(hours=_HOURS / 2))
        target = sun * (1 - shade)
        return target + (heat - target) * float(np.exp(-_HOURS / _HEAT_HOURS))

    def _survivors(self, state: State, air: Air, noise: Noise) -> Cells:
        """Cells one step later; those without warm, moist inflow age faster."""
        cells = state.cells
        at = self._points(cells)
        # Inflow comes from outside the cell's own cold pool.
        inflow = cape_of(
            air.temperature[at] + 0.8 * air.pool[at],
            air.dewpoint[at],
            air.inhibition[at],
        )
        ageing = 1.0 + 1.2 * np.exp(-inflow / 250.0)
        z = noise.own.standard_normal(2 * len(cells))
        return cells.stepped(self.surface.domain, state.steering, ageing, _HOURS, z)

    def _born(self, state: State, air: Air, noise: Noise) -> Cells:
        """A Poisson process of the largest rate, thinned to the rate at each point."""
        domain, physics = self.surface.domain, self.surface.physics
        area = domain.lengths[0] * domain.lengths[1] / _KM2
        rate = birth_rate(air.cape, air.cin, air.convergence, state.heat)
        born = Cells.none()
        for count, stream in noise.births(state.time, physics.birth_rate * area * _HOURS):
            new, uniform = candidates(domain, count, stream)
            at = self._points(new)
            peak = physics.core + 5.0 * np.sqrt(air.cape[at] / 1000.0) + new.peak
            chosen = uniform < rate[at]
            born = born.join(_with_peak(new, np.clip(peak, 38.0, 66.0)).select(chosen))
        return born

    def _points(self, cells: Cells) -> tuple[np.ndarray, np.ndarray]:
        """The point of the box nearest to each cell: rows and columns."""
        domain = self.surface.domain
        rows = np.rint(cells.y / domain.spacing).astype(int) % domain.shape[0]
        columns = np.rint(cells.x / domain.spacing).astype(int) % domain.shape[1]
        return rows, columns


def _with_peak(cells: Cells, peak: np.ndarray) -> Cells:
    return Cells(cells.x, cells.y, cells.u, cells.v, cells.age, cells.lifetime, peak, cells.radius)
