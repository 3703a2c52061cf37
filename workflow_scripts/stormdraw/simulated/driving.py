"""The larger-scale model of the world: GFS, at 0.25 degree on a latitude-longitude grid.

It sees the large scale only: waves that its grid resolves, smooth terrain, no storms, no cold pools
and a clear sky, so that its ground heat tells nothing of the clouds and storms to come. A forecast
of lead l (h) is, for each wave k of each random field,

    F_k = e^-(k L)^2 (sqrt(1 - g) X_k + sqrt(g) B_k),  g(l) = 1 - (1 - g_0) e^(-l / tau)

with X the truth at the valid time and B a field drawn from the climate for each cycle, which drifts
with the mean wind. So its variance is that of the truth's large scale, its error grows with the
lead, and even at lead 0 it is not the truth. The steering wind has an error that grows alike. The
numbers are chosen for an error of 0.4 of the large scale's deviation at 6 h and of 0.6 at 24 h;
they say nothing about the real GFS's skill.
"""

import contextlib
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Self

import numpy as np

from stormdraw.seeds import generator_for
from stormdraw.simulated import SIMULATED_DRIVING
from stormdraw.simulated.cells import Cells
from stormdraw.simulated.gribs import Encoder, Product
from stormdraw.simulated.lattices import Interpolation, quarter_degree_grid
from stormdraw.simulated.layout import gfs_path
from stormdraw.simulated.model_files import write_messages
from stormdraw.simulated.state import State
from stormdraw.simulated.surface import Surface, to_precision
from stormdraw.simulated.upper_air import upper_air
from stormdraw.simulated.world import MEAN_STEERING, STEERING_DEVIATION, World
from stormdraw.times import format_init

# L in m: waves of 120 km keep a third of their amplitude.
_RESOLVED = 20e3
_LEAST_ERROR = 0.05
_ERROR_HOURS = 60.0

# NCEP's generating process of GFS (ON388, table A).
_PROCESS = 96


def error_share(lead: int) -> float:
    """The share g of a field's variance that is not the truth's at a lead in hours."""
    return float(1.0 - (1.0 - _LEAST_ERROR) * np.exp(-lead / _ERROR_HOURS))


class DrivingFiles(contextlib.ExitStack):
    """Writes the forecasts of the larger-scale model, each when the world reaches its valid time.

    The same seed gives the same files: what a cycle does not know depends on its time alone.
    """

    def __init__(self, world: World, run_seed: int) -> None:
        super().__init__()
        domain = world.surface.domain
        self._world = world
        self._run_seed = run_seed
        self._resolved = np.exp(-((_RESOLVED * domain.wavenumber) ** 2)).astype(np.float32)
        self._surface = Surface(domain, self._smooth(world.surface.terrain))
        self.grid = quarter_degree_grid(domain.window)
        self._interpolation = Interpolation(domain.box, self.grid)
        self._encoder = Encoder(self.grid, _PROCESS)
        # That of the last valid time: many cycles have a forecast of the same hour.
        self._heat: tuple[datetime, np.ndarray] | None = None

    def __enter__(self) -> Self:
        super().__enter__()
        self.enter_context(self._encoder)
        return self

    def write(self, folder: Path, truth: State, cycle: datetime, lead: int) -> None:
        """Write the file of a cycle's forecast that is valid at the time of `truth`."""
        fields = self._interpolation.apply(self.fields(truth, cycle, lead))
        messages = [
            self._encoder.encode(Product.of(name), to_precision(name, values), cycle, lead)
            for name, values in fields.items()
        ]
        write_messages(folder / gfs_path(cycle, lead), messages)

    def fields(self, truth: State, cycle: datetime, lead: int) -> dict[str, np.ndarray]:
        """`SIMULATED_DRIVING` on the box, each (y, x), winds along its axes."""
        forecast = self._forecast(truth, cycle, lead)
        seen = self._surface.observe(forecast) | upper_air(self._surface, forecast)
        return {name: seen[name] for name in SIMULATED_DRIVING}

    def _forecast(self, truth: State, cycle: datetime, lead: int) -> State:
        share = error_share(lead)
        known, unknown = np.float32(np.sqrt(1.0 - share)), np.float32(np.sqrt(share))
        generator = generator_for(self._run_seed, "simulated", "driving", format_init(cycle))
        spectra = self._world.spectra
        drawn = spectra.advected(spectra.draw(generator), MEAN_STEERING, lead)
        steering = known * (truth.steering - MEAN_STEERING)
        steering = steering + unknown * STEERING_DEVIATION * generator.standard_normal(2)
        return replace(
            truth,
            steering=MEAN_STEERING + steering,
            latents=self._resolved * (known * truth.latents + unknown * drawn),
            pool=np.zeros_like(truth.pool),
            heat=self._smooth(self._clear_sky_heat(truth.time)),
            cells=Cells.none(),
        )

    def _clear_sky_heat(self, time: datetime) -> np.ndarray:
        if self._heat is None or self._heat[0] != time:
            self._heat = time, self._world.clear_sky_heat(time)
        return self._heat[1]

    def _smooth(self, values: np.ndarray) -> np.ndarray:
        domain = self._world.surface.domain
        return domain.on_points(self._resolved * domain.on_waves(values))
