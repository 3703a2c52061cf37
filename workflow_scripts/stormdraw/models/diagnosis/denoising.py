"""How well a diffusion model recovers the clean state from a noisy one, by noise level."""

from dataclasses import dataclass, field

import numpy as np
import torch

from stormdraw.models.devices import autocast
from stormdraw.models.diagnosis.cases import DiagnosedCase
from stormdraw.models.diffusion import DiffusionModel
from stormdraw.models.formulation import Formulation
from stormdraw.models.white_noise import WhiteNoise
from stormdraw.seeds import seed_for

_COUNT = 8

# log(alpha / sigma) of the noisiest and the cleanest level: from almost pure noise to 3 % of noise,
# the range that samplers cover.
_NOISIEST = -3.0
_CLEANEST = 3.5


def noise_levels(formulation: Formulation) -> list[float]:
    """Noise levels, ascending and evenly spaced in log(alpha / sigma) within the model's range."""
    lowest, highest = formulation.log_snr_range()
    goals = np.linspace(max(lowest, _NOISIEST), min(highest, _CLEANEST), _COUNT)
    return formulation.levels_at(goals)


@dataclass
class DenoisingTally:
    """Sums over cases of the squared error of the clean state, in the units of the model's target.

    `errors` are (condition, level, variable): with the right condition and with another case's.
    """

    model: DiffusionModel
    run_seed: int
    name: str
    levels: list[float] = field(init=False)
    errors: np.ndarray = field(init=False)
    counts: np.ndarray = field(init=False)
    clean_sum: np.ndarray = field(init=False)
    clean_squares: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.levels = noise_levels(self.model.formulation)
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
        for place, level in enumerate(self.levels):
            seed = seed_for(self.run_seed, self.name, "diagnosis", case.number, str(level))
            noise = WhiteNoise([seed], device)(tuple(clean.shape))[0]
            at = torch.full((len(clean),), level, device=device)
            noisy = model.formulation.add_noise(clean, noise, at)
            for which, condition in enumerate(case.conditions()):
                with autocast(model.settings.training.precision, device):
                    predicted = model.predict(noisy, condition, at)
                seen = model.formulation.clean_from(noisy, predicted.float(), at)
                self.errors[which, place] += _means((seen - clean).square())
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
        noise = self.noise_over_signal()[:, None] ** 2
        variance = self.variance()[None, :]
        return variance * noise / (variance + noise)

    def noise_over_signal(self) -> np.ndarray:
        """sigma / alpha of each level."""
        return self.model.formulation.noise_over_signal(self.levels)


def _means(fields: torch.Tensor) -> np.ndarray:
    """(B, V, Y, X) -> the mean of each variable, float64 (V,)."""
    return fields.double().mean(dim=(0, 2, 3)).cpu().numpy()
