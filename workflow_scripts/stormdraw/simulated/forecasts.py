"""Forecasts by imperfect models from imperfect analyses: the members of HREF and REFS.

A run starts from the true state with analysis errors and follows the world's dynamics with another
model's physics, so its error grows with lead time. Three things make the ensemble of ten
underdispersive, like the real HREF. Where an analysis has no observations it uses the background,
most of which all models share. Most of the noise of their dynamics is shared too, but none of it
with the truth. And all share some surface errors. Their spread comes from what they do not share:
physics, ages and the rest of the noise. The numbers are chosen for a spread-error ratio of 0.5 to
0.8; they say nothing about the real HREF's skill.

Every run has its own stream of random numbers, named by (model, initial time): the run that is six
hours old at one cycle is the one that was new at the cycle before.
"""

import itertools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from stormdraw.seeds import generator_for
from stormdraw.simulated.cells import Cells
from stormdraw.simulated.domain import Domain
from stormdraw.simulated.latents import Spectra
from stormdraw.simulated.noise import Noise, SharedNoise
from stormdraw.simulated.observed import Observer
from stormdraw.simulated.physics import TRUTH, Physics
from stormdraw.simulated.state import State
from stormdraw.simulated.surface import Bias, Surface
from stormdraw.simulated.world import World
from stormdraw.times import format_init

# All models have fewer and weaker storms than the truth.
_COMMON = replace(TRUTH, birth_rate=0.8 * TRUTH.birth_rate, core=TRUTH.core - 2.0)

# Further errors of each model. Invented, but in the spirit of their known biases.
MODEL_PHYSICS: dict[str, Physics] = {
    # cool and moist near the ground, eager to convect
    "nam_nest": replace(
        _COMMON,
        temperature=TRUTH.temperature - 0.5,
        dewpoint=TRUTH.dewpoint + 0.4,
        birth_rate=0.95 * TRUTH.birth_rate,
    ),
    # warm and dry by day
    "hrrr": replace(_COMMON, heating=1.05 * TRUTH.heating, dewpoint=TRUTH.dewpoint - 0.3),
    # few but intense storms with deep cold pools
    "hiresw_fv3": replace(
        _COMMON,
        core=TRUTH.core + 4.0,
        birth_rate=0.65 * TRUTH.birth_rate,
        downdraft=1.4 * TRUTH.downdraft,
        roughness=0.95,
    ),
    # windy, with too weak a diurnal cycle
    "hiresw_arw": replace(
        _COMMON, heating=0.94 * TRUTH.heating, daytime_mixing=0.45, roughness=1.05
    ),
    # other physics, other analysis: dry, weak storms
    "hiresw_arw_mem2": replace(
        _COMMON,
        temperature=TRUTH.temperature + 0.3,
        dewpoint=TRUTH.dewpoint - 0.4,
        core=TRUTH.core - 3.0,
        daytime_mixing=0.42,
    ),
}

# RRFS: all members have one dynamical core and differ by perturbed physics, so they are closer to
# each other than HREF's models. (temperature K, dew point K, factor of births, core dBZ, heating)
_RRFS_PERTURBATIONS = {
    "rrfs": (0.0, 0.0, 1.0, 0.0, 1.0),
    "rrfs_m1": (0.3, -0.2, 0.9, 1.0, 1.03),
    "rrfs_m2": (-0.3, 0.3, 1.1, -1.0, 0.98),
    "rrfs_m3": (0.2, 0.3, 1.05, 2.0, 0.96),
    "rrfs_m4": (-0.2, -0.3, 0.85, 0.5, 1.04),
    "rrfs_m5": (0.0, 0.1, 0.95, -1.5, 1.0),
}
MODEL_PHYSICS |= {
    name: replace(
        _COMMON,
        temperature=TRUTH.temperature + 0.1 + temperature,
        dewpoint=TRUTH.dewpoint - 0.1 + dewpoint,
        birth_rate=births * _COMMON.birth_rate,
        core=_COMMON.core + 1.0 + core,
        heating=heating * TRUTH.heating,
    )
    for name, (temperature, dewpoint, births, core, heating) in _RRFS_PERTURBATIONS.items()
}

# Standard deviations (K, K, m/s, m/s) of the fixed surface errors that all models share, and of
# those of each model.
_COMMON_BIAS = (1.0, 1.1, 0.8, 0.8)
_OWN_BIAS = (0.2, 0.25, 0.2, 0.2)
_BIAS_LENGTH = 30e3

# Shares of the variance that all models share.
_SHARED_BACKGROUND = 0.9
_SHARED_NOISE = 0.9

# The analysis misses a share 1 - (1 - _LEAST_ERROR) e^(-(k _OBSERVED)^2) of the variance at
# wavenumber k: little for long waves, nearly all below 25 km (_OBSERVED in m).
_LEAST_ERROR = 0.12
_OBSERVED = 6e3
_STEERING_ERROR = 0.25

_MISSED_CELLS = 0.2
_CELL_DISPLACEMENT = 6e3
_CELL_INTENSITY_ERROR = 3.0


@dataclass(frozen=True)
class Start:
    """The initial conditions of runs: the truth, and the common background (latent, ky, kx)."""

    truth: State
    background: np.ndarray


class CommonBackground:
    """The random fields (latent, ky, kx) of a fictitious world that all models share.

    The shared noise of the models drives it. An analysis takes from it what was not observed, and
    runs driven by the same noise drift towards it, so their errors are correlated.
    """

    def __init__(self, spectra: Spectra, shared: SharedNoise, run_seed: int) -> None:
        self._spectra = spectra
        self._shared = shared
        self.waves = spectra.draw(generator_for(run_seed, "simulated", "background"))

    def step(self, truth: State) -> None:
        """Advance by the half hour that starts at `truth`, with its wind."""
        white = self._shared.white_waves(truth.time, self._spectra.shape)
        self.waves = self._spectra.step(self.waves, truth.steering, white)


@dataclass(frozen=True)
class Forecaster:
    """A model that forecasts the world."""

    name: str
    world: World
    run_seed: int
    shared: SharedNoise

    def run(
        self, start: Start, leads: Sequence[int], further: Sequence[str] = ()
    ) -> Iterator[tuple[int, dict]]:
        """(lead, fields as `Observer` has them) for each of `leads` in hours, ascending."""
        init = format_init(start.truth.time)
        own = generator_for(self.run_seed, "simulated", self.name, init)
        noise = Noise(own, self.shared, _SHARED_NOISE)
        observer = Observer(self.world.surface, further)
        ahead = self.world.hours(self.analysis(start, own), noise)
        for lead, hour in enumerate(itertools.islice(ahead, max(leads)), start=1):
            if lead in leads:
                yield lead, observer.observe(hour)

    def analysis(self, start: Start, own: np.random.Generator) -> State:
        """The truth as this model analyses it."""
        truth, domain = start.truth, self.world.surface.domain
        init = format_init(truth.time)
        common = generator_for(self.run_seed, "simulated", "analysis", init)
        background = np.float32(np.sqrt(_SHARED_BACKGROUND)) * start.background
        background += np.float32(np.sqrt(1 - _SHARED_BACKGROUND)) * self.world.spectra.draw(own)
        known = (1 - _LEAST_ERROR) * np.exp(-((_OBSERVED * domain.wavenumber) ** 2))
        known = known.astype(np.float32)
        return replace(
            truth,
            steering=truth.steering + _STEERING_ERROR * common.standard_normal(2),
            latents=np.sqrt(known) * truth.latents + np.sqrt(1 - known) * background,
            cells=_analysed(truth.cells, domain, common, own),
        )


def forecasters(
    truth: Surface, run_seed: int, shared: SharedNoise, names: Collection[str]
) -> dict[str, Forecaster]:
    """The forecasters of the models called `names`."""
    common = _bias(truth.domain, run_seed, "all models", _COMMON_BIAS)
    found = {}
    for name, physics in MODEL_PHYSICS.items():
        if name not in names:
            continue
        own = _bias(truth.domain, run_seed, name, _OWN_BIAS)
        bias = Bias(*(shared + single for shared, single in zip(common, own, strict=True)))
        world = World(Surface(truth.domain, truth.terrain, physics, bias))
        found[name] = Forecaster(name, world, run_seed, shared)
    return found


def _bias(
    domain: Domain, run_seed: int, name: str, deviations: tuple[float, ...]
) -> list[np.ndarray]:
    """Fixed smooth patterns (y, x) with these standard deviations."""
    generator = generator_for(run_seed, "simulated", "bias", name)
    patterns = []
    for deviation in deviations:
        white = domain.on_waves(generator.standard_normal(domain.shape))
        smooth = domain.on_points(white * (1 + (_BIAS_LENGTH * domain.wavenumber) ** 2) ** -1.25)
        patterns.append((deviation * smooth / np.sqrt(np.mean(smooth**2))).astype(np.float32))
    return patterns


def _analysed(
    cells: Cells, domain: Domain, common: np.random.Generator, own: np.random.Generator
) -> Cells:
    """Cells as in radar assimilation: some missed, all displaced, mostly by the common error."""
    count = len(cells)
    found = common.random(count) >= _MISSED_CELLS
    z = np.sqrt(_SHARED_BACKGROUND) * common.standard_normal((3, count))
    z += np.sqrt(1 - _SHARED_BACKGROUND) * own.standard_normal((3, count))
    displaced = replace(
        cells,
        x=(cells.x + _CELL_DISPLACEMENT * z[0]) % domain.lengths[1],
        y=(cells.y + _CELL_DISPLACEMENT * z[1]) % domain.lengths[0],
        peak=cells.peak + _CELL_INTENSITY_ERROR * z[2],
    )
    return displaced.select(found)
