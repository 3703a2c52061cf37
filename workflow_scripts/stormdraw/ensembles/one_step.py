"""Members of a model that forecasts in one step: one network pass per lead and member.

A network with noise gives an ensemble; one without gives a deterministic forecast, an ensemble of
one member.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from stormdraw.ensembles.files import Case
from stormdraw.ensembles.member_noise import Correlate
from stormdraw.ensembles.rollout import Generate, Inputs, Rollout, write_rollout
from stormdraw.errors import StormdrawError
from stormdraw.models.checkpoint import TrainedModel, load_model
from stormdraw.models.devices import autocast, choose_device
from stormdraw.models.driving import RunDriving
from stormdraw.models.one_step import OneStepModel
from stormdraw.models.white_noise import White


def write_one_step(
    checkpoint: Path,
    field_paths: Sequence[Path],
    static_path: Path | None,
    case: Case,
    rollout: Rollout,
    output: Path,
    settings: Mapping[str, Any],
    threads: int = 1,
    driving: RunDriving | None = None,
) -> None:
    """Draw the members of one case from a checkpoint and write `ensembles/{system}/{init}.nc`.

    A deterministic model has one member whatever `rollout` says. Raises StormdrawError if the
    checkpoint does not fit, or if an initial state is missing or has missing points.
    """
    torch.set_num_threads(threads)
    trained = load_model(checkpoint, choose_device(), case.roles, driving)
    model = one_step_model(trained, case.system)
    if not model.stochastic:
        rollout = replace(rollout, members=1)
    inputs = Inputs(field_paths, static_path, driving)
    write_rollout(trained, forecast(model), inputs, case, rollout, output, settings, {})


def one_step_model(trained: TrainedModel, system: str) -> OneStepModel:
    """The model of a checkpoint. Raises StormdrawError if it is of another kind."""
    model = trained.model
    if not isinstance(model, OneStepModel):
        raise StormdrawError(
            f"system {system}: the model {trained.name} is a diffusion model (prediction: "
            f"{model.settings.prediction}); set the system's method to diffusion"
        )
    return model


def forecast(model: OneStepModel) -> Generate:
    """A function that advances members by one hour."""

    def generate(
        states: torch.Tensor,
        condition: torch.Tensor,
        white: White,
        correlate: Correlate,
    ) -> torch.Tensor:
        with autocast(model.settings.training.precision, states.device):
            return model.generate(condition, white, correlate)

    return generate
