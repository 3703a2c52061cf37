"""Members of a single hour, as a model's diagnosis draws them."""

from collections.abc import Sequence

import torch

from stormdraw.ensembles.bounds import apply_bounds
from stormdraw.ensembles.diffusion import Sampling, sampled
from stormdraw.ensembles.member_noise import PersistentNoise
from stormdraw.ensembles.one_step import forecast
from stormdraw.ensembles.sampler_steps import Sampler
from stormdraw.models.checkpoint import TrainedModel
from stormdraw.models.diagnosis.sampling import Draw, HourSampler, Watch
from stormdraw.models.one_step import OneStepModel

# A fair score of any number of members has the same mean.
_MEMBERS = 4
# What systems take if they do not say otherwise.
_SAMPLER: Sampler = "dpm_solver++"
_STEPS = 8


def hour_sampler(trained: TrainedModel) -> HourSampler:
    """What draws one hour from a model: in one pass, or in the fewest steps that do it well."""
    model = trained.model
    if isinstance(model, OneStepModel):
        members = _MEMBERS if model.stochastic else 1
        return HourSampler(_one_step(model), _bound, members, "one pass of the network")
    steps = min(_STEPS, model.settings.noise_schedule.timesteps)
    description = f"DPM-Solver++ in {steps} steps"
    return HourSampler(_diffusion(trained, steps), _bound, _MEMBERS, description)


def _one_step(model: OneStepModel) -> Draw:
    generate = forecast(model)

    def draw(
        states: torch.Tensor,
        condition: torch.Tensor,
        generators: list[torch.Generator],
        watch: Watch | None,
    ) -> torch.Tensor:
        return generate(states, condition, generators, PersistentNoise(0.0))

    return draw


def _diffusion(trained: TrainedModel, steps: int) -> Draw:
    sampling = Sampling(members=_MEMBERS, run_seed=0, sampler=_SAMPLER, steps=steps)

    def draw(
        states: torch.Tensor,
        condition: torch.Tensor,
        generators: list[torch.Generator],
        watch: Watch | None,
    ) -> torch.Tensor:
        generate = sampled(trained, trained.name, sampling, watch)
        return generate(states, condition, generators, PersistentNoise(0.0))

    return draw


def _bound(states: torch.Tensor, variables: Sequence[str]) -> torch.Tensor:
    return apply_bounds(states, variables)[0]
