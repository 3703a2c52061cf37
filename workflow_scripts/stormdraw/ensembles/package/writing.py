"""Writes results/models/{model}/package: a trained model that needs no stormdraw.

    network.pt2, noise.pt2     programs of torch.export, for any number of members on the run's grid
    fields.npz                 latitude, longitude, terrain and land mask, (y, x)
    model.json                 variables, statistics, bounds, forcings, sampler: numbers and names
    predict.py                 draws members (`predict`)
    README.md                  what the model is (`card`)

A program of torch.export holds the operations of a network and its weights as numbers, not Python
objects, so that loading it runs no code of the package, and the families' own code is not needed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stormdraw.ensembles.package.card import model_card
from stormdraw.ensembles.package.gathering import LIBRARY, gathered
from stormdraw.ensembles.package.predict import MOST_AT_ONCE, PACKAGE_FORMAT
from stormdraw.ensembles.sampler_steps import Sampler
from stormdraw.ensembles.samplers import sampling_levels
from stormdraw.fields.states import read_grid_of
from stormdraw.files import replacing_folder
from stormdraw.grids import Grid
from stormdraw.models.checkpoint import TrainedModel, load_model
from stormdraw.models.diffusion import DiffusionModel
from stormdraw.models.forcings import channels_of
from stormdraw.models.forcings.initial_fields import HOURS_OF_ONE
from stormdraw.models.forcings.land import Land
from stormdraw.models.forcings.terrain import Terrain
from stormdraw.models.one_step import OneStepModel
from stormdraw.provenance import digest
from stormdraw.variables import variable

_PREDICT = "stormdraw.ensembles.package.predict"


@dataclass(frozen=True)
class Drawn:
    """How members are drawn: as the first uncalibrated system of the model does.

    The noise of a member depends on the `seed` of the run and on the name of the system.
    """

    seed: int
    system: str
    rho: float = 0.0
    noise_amplitude: float = 1.0
    sampler: Sampler = "dpm_solver++"
    steps: int = 10
    eta: float = 0.0


def write_package(
    checkpoint: Path,
    states: Path,
    static: Path | None,
    metrics: Path,
    folder: Path,
    drawn: Drawn,
    periods: Mapping[str, Any],
) -> None:
    """Write the package of a checkpoint, on the grid of the file of `states`.

    `periods` are those of training and validation. Raises StormdrawError if the checkpoint is of
    another grid, or if the static file lacks what the model is given.
    """
    trained = load_model(checkpoint, torch.device("cpu"))
    grid = read_grid_of(states)
    trained.grid.check(grid, f"the model {trained.name}")
    about = _about(trained, drawn)
    with replacing_folder(folder) as package:
        about["noise_shapes"] = _write_programs(trained, grid.shape, package)
        fields: Any = _fields(trained, grid, static)
        np.savez_compressed(package / "fields.npz", **fields)
        (package / "model.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        (package / "predict.py").write_text(gathered(_PREDICT, LIBRARY), encoding="utf-8")
        told = json.loads(metrics.read_text(encoding="utf-8"))
        card = model_card(trained, grid, about, told, periods)
        (package / "README.md").write_text(card, encoding="utf-8")


def _about(trained: TrainedModel, drawn: Drawn) -> dict[str, Any]:
    """What `predict` needs to know of the model."""
    model = trained.model
    settings, roles, normalization = model.settings, model.roles, model.normalization
    given = model.statistics.of(roles.forecast)
    inputs = model.statistics.of(roles.input)
    rows = [variable(name) for name in roles.forecast]
    numbers = {name: getattr(given, name).tolist() for name in given.arrays()}
    return {
        "format": PACKAGE_FORMAT,
        "name": trained.name,
        "kind": "one_step" if isinstance(model, OneStepModel) else "diffusion",
        "by_chance": settings.by_chance,
        "target": settings.target,
        "variables": list(roles.forecast),
        "units": {name: variable(name).units for name in (*roles.forecast, *roles.input)},
        "predicted": list(roles.predicted),
        "inputs": list(roles.input),
        "history": settings.history,
        "history_as": settings.history_as,
        "forcings": list(settings.forcings),
        "hours_of_one": HOURS_OF_ONE,
        "longest_lead": trained.longest_lead,
        "transforms": list(given.transforms),
        "numbers": {
            **numbers,
            "scale": normalization.scale.flatten().tolist(),
            "lower": [row.lower for row in rows],
            "upper": [row.upper for row in rows],
        },
        "not_above": [["D2M", "T2M"]] if {"T2M", "D2M"} <= set(roles.forecast) else [],
        "of_inputs": {
            "transforms": list(inputs.transforms),
            "mean": inputs.mean.tolist(),
            "std": inputs.std.tolist(),
        },
        "precision": settings.training.precision,
        "seed": drawn.seed,
        "how": {
            "system": drawn.system,
            "rho": drawn.rho,
            "noise_amplitude": [drawn.noise_amplitude],
            "sampler": drawn.sampler,
            "eta": drawn.eta,
        },
        **_path(model, drawn),
        "settings": settings.model_dump(mode="json"),
        "settings_hash": digest(settings.model_dump(mode="json")),
        "grid": trained.grid.to_dict(),
    }


def _path(model: Any, drawn: Drawn) -> dict[str, Any]:
    """The rungs of the sampler's path, from noise to the clean state."""
    if not isinstance(model, DiffusionModel):
        return {}
    levels = sampling_levels(model.formulation, drawn.sampler, drawn.steps)
    return {"path": [model.formulation.coefficients(level) for level in levels]}


def _fields(trained: TrainedModel, grid: Grid, static: Path | None) -> dict[str, np.ndarray]:
    longitude, latitude = grid.longitude_latitude()
    fields = {"latitude": latitude, "longitude": longitude}
    forcings = trained.model.settings.forcings
    if "terrain" in forcings:
        fields["terrain"] = Terrain(grid, static, trained.terrain).standardised
    if "land" in forcings:
        fields["land"] = Land(grid, static).mask
    return fields


class _Noise(torch.nn.Module):
    """A network's noise, made of white noise."""

    def __init__(self, network: Any, shape: tuple[int, int]) -> None:
        super().__init__()
        self._draw, self._shape = network.draw_noise, shape

    def forward(self, *drawn: torch.Tensor) -> torch.Tensor:
        """The noise (B, N, Y, X) from each draw of white noise, (B, ...)."""
        white = iter(drawn)
        return self._draw(lambda shape: next(white), self._shape)


def _write_programs(
    trained: TrainedModel, shape: tuple[int, int], package: Path
) -> list[list[int]]:
    """Export the network, and its noise if it has any. Returns the shapes of the white noise."""
    model, network = trained.model, trained.model.network
    roles = model.roles
    channels = len(channels_of(model.settings, roles))
    channels += model.settings.history * len(roles.predicted)
    condition = torch.zeros(2, channels, *shape)
    if isinstance(model, DiffusionModel):
        noisy = torch.zeros(2, len(roles.forecast), *shape)
        time = model.formulation.network_time(model.formulation.noisiest(2, noisy.device))
        _export(network, (noisy, condition, time), package / "network")
        return []
    if not model.settings.by_chance:
        # A deterministic model has a single member.
        _export(network, (condition[:1],), package / "network", several=False)
        return []
    drawn: list[torch.Tensor] = []

    def white(of: tuple[int, ...]) -> torch.Tensor:
        drawn.append(torch.zeros(2, *of))
        return drawn[-1]

    noise = network.draw_noise(white, shape)
    _export(_Noise(network, shape), tuple(drawn), package / "noise")
    _export(network, (condition, noise), package / "network")
    return [list(each.shape[1:]) for each in drawn]


def _export(
    module: torch.nn.Module, given: tuple[torch.Tensor, ...], path: Path, several: bool = True
) -> None:
    """Write a program, for any number of members if there are several."""
    members = {0: torch.export.Dim("members", min=1, max=MOST_AT_ONCE)} if several else {}
    shapes = (members,) * len(given)
    # Arguments `*drawn` are one tuple.
    dynamic = (shapes,) if isinstance(module, _Noise) else shapes
    with torch.no_grad():
        program = torch.export.export(module.eval(), given, dynamic_shapes=dynamic, strict=False)
    torch.export.save(program, path.with_suffix(".pt2"))
