"""How well a model's members score by sampler and steps, against draws from the world's own truth.

The world is simulated, so the perfect ensemble's fair CRPS is known: a ratio of 1 cannot be beaten
but by chance.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow_scripts"))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import stormdraw  # noqa: F401  (before ecCodes; see its __init__)

import numpy as np  # isort: skip
import torch  # isort: skip
import xarray as xr  # isort: skip

from stormdraw.ensembles.diffusion import Sampling, sampled  # isort: skip
from stormdraw.ensembles.files import Case  # isort: skip
from stormdraw.ensembles.one_step import forecast, one_step_model  # isort: skip
from stormdraw.ensembles.rollout import (  # isort: skip
    BoundsTally,
    Rollout,
    members_at_once,
    read_initial,
    roll_out,
)
from stormdraw.fields.states import StateReader, read_grid_of  # isort: skip
from stormdraw.models.checkpoint import TrainedModel, load_model  # isort: skip
from stormdraw.models.forcings import make_forcings  # isort: skip
from stormdraw.scores.verification import Points  # isort: skip
from stormdraw.settings import load_settings, load_yaml  # isort: skip
from stormdraw.times import format_init, hours  # isort: skip

LEAD = 1


@dataclass(frozen=True)
class Way:
    """One way to draw members; without a sampler it is one pass of the network."""

    name: str
    model: str
    sampler: Any = None
    steps: int = 1


WAYS = (
    Way("DDPM ancestral, 1000 steps", "ddpm_residual", "ddpm", 1000),
    Way("DDIM, 50 steps", "ddpm_residual", "ddim", 50),
    Way("DPM-Solver++ 2M, 20 steps", "ddpm_residual", "dpm_solver++", 20),
    Way("DPM-Solver++ 2M, 10 steps (the default)", "ddpm_residual", "dpm_solver++", 10),
    Way("DPM-Solver++ 2M, 8 steps", "ddpm_residual", "dpm_solver++", 8),
    Way("one step (crps_unet)", "crps_unet"),
)


class Evaluations:
    """Counts the samples that a network is evaluated for."""

    def __init__(self, network: torch.nn.Module) -> None:
        self.count = 0
        network.register_forward_hook(self._add)

    def _add(self, network: torch.nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        self.count += len(output)


def generator_of(trained: TrainedModel, way: Way, rollout: Rollout) -> tuple[Any, Rollout]:
    """What draws members in that way."""
    if way.sampler is None:
        return forecast(one_step_model(trained, way.name)), rollout
    sampling = Sampling(**vars(rollout), sampler=way.sampler, steps=way.steps)
    return sampled(trained, way.name, sampling), sampling


def draw_states(
    run: Path, config: Path, way: Way, members: int, cases: int
) -> Iterator[tuple[np.ndarray, np.ndarray, datetime, float]]:
    """For each case its members (member, variable, y, x), the truth (variable, y, x), its initial
    time, and how often the network was evaluated for a member."""
    settings = load_settings(load_yaml(config))
    days = sorted((run / "results/fields/hrrr").glob("*.nc"))
    grid, truth = read_grid_of(days[0]), StateReader(days, settings.variables)
    checkpoint = run / "results/models" / way.model / "model.pt"
    trained = load_model(checkpoint, torch.device("cpu"), settings.roles)
    evaluations = Evaluations(trained.model.network)
    static = run / "results/fields/static.nc"
    forcings = make_forcings(trained.model.settings.forcings, grid, static, trained.terrain)
    for init in settings.initial_times()[:cases]:
        case = Case(way.name, "benchmark", init, (LEAD,), settings.variables)
        generate, rollout = generator_of(trained, way, Rollout(members, settings.seed))
        initial, tally = read_initial(days, case, 1), BoundsTally(tuple(settings.variables))
        drawn = np.empty((members, len(settings.variables), *grid.shape), dtype=np.float32)
        before = evaluations.count
        at_once = members_at_once([trained], grid.shape, rollout)
        for first in range(0, members, at_once):
            block = rollout.numbers[first : first + at_once]
            how = (forcings, initial, case, rollout, tally, block)
            for k, _, state in roll_out(trained, generate, *how):
                drawn[k] = state
        spent = (evaluations.count - before) / (members * LEAD)
        yield drawn, truth.read(init + hours(LEAD)), init, spent


def score(run: Path, config: Path, way: Way, members: int, cases: int) -> dict[str, Any]:
    """Fair CRPS of each variable over that of the perfect ensemble, and evaluations a state."""
    variables = load_settings(load_yaml(config)).variables
    sums, evaluations = np.zeros((2, len(variables))), []
    for drawn, observed, init, spent in draw_states(run, config, way, members, cases):
        sums[0] += fair_crps(drawn, observed)
        sums[1] += fair_crps(perfect_members(run, init, variables), observed)
        evaluations.append(spent)
    ratios = sums[0] / sums[1]
    return {
        "evaluations": float(np.mean(evaluations)),
        "members": members,
        "cases": cases,
        "ratios": dict(zip(variables, ratios.tolist(), strict=True)),
        "mean_ratio": float(np.exp(np.log(ratios).mean())),
    }


def fair_crps(members: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """The mean over points of each variable, of members (member, variable, y, x)."""
    scores = []
    for index, field in enumerate(observed):
        flat = members[:, index].reshape(len(members), -1).astype(np.float64)
        truth = field.ravel().astype(np.float64)
        scores.append(Points.of_members(flat, truth, np.ones((1, truth.size))).crps_fair)
    return np.array([score.mean() for score in scores])


def perfect_members(run: Path, init: datetime, variables: list[str]) -> np.ndarray:
    """(member, variable, y, x)"""
    path = run / "results/ensembles/perfect" / f"{format_init(init)}.nc"
    with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as perfect:
        at_lead = perfect.sel(lead=LEAD)
        return np.stack([at_lead[name].values for name in variables], axis=1)


def main() -> None:
    """Score one way and print what was found as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("config", type=Path)
    parser.add_argument("way", type=int)
    parser.add_argument("--members", type=int, required=True)
    parser.add_argument("--cases", type=int, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    way = WAYS[options.way]
    print(json.dumps(score(options.run, options.config, way, options.members, options.cases)))


if __name__ == "__main__":
    main()
