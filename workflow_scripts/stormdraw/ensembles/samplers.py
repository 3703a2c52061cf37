"""Drawing from a diffusion model: from noise to a sample in a few evaluations of its network.

Noise schedule, prediction and sampler agree at the noisy end. A schedule whose last timestep is
pure noise (cosine, largest_beta 0.999) is for predicting v, which stays well posed there; samples
start from white noise. Noise prediction needs a schedule that stops earlier (largest_beta 0.02:
alpha 0.06), since the error of the implied clean state is multiplied by sigma / alpha. Training
then does not end in white noise. Samples therefore start from alpha * guess + sigma * noise, with
persistence as the guess; the error is alpha times the change over one hour.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler

from stormdraw.ensembles.member_noise import Correlate
from stormdraw.ensembles.sampler_steps import Sampler, check_steps
from stormdraw.models.noise import NoiseSchedule
from stormdraw.models.settings import DiffusionPrediction
from stormdraw.models.white_noise import White

# denoise(noisy state (B, V, Y, X), timestep (B,)) -> predicted noise or v (B, V, Y, X)
Denoise = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

# watch(timestep, noisy state (B, V, Y, X), the network's prediction (B, V, Y, X))
Watch = Callable[[int, torch.Tensor, torch.Tensor], None]

_PREDICTION_TYPES = {"noise": "epsilon", "v": "v_prediction"}

# The range of log(alpha / sigma) of the solver's evenly spaced steps. Below it little of the state
# is visible, and one step from pure noise suffices. Its upper end leaves 3 % of noise, which the
# last step removes at once.
_NOISIEST = -2.0
_CLEANEST = 3.5


def draw(
    denoise: Denoise,
    schedule: NoiseSchedule,
    prediction: DiffusionPrediction,
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
    as in ancestral sampling. `watch` gets each step. Nothing here waits for the device. Raises
    StormdrawError for too many steps.
    """
    check_steps(steps, schedule.timesteps)

    def at(timestep: int) -> torch.Tensor:
        return torch.full((len(guess),), timestep, device=guess.device)

    noise = white(tuple(guess.shape[1:]))
    if correlate is not None:
        noise = correlate(noise)
    noisy = schedule.add_noise(guess, noise, at(schedule.timesteps - 1))
    path = _path(schedule, prediction, sampler, steps, eta, white)
    for place, timestep in enumerate(path.timesteps):
        predicted = denoise(noisy, at(timestep)).float()
        if watch is not None:
            watch(timestep, noisy, predicted)
        noisy = path.step(place, noisy, predicted)
    return noisy


def _path(
    schedule: NoiseSchedule,
    prediction: DiffusionPrediction,
    sampler: Sampler,
    steps: int,
    eta: float,
    white: White,
) -> "SolverPath | AncestralPath":
    if sampler == "dpm_solver++":
        return SolverPath(schedule, prediction, steps)
    return AncestralPath(schedule, prediction, steps, 1.0 if sampler == "ddpm" else eta, white)


class SolverPath:
    """DPM-Solver++ (2M) of Lu et al. (2022), from the last timestep to the clean state.

    It is deterministic.
    """

    def __init__(
        self, schedule: NoiseSchedule, prediction: DiffusionPrediction, steps: int
    ) -> None:
        self.timesteps = solver_timesteps(schedule, steps)
        self.scheduler = DPMSolverMultistepScheduler(
            num_train_timesteps=schedule.timesteps,
            trained_betas=schedule.betas.tolist(),
            prediction_type=_PREDICTION_TYPES[prediction],
            algorithm_type="dpmsolver++",
            solver_order=2,
            final_sigmas_type="zero",
        )
        self.scheduler.set_timesteps(timesteps=self.timesteps)

    def step(self, place: int, noisy: torch.Tensor, predicted: torch.Tensor) -> torch.Tensor:
        """The less noisy states after timestep number `place`, (B, V, Y, X)."""
        timestep = self.scheduler.timesteps[place]
        (less, *_) = self.scheduler.step(predicted, timestep, noisy, return_dict=False)
        return less


class AncestralPath:
    """DDIM (Song et al. 2021, equations 12 and 16), in even steps from the last timestep to 0.

    With `eta` 1 it is ancestral sampling (Ho et al. 2020, algorithm 2) with the smaller of its two
    variances.
    """

    def __init__(
        self,
        schedule: NoiseSchedule,
        prediction: DiffusionPrediction,
        steps: int,
        eta: float,
        white: White,
    ) -> None:
        self.schedule = schedule
        self.prediction = prediction
        self.eta = eta
        self.white = white
        self.timesteps = ancestral_timesteps(schedule, steps)
        # Clean at the end.
        self._alpha_bar = [*np.cumprod(1.0 - schedule.betas)[self.timesteps].tolist(), 1.0]

    def step(self, place: int, noisy: torch.Tensor, predicted: torch.Tensor) -> torch.Tensor:
        """The less noisy states after timestep number `place`, (B, V, Y, X)."""
        now, following = self._alpha_bar[place : place + 2]
        timestep = torch.full((len(noisy),), self.timesteps[place], device=noisy.device)
        clean = self.schedule.clean_from(self.prediction, noisy, predicted, timestep)
        noise = predicted
        if self.prediction == "v":
            noise = self.schedule.noise_from_velocity(noisy, predicted, timestep)
        fresh = self.eta * math.sqrt((1 - following) / (1 - now) * (1 - now / following))
        less = math.sqrt(following) * clean + math.sqrt(max(0.0, 1 - following - fresh**2)) * noise
        if fresh:
            less = less + fresh * self.white(tuple(noisy.shape[1:]))
        return less


def ancestral_timesteps(schedule: NoiseSchedule, steps: int) -> list[int]:
    """The timesteps of DDIM and ancestral sampling: from the last timestep on, evenly spaced."""
    whole = schedule.timesteps
    return [round(whole - whole * k / steps) - 1 for k in range(steps)]


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
