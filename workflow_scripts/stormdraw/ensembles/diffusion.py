"""Members of a diffusion model: each hour is drawn by removing noise step by step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stormdraw.ensembles.files import Case
from stormdraw.ensembles.member_noise import Correlate
from stormdraw.ensembles.rollout import Generate, Inputs, Rollout, write_rollout
from stormdraw.ensembles.sampler_steps import DEFAULT_STEPS, Sampler
from stormdraw.ensembles.samplers import Watch, draw
from stormdraw.errors import StormdrawError
from stormdraw.models.checkpoint import TrainedModel, load_model
from stormdraw.models.devices import autocast, choose_device
from stormdraw.models.diffusion import DiffusionModel
from stormdraw.models.downscaling import DownscalingModel
from stormdraw.models.driving import RunDriving
from stormdraw.models.white_noise import White


@dataclass(frozen=True)
class Sampling(Rollout):
    """How members are drawn: the sampler and its number of steps; `eta` applies to DDIM."""

    sampler: Sampler = "dpm_solver++"
    steps: int = DEFAULT_STEPS
    eta: float = 0.0


def write_diffusion(
    checkpoint: Path,
    field_paths: Sequence[Path],
    static_path: Path | None,
    case: Case,
    sampling: Sampling,
    output: Path,
    settings: Mapping[str, Any],
    threads: int = 1,
    driving: RunDriving | None = None,
) -> None:
    """Draw the members of one case from a checkpoint and write `ensembles/{system}/{init}.nc`.

    Raises StormdrawError if the checkpoint does not fit, or if the initial state is missing or has
    missing points.
    """
    torch.set_num_threads(threads)
    trained = load_model(checkpoint, choose_device(), case.roles, driving)
    notes: dict[str, Any] = {"sampler": sampling.sampler, "sampler_steps": np.int32(sampling.steps)}
    if sampling.sampler == "ddim":
        notes["sampler_eta"] = np.float32(sampling.eta)
    generate = sampled(trained, case.system, sampling)
    inputs = Inputs(field_paths, static_path, driving)
    write_rollout(trained, generate, inputs, case, sampling, output, settings, notes)


def sampled(
    trained: TrainedModel, system: str, sampling: Sampling, watch: Watch | None = None
) -> Generate:
    """A function that draws from a diffusion model and passes each step to `watch`.

    Raises StormdrawError if the model is of another kind.
    """
    model = trained.model
    if isinstance(model, DownscalingModel):
        raise StormdrawError(f"system {system}: the model {trained.name} does not forecast")
    if not isinstance(model, DiffusionModel):
        raise StormdrawError(
            f"system {system}: the model {trained.name} forecasts in one step (prediction: "
            f"{model.settings.prediction}); set the system's method to one_step"
        )

    def generate(
        states: torch.Tensor,
        condition: torch.Tensor,
        white: White,
        correlate: Correlate,
    ) -> torch.Tensor:
        def denoise(given: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
            with autocast(model.settings.training.precision, given.device):
                return model.network(given, condition, time)

        return draw(
            denoise,
            model.formulation,
            sampling.sampler,
            sampling.steps,
            model.persistence(states),
            white,
            correlate=correlate,
            eta=sampling.eta,
            watch=watch,
        )

    return generate
