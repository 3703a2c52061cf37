"""How well a diffusion model recovers the clean state from a noisy one, by noise level."""

from dataclasses import dataclass, field

import numpy as np
import torch

from stormdraw.models.devices import autocast
from stormdraw.models.diagnosis.cases import DiagnosedCase
from stormdraw.models.diffusion import DiffusionModel
from stormdraw.models.noise import NoiseSchedule
from stormdraw.models.white_noise import WhiteNoise
from stormdraw.seeds import seed_for

_COUNT = 8

# log(alpha / sigma) of the noisiest and the cleanest level: from almost pure noise to 3 % of noise,
# the range that samplers cover.
_NOISIEST = -3.0
_CLEANEST = 3.5


def noise_levels(schedule: NoiseSchedule) -> list[int]:
    """Timesteps, ascending and evenly spaced in log(alpha / sigma) within the schedule's range."""
    log_snr = schedule.log_snr()
    goals = np.linspace(max(log_snr[-1], _NOISIEST), min(log_snr[0], _CLEANEST), _COUNT)
    return sorted({int(np.abs(log_snr - goal).argmin()) for goal in goals})


@dataclass
class DenoisingTally:
    """Sums over cases of the squared error of the clean state, in the units of the model's target.

    `errors` are (condition, level, variable): with the right condition and with another case's.
    """

    model: DiffusionModel
    run_seed: int
    name: str
    levels: list[int] = field(init=False)
    errors: np.ndarray = field(init=False)
    counts: np.ndarray = field(init=False)
    clean_sum: np.ndarray = field(init=False)
    clean_squares: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.levels = noise_levels(self.model.schedule)
        variables = len(self.model.variables)
        self.errors = np.zeros((2, len(self.levels), variables))
        self.counts = np.zeros(2)
        self.clean_sum, self.clean_squares = np.zeros(variables), np.zeros(variables)

    @torch.inference_mode()
    def add(self, case: DiagnosedCase) -> None:
        """Count one case; each level has its own noise, the same for both conditions."""
        model, device = self.model, case.condition.device
        clean = model.normalization.encode(case.batch.now, case.batch.following)
        self.clean_sum += _means(clean)
        self.clean_squares += _means(clean.square())
        for level, step in enumerate(self.levels):
            seed = seed_for(self.run_seed, self.name, "diagnosis", case.number, step)
            noise = WhiteNoise([seed], device)(tuple(clean.shape))[0]
            timestep = torch.full((len(clean),), step, device=device)
            noisy = model.schedule.add_noise(clean, noise, timestep)
            for which, condition in enumerate(case.conditions()):
                with autocast(model.settings.training.precision, device):
                    predicted = model.network(noisy, condition, timestep)
                seen = model.schedule.clean_from(
                    model.prediction, noisy, predicted.float(), timestep
                )
                self.errors[which, level] += _means((seen - clean).square())
        self.counts[: len(case.conditions())] += 1

    def mean_errors(self) -> np.ndarray:
        """Mean squared error, (condition, level, variable); NaN without a second condition."""
        with np.errstate(invalid="ignore"):
            return self.errors / self.counts[:, None, None]

    def variance(self) -> np.ndarray:
        """Variance of the clean target over the cases, (variable,): near 1 by construction."""
        mean = self.clean_sum / self.counts[0]
        return self.clean_squares / self.counts[0] - mean**2

    def error_of_points(self) -> np.ndarray:
        """The least error of estimates from single points without a condition, (level, variable).

        For a normal variable with variance s^2 seen as alpha x_0 + sigma eps it is s^2 sigma^2 /
        (alpha^2 s^2 + sigma^2): the variance of x_0 given x_t.
        """
        schedule = self.model.schedule
        alpha, sigma = (
            part[self.levels].double().cpu().numpy()[:, None] ** 2
            for part in (schedule.alpha, schedule.sigma)
        )
        variance = self.variance()[None, :]
        return variance * sigma / (alpha * variance + sigma)


def _means(fields: torch.Tensor) -> np.ndarray:
    """(B, V, Y, X) -> the mean of each variable, float64 (V,)."""
    return fields.double().mean(dim=(0, 2, 3)).cpu().numpy()
