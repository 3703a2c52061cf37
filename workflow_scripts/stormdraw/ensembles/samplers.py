"""Drawing from a diffusion model: from noise to a sample in a few evaluations of its network.

Noise schedule, prediction and sampler agree at the noisy end. A schedule whose last timestep is
pure noise (cosine, largest_beta 0.999) is for predicting v, which stays well posed there; samples
start from white noise. Noise prediction needs a schedule that stops earlier (largest_beta 0.02:
alpha 0.06), since the error of the implied clean state is multiplied by sigma / alpha. Training
then does not end in white noise. Samples therefore start from alpha * guess + sigma * noise, with
persistence as the guess; the error is alpha times the change over one hour. With EDM, alpha is 1
but sigma at the start is some 80 times that of the clean state, of which almost nothing is seen.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from stormdraw.ensembles.member_noise import Correlate
from stormdraw.ensembles.sampler_steps import Sampler, check_sampler
from stormdraw.ensembles.solvers import solve
from stormdraw.models.edm import Edm
from stormdraw.models.formulation import Formulation
from stormdraw.models.noise import NoiseSchedule
from stormdraw.models.white_noise import White

# denoise(the network's input (B, V, Y, X), its time (B,)) -> the network's prediction (B, V, Y, X)
Denoise = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

# watch(noise level, noisy state (B, V, Y, X), the network's prediction (B, V, Y, X))
Watch = Callable[[float, torch.Tensor, torch.Tensor], None]

# The range of log(alpha / sigma) of the solver's evenly spaced steps. Below it little of the state
# is visible, and one step from pure noise suffices. Its upper end leaves 3 % of noise, which the
# last step removes at once.
_NOISIEST = -2.0
_CLEANEST = 3.5


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
    levels = sampling_levels(formulation, sampler, steps)

    def estimate(noisy: torch.Tensor, place: int) -> torch.Tensor:
        level = torch.full((len(noisy),), levels[place], device=noisy.device)
        given = formulation.network_input(noisy, level)
        predicted = denoise(given, formulation.network_time(level)).float()
        if watch is not None:
            watch(levels[place], noisy, predicted)
        return formulation.clean_from(noisy, predicted, level)

    noise = white(tuple(guess.shape[1:]))
    if correlate is not None:
        noise = correlate(noise)
    noisy = formulation.add_noise(guess, noise, formulation.noisiest(len(guess), guess.device))
    path = [formulation.coefficients(level) for level in levels]
    return solve(sampler, noisy, estimate, path, eta, white)


def sampling_levels(formulation: Formulation, sampler: Sampler, steps: int) -> list[float]:
    """The noise levels of a sampler's steps, from noise to the clean state.

    Raises StormdrawError if the sampler or the steps do not fit the formulation.
    """
    check_sampler(sampler, steps, formulation)
    return _LEVELS[formulation.kind, sampler](formulation, steps)


def even_timesteps(schedule: NoiseSchedule, steps: int) -> list[int]:
    """The timesteps of DDIM: from the last timestep on, evenly spaced in time."""
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


# By the kind of formulation, and the sampler.
_LEVELS: dict[tuple[str, Sampler], Callable[[Any, int], list[Any]]] = {
    ("cosine", "dpm_solver++"): solver_timesteps,
    ("cosine", "ddim"): even_timesteps,
    ("cosine", "ddpm"): even_timesteps,
    ("edm", "dpm_solver++"): Edm.sigmas,
    ("edm", "heun"): Edm.sigmas,
}
