"""Members of a deterministic forecaster whose state a diffusion model perturbs before every hour.

The method def: Millard et al. (2025), DEF, arXiv 2506.07324, and the authors' code. A perturbed
state is drawn from noise, conditioned on the present state; the forecaster steps it; and so on.
Their noise schedule ends in pure noise. With a clipped schedule (largest_beta 0.02), the last
timestep retains 6 % of the state, and samples start there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stormdraw.ensembles.diffusion import Sampling
from stormdraw.ensembles.files import Case
from stormdraw.ensembles.member_noise import Correlate
from stormdraw.ensembles.one_step import forecast, one_step_model
from stormdraw.ensembles.rollout import Draw, Inputs, Perturbation, write_rollout
from stormdraw.ensembles.samplers import draw
from stormdraw.errors import StormdrawError
from stormdraw.models.bounds import apply_bounds
from stormdraw.models.checkpoint import TrainedModel, load_model
from stormdraw.models.devices import autocast, choose_device
from stormdraw.models.perturbation import PerturbationModel
from stormdraw.models.white_noise import White


@dataclass(frozen=True)
class Perturbing(Sampling):
    """How states are perturbed.

    `guidance` is w; `walks` is the number of successive perturbations in an hour, each of the
    result of the one before; `restandardise` names the variables that keep their mean and standard
    deviation over the grid.
    """

    guidance: float = 0.5
    walks: int = 1
    restandardise: tuple[str, ...] = ()

    @property
    def draws(self) -> int:
        """The number of noise draws in an hour."""
        return self.walks


def write_def(
    checkpoints: tuple[Path, Path],
    inputs: Inputs,
    case: Case,
    perturbing: Perturbing,
    output: Path,
    settings: Mapping[str, Any],
    threads: int = 1,
) -> None:
    """Draw the members of one case and write `ensembles/{system}/{init}.nc`.

    `checkpoints` are those of the perturbation model and of the forecaster. Raises StormdrawError
    if one of them is of another kind, or if an initial state is missing or has missing points.
    """
    torch.set_num_threads(threads)
    device = choose_device()
    perturbation, forecaster = (
        load_model(path, device, case.roles, inputs.driving) for path in checkpoints
    )
    model = one_step_model(forecaster, case.system)
    if model.stochastic:
        raise StormdrawError(
            f"system {case.system}: its forecaster {forecaster.name} is stochastic itself; name a "
            "deterministic one"
        )
    notes: dict[str, Any] = {
        "perturbation_model": perturbation.name,
        "guidance": np.float32(perturbing.guidance),
        "walks": np.int32(perturbing.walks),
        "sampler": perturbing.sampler,
        "sampler_steps": np.int32(perturbing.steps),
    }
    write_rollout(
        forecaster,
        forecast(model),
        inputs,
        case,
        perturbing,
        output,
        settings,
        notes,
        Perturbation(perturbation, perturber(perturbation, case, perturbing)),
    )


def perturber(trained: TrainedModel, case: Case, perturbing: Perturbing) -> Draw:
    """A function that perturbs physical states. Raises StormdrawError for another kind of model."""
    model = trained.model
    if not isinstance(model, PerturbationModel):
        raise StormdrawError(
            f"system {case.system}: the model {trained.name} perturbs no states (target: "
            f"{model.settings.target}); name one with target: perturbed_state"
        )
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    kept = [model.variables.index(name) for name in perturbing.restandardise]

    def walk(states: torch.Tensor, white: White, correlate: Correlate) -> torch.Tensor:
        condition = model.normalization.standardise(states)

        def denoise(given: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
            with autocast(model.settings.training.precision, given.device):
                return model.guided(given, condition, time, perturbing.guidance)

        drawn = draw(
            denoise,
            model.formulation,
            perturbing.sampler,
            perturbing.steps,
            # The last timestep of a clipped schedule retains some of the state, as in training.
            condition,
            white,
            correlate=correlate,
            eta=perturbing.eta,
        )
        if kept:
            drawn[:, kept] = restandardised(drawn[:, kept], condition[:, kept])
        return apply_bounds(model.normalization.physical(drawn), model.variables)[0]

    def perturb(states: torch.Tensor, white: White, correlate: Correlate) -> torch.Tensor:
        for _ in range(perturbing.walks):
            states = walk(states, white, correlate)
        return states

    return perturb


def restandardised(drawn: torch.Tensor, origin: torch.Tensor) -> torch.Tensor:
    """Fields (B, V, Y, X) with the mean and standard deviation over the grid that `origin` has.

    The authors' code scales each field to mean 0 and deviation 1. That is right on the globe but
    wrong on a part of it, where a cold night is below the mean everywhere. A constant field stays
    unchanged.
    """
    grid = (2, 3)
    mean, deviation = drawn.mean(grid, keepdim=True), drawn.std(grid, keepdim=True)
    scaled = (drawn - mean) / deviation.clamp(min=1e-6)
    wanted = scaled * origin.std(grid, keepdim=True) + origin.mean(grid, keepdim=True)
    return torch.where(deviation > 1e-6, wanted, drawn)
