"""Drawing from a diffusion model: from noise to a sample in a few evaluations of its network.

Noise schedule, prediction and sampler agree at the noisy end. A schedule whose last timestep is
pure noise (cosine, largest_beta 0.999) is for predicting v, which stays well posed there; samples
start from white noise. Noise prediction needs a schedule that stops earlier (largest_beta 0.02:
alpha 0.06), since the error of the implied clean state is multiplied by sigma / alpha. Training
then does not end in white noise. Samples therefore start from alpha * guess + sigma * noise, with
persistence as the guess; the error is alpha times the change over one hour. With EDM, alpha is 1
but sigma at the start is some 80 times that of the clean state, of which almost nothing is seen.
"""

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler

from stormdraw.ensembles.member_noise import Correlate
from stormdraw.ensembles.sampler_steps import Sampler, check_sampler
from stormdraw.ensembles.solvers import Estimate, Rung, dpm_solver, heun
from stormdraw.models.edm import Edm
from stormdraw.models.formulation import Formulation
from stormdraw.models.noise import NoiseSchedule
from stormdraw.models.white_noise import White

# denoise(the network's input (B, V, Y, X), its time (B,)) -> the network's prediction (B, V, Y, X)
Denoise = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

# watch(noise level, noisy state (B, V, Y, X), the network's prediction (B, V, Y, X))
Watch = Callable[[float, torch.Tensor, torch.Tensor], None]

# predict(noisy state (B, V, Y, X), noise level) -> the network's prediction (B, V, Y, X)
Predict = Callable[[torch.Tensor, float], torch.Tensor]

_PREDICTION_TYPES = {"noise": "epsilon", "v": "v_prediction"}

# The range of log(alpha / sigma) of the solver's evenly spaced steps. Below it little of the state
# is visible, and one step from pure noise suffices. Its upper end leaves 3 % of noise, which the
# last step removes at once.
_NOISIEST = -2.0
_CLEANEST = 3.5


class Path(Protocol):
    """A sequence of noise levels, and how to step from one to the next."""

    levels: list[float]

    def walk(self, noisy: torch.Tensor, predict: Predict, white: White) -> torch.Tensor:
        """The clean states at the end of the path that starts at `noisy`, (B, V, Y, X)."""


def draw(
    denoise: Denoise,
    formulation: Formulation,
    sampler: Sampler,
    steps: int,
    guess: torch.Tensor,
    white: White,
    correlate: Correlate | None = None,
    eta: float = 0.0,
    watch: Watch | None = None,
) -> torch.Tensor:
    """One sample for each guess, (B, V, Y, X).

    `guess` (B, V, Y, X) is a first guess of the samples in target space. All randomness comes from
    `white` noise, one sample for each guess. `correlate` may blend the initial noise with earlier
    noise; later draws are always independent. `eta` is the share of fresh noise in DDIM: 0 none, 1
    as in ancestral sampling. `watch` gets each evaluation of the network. Nothing here waits for
    the device. Raises StormdrawError for a sampler or steps that do not fit the formulation.
    """
    path = path_of(formulation, sampler, steps, eta)

    def predict(noisy: torch.Tensor, level: float) -> torch.Tensor:
        at = torch.full((len(noisy),), level, device=noisy.device)
        given = formulation.network_input(noisy, at)
        predicted = denoise(given, formulation.network_time(at)).float()
        if watch is not None:
            watch(level, noisy, predicted)
        return predicted

    noise = white(tuple(guess.shape[1:]))
    if correlate is not None:
        noise = correlate(noise)
    noisy = formulation.add_noise(guess, noise, formulation.noisiest(len(guess), guess.device))
    return path.walk(noisy, predict, white)


def path_of(formulation: Formulation, sampler: Sampler, steps: int, eta: float = 0.0) -> Path:
    """The path of a sampler. Raises StormdrawError if it does not fit the formulation."""
    check_sampler(sampler, steps, formulation)
    return _PATHS[formulation.kind, sampler](formulation, steps, eta)


class SolverPath:
    """DPM-Solver++ (2M) of Lu et al. (2022), from the last timestep to the clean state.

    It is deterministic.
    """

    def __init__(self, schedule: NoiseSchedule, steps: int) -> None:
        timesteps = solver_timesteps(schedule, steps)
        self.levels: list[float] = [*timesteps]
        self.scheduler = DPMSolverMultistepScheduler(
            num_train_timesteps=schedule.timesteps,
            trained_betas=schedule.betas.tolist(),
            prediction_type=_PREDICTION_TYPES[schedule.prediction],
            algorithm_type="dpmsolver++",
            solver_order=2,
            final_sigmas_type="zero",
        )
        self.scheduler.set_timesteps(timesteps=timesteps)

    def walk(self, noisy: torch.Tensor, predict: Predict, white: White) -> torch.Tensor:
        """See `Path`."""
        for level, timestep in zip(self.levels, self.scheduler.timesteps, strict=True):
            predicted = predict(noisy, level)
            (noisy, *_) = self.scheduler.step(predicted, timestep, noisy, return_dict=False)
        return noisy


class AncestralPath:
    """DDIM (Song et al. 2021, equations 12 and 16), in even steps from the last timestep to 0.

    With `eta` 1 it is ancestral sampling (Ho et al. 2020, algorithm 2) with the smaller of its two
    variances.
    """

    def __init__(self, schedule: NoiseSchedule, steps: int, eta: float) -> None:
        self.schedule = schedule
        self.eta = eta
        whole = schedule.timesteps
        timesteps = [round(whole - whole * k / steps) - 1 for k in range(steps)]
        self.levels: list[float] = [*timesteps]
        # Clean at the end.
        self._alpha_bar = [*np.cumprod(1.0 - schedule.betas)[timesteps].tolist(), 1.0]

    def walk(self, noisy: torch.Tensor, predict: Predict, white: White) -> torch.Tensor:
        """See `Path`."""
        for place, level in enumerate(self.levels):
            noisy = self._step(place, noisy, predict(noisy, level), white)
        return noisy

    def _step(
        self, place: int, noisy: torch.Tensor, predicted: torch.Tensor, white: White
    ) -> torch.Tensor:
        """The less noisy states after timestep number `place`, (B, V, Y, X)."""
        now, following = self._alpha_bar[place : place + 2]
        timestep = torch.full((len(noisy),), self.levels[place], device=noisy.device)
        clean = self.schedule.clean_from(noisy, predicted, timestep)
        noise = predicted
        if self.schedule.prediction == "v":
            noise = self.schedule.noise_from_velocity(noisy, predicted, timestep)
        fresh = self.eta * math.sqrt((1 - following) / (1 - now) * (1 - now / following))
        less = math.sqrt(following) * clean + math.sqrt(max(0.0, 1 - following - fresh**2)) * noise
        if fresh:
            less = less + fresh * white(tuple(noisy.shape[1:]))
        return less


class EdmPath:
    """The levels of Karras et al. (2022), equation 5, with a deterministic solver."""

    def __init__(
        self,
        edm: Edm,
        steps: int,
        solver: Callable[[torch.Tensor, Estimate, list[Rung]], torch.Tensor],
    ) -> None:
        self.edm = edm
        self.solver = solver
        self.levels = edm.sigmas(steps)

    def walk(self, noisy: torch.Tensor, predict: Predict, white: White) -> torch.Tensor:
        """See `Path`."""

        def estimate(noisy: torch.Tensor, place: int) -> torch.Tensor:
            level = torch.full((len(noisy),), self.levels[place], device=noisy.device)
            return self.edm.clean_from(noisy, predict(noisy, self.levels[place]), level)

        path: list[Rung] = [{"alpha": 1.0, "sigma": sigma} for sigma in self.levels]
        return self.solver(noisy, estimate, path)


def solver_timesteps(schedule: NoiseSchedule, steps: int) -> list[int]:
    """The timesteps of DPM-Solver++: from the last timestep on, evenly spaced in log-SNR.

    Steps that are even in time (`trailing`) end too early: ten of them leave a fifth of the noise
    to the last one, and samples then lack a quarter of the spread at a scale of 0.2 standard
    deviations. Two steps at one timestep become one.
    """
    log_snr = schedule.log_snr()
    pure_noise_first = log_snr[-1] < _NOISIEST and steps > 1
    goals = np.linspace(
        max(float(log_snr[-1]), _NOISIEST) if steps > 1 else log_snr[-1],
        _CLEANEST,
        steps - pure_noise_first,
    )
    if pure_noise_first:
        goals = np.concatenate([log_snr[-1:], goals])
    nearest = np.abs(log_snr[None, :] - goals[:, None]).argmin(axis=1)
    return sorted({int(timestep) for timestep in nearest}, reverse=True)


# By the kind of formulation, and the sampler; each is called with the formulation, steps and eta.
_PATHS: dict[tuple[str, Sampler], Callable[[Any, int, float], Path]] = {
    ("cosine", "dpm_solver++"): lambda schedule, steps, eta: SolverPath(schedule, steps),
    ("cosine", "ddim"): AncestralPath,
    ("cosine", "ddpm"): lambda schedule, steps, eta: AncestralPath(schedule, steps, 1.0),
    ("edm", "dpm_solver++"): lambda edm, steps, eta: EdmPath(edm, steps, dpm_solver),
    ("edm", "heun"): lambda edm, steps, eta: EdmPath(edm, steps, heun),
}
