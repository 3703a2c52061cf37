"""Drawing from a diffusion model: from noise to a sample in a few evaluations of its network.

Noise schedule, prediction and sampler agree at the noisy end. A schedule whose last timestep is
pure noise (cosine, largest_beta 0.999) is for predicting v, which stays well posed there; samples
start from white noise. Noise prediction needs a schedule that stops earlier (largest_beta 0.02:
alpha 0.06), since the clean state it implies has its error multiplied by sigma / alpha; but then
white noise is not where training ended. Samples start from alpha * guess + sigma * noise instead,
with persistence as the guess: what is missing is alpha times the change over one hour.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler

from stormdraw.ensembles.member_noise import Correlate
from stormdraw.ensembles.sampler_steps import Sampler, check_steps
from stormdraw.models.noise import NoiseSchedule
from stormdraw.models.settings import DiffusionPrediction

Scheduler = DPMSolverMultistepScheduler | DDIMScheduler | DDPMScheduler

# denoise(noisy state (B, V, Y, X), timestep (B,)) -> predicted noise or v (B, V, Y, X)
Denoise = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

# watch(timestep, noisy state (B, V, Y, X), what the network says of it (B, V, Y, X))
Watch = Callable[[int, torch.Tensor, torch.Tensor], None]

_PREDICTION_TYPES = {"noise": "epsilon", "v": "v_prediction"}

# log(alpha / sigma) between which the solver's steps are spread evenly. Beyond the first nothing of
# the state is visible; the second leaves 3 % of noise, which the last step takes off at once.
_NOISIEST = -3.0
_CLEANEST = 3.5


def draw(
    denoise: Denoise,
    schedule: NoiseSchedule,
    prediction: DiffusionPrediction,
    sampler: Sampler,
    steps: int,
    guess: torch.Tensor,
    generators: Sequence[torch.Generator],
    correlate: Correlate | None = None,
    eta: float = 0.0,
    watch: Watch | None = None,
) -> torch.Tensor:
    """One sample for each generator, (B, V, Y, X).

    `guess` (B, V, Y, X) is a first guess of the samples, in the space of the model's target. All
    randomness of sample k comes from generator k, which lives on the CPU. `correlate` may make the
    noise that samples start from resemble an earlier one; what is drawn on the way is always fresh.
    `eta` is how much of that there is in DDIM: 0 none, 1 as in ancestral sampling. `watch` is shown
    each step.
    """
    scheduler = make_scheduler(schedule, prediction, sampler, steps)
    noise = torch.cat([torch.randn(guess[:1].shape, generator=one) for one in generators])
    if correlate is not None:
        noise = correlate(noise)
    last = torch.full((len(generators),), schedule.timesteps - 1, device=guess.device)
    noisy = schedule.add_noise(guess, noise.to(guess.device), last)
    # diffusers takes a list, one generator a sample, though its types do not say so. DPM-Solver++
    # draws nothing on the way.
    how: dict[str, Any] = {"generator": list(generators)}
    if sampler == "ddim":
        how["eta"] = eta
    for timestep in scheduler.timesteps:
        predicted = denoise(noisy, timestep.to(guess.device).expand(len(generators))).float()
        if watch is not None:
            watch(int(timestep), noisy, predicted)
        (noisy, *_) = scheduler.step(predicted, timestep, noisy, **how, return_dict=False)
    return noisy


def solver_timesteps(schedule: NoiseSchedule, steps: int) -> list[int]:
    """Where DPM-Solver++ evaluates the network: from the last timestep on, evenly in log-SNR.

    Steps that are even in time (`trailing`) end too early: ten of them leave a fifth of the noise
    to the last one, and a sample then lacks a quarter of the spread at a scale of 0.2 standard
    deviations. Two steps that fall on one timestep become one.
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


def make_scheduler(
    schedule: NoiseSchedule, prediction: DiffusionPrediction, sampler: Sampler, steps: int
) -> Scheduler:
    """The sampler on a model's noise schedule, from its last timestep down to no noise at all.

    Raises StormdrawError if it cannot take so many steps.
    """
    check_steps(sampler, steps, schedule.timesteps)
    common = {
        "num_train_timesteps": schedule.timesteps,
        "trained_betas": schedule.betas.tolist(),
        "prediction_type": _PREDICTION_TYPES[prediction],
    }
    if sampler == "ddpm":
        # Ancestral sampling (Ho et al. 2020, algorithm 2) with the smaller of its two variances.
        scheduler = DDPMScheduler(
            **common, variance_type="fixed_small", clip_sample=False, timestep_spacing="trailing"
        )
        scheduler.set_timesteps(steps)
        return scheduler
    if sampler == "ddim":
        # Song et al. (2021), equation 12, and equation 16 for `eta`.
        implicit = DDIMScheduler(**common, clip_sample=False, timestep_spacing="trailing")
        implicit.set_timesteps(steps)
        return implicit
    # DPM-Solver++ (2M) of Lu et al. (2022), down to no noise at all.
    solver = DPMSolverMultistepScheduler(
        **common, algorithm_type="dpmsolver++", solver_order=2, final_sigmas_type="zero"
    )
    solver.set_timesteps(timesteps=solver_timesteps(schedule, steps))
    return solver
