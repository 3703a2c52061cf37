"""Members of a single hour, for a model's diagnosis."""

from collections.abc import Sequence

import torch

from stormdraw.ensembles.diffusion import Sampling, sampled
from stormdraw.ensembles.member_noise import PersistentNoise
from stormdraw.ensembles.one_step import forecast
from stormdraw.ensembles.sampler_steps import DEFAULT_STEPS
from stormdraw.models.bounds import apply_bounds
from stormdraw.models.checkpoint import TrainedModel
from stormdraw.models.diagnosis.sampling import Draw, HourSampler, Watch
from stormdraw.models.one_step import OneStepModel
from stormdraw.models.white_noise import White

# Fair scores have the same expectation for any number of members.
_MEMBERS = 4


def hour_sampler(trained: TrainedModel) -> HourSampler:
    """The sampler of one hour of a model: in one pass, or with the default sampler of systems."""
    model = trained.model
    if isinstance(model, OneStepModel):
        members = _MEMBERS if model.stochastic else 1
        return HourSampler(_one_step(model), _bound, members, "one pass of the network")
    steps = int(min(DEFAULT_STEPS, model.settings.formulation.most_steps))
    description = f"DPM-Solver++ in {steps} steps"
    return HourSampler(_diffusion(trained, steps), _bound, _MEMBERS, description)


def _one_step(model: OneStepModel) -> Draw:
    generate = forecast(model)

    def draw(
        states: torch.Tensor,
        condition: torch.Tensor,
        white: White,
        watch: Watch | None,
    ) -> torch.Tensor:
        return generate(states, condition, white, PersistentNoise(0.0))

    return draw


def _diffusion(trained: TrainedModel, steps: int) -> Draw:
    sampling = Sampling(members=_MEMBERS, run_seed=0, steps=steps)

    def draw(
        states: torch.Tensor,
        condition: torch.Tensor,
        white: White,
        watch: Watch | None,
    ) -> torch.Tensor:
        generate = sampled(trained, trained.name, sampling, watch)
        return generate(states, condition, white, PersistentNoise(0.0))

    return draw


def _bound(states: torch.Tensor, variables: Sequence[str]) -> torch.Tensor:
    return apply_bounds(states, variables)[0]
