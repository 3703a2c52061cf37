"""Seconds and memory of drawing one member at the full grid, each way in a process of its own.

    python tests/benchmarks/sampling_cost.py WAY       one way of `sampling_quality.WAYS`
    python tests/benchmarks/sampling_cost.py pass MODEL     one pass of a network (plan: no data)

Weights are not trained: they cost the same. Of samplers with many steps a few are timed.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow_scripts"))

import stormdraw  # noqa: F401  (before ecCodes; see its __init__)

import numpy as np  # isort: skip
import torch  # isort: skip

from sampling_quality import WAYS, Way, generator_of  # isort: skip
from stormdraw.roles import Roles

from stormdraw.ensembles.rollout import Rollout  # isort: skip
from stormdraw.fields.statistics import Statistics  # isort: skip
from stormdraw.archive.base_models.hrrr import GRID as HRRR  # isort: skip
from stormdraw.models.checkpoint import TrainedModel  # isort: skip
from stormdraw.models.forcings import channels_of  # isort: skip
from stormdraw.models.memory import sampling_bytes  # isort: skip
from stormdraw.models.settings import load_model_settings  # isort: skip
from stormdraw.models.trained_grid import TrainedGrid  # isort: skip
from stormdraw.models.training import new_model  # isort: skip
from stormdraw.models.white_noise import WhiteNoise  # isort: skip
from stormdraw.variables import DEFAULT_STATE  # isort: skip

ROOT = Path(__file__).resolve().parents[2]
FULL_GRID = (1059, 1799)
# Steps of a sampler that are timed; the first one warms up.
TIMED = 4


class EnoughError(Exception):
    """As many steps as are timed."""


def untrained(name: str) -> TrainedModel:
    """A model as configured, with random weights."""
    settings = load_model_settings(ROOT / "config" / "models" / f"{name}.yaml")
    count = len(DEFAULT_STATE)
    ones = np.ones(count, dtype=np.float32)
    statistics = Statistics(DEFAULT_STATE, ("identity",) * count, ones, ones, ones, ones)
    model = new_model(name, 0, settings, statistics).eval()
    model = model.to(memory_format=torch.channels_last)
    return TrainedModel(name, model, None, TrainedGrid.of(HRRR))


def peak_bytes() -> int:
    """The most this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@torch.inference_mode()
def measure_way(way: Way) -> dict[str, Any]:
    """Seconds between one evaluation and the next, and the peak beyond what was there before."""
    trained = untrained(way.model)
    model = trained.model
    starts: list[float] = []

    def at_evaluation(network: torch.nn.Module, inputs: Any) -> None:
        starts.append(time.perf_counter())
        if way.sampler is not None and len(starts) > TIMED:
            raise EnoughError

    model.network.register_forward_pre_hook(at_evaluation)
    generate, _ = generator_of(trained, way, Rollout(1, 0))
    state = torch.randn(1, len(DEFAULT_STATE), *FULL_GRID)
    forcings = torch.zeros(1, len(channels_of(model.settings, model.roles)), *FULL_GRID)
    before = peak_bytes()
    passes = 1 if way.sampler is not None else 3
    try:
        for _ in range(passes):
            begun = time.perf_counter()
            condition = model.condition(state, forcings)
            generate(state, condition, WhiteNoise([0], state.device), lambda fresh: fresh)
            seconds = time.perf_counter() - begun
    except EnoughError:
        seconds = float(np.diff(starts)[1:].mean())
    return {"seconds_an_evaluation": seconds, "peak": peak_bytes() - before}


def plan_pass(name: str) -> dict[str, Any]:
    """The peak of one pass at the full grid as planned, without data."""
    settings = load_model_settings(ROOT / "config" / "models" / f"{name}.yaml")
    planned = sampling_bytes(settings, Roles(predicted=DEFAULT_STATE), FULL_GRID)
    return {"planned": planned, "peak": None, "seconds": None}


@torch.inference_mode()
def measure_pass(name: str) -> dict[str, Any]:
    """The peak of one pass at the full grid, as planned and as measured."""
    plan, trained = plan_pass(name), untrained(name)
    settings, count = trained.model.settings, len(DEFAULT_STATE)
    state = torch.randn(1, count, *FULL_GRID)
    earlier = torch.randn(1, settings.history - 1, count, *FULL_GRID)
    forcings = torch.zeros(
        1, len(channels_of(settings, Roles(predicted=DEFAULT_STATE))), *FULL_GRID
    )
    before, begun = peak_bytes(), time.perf_counter()
    trained.model.rehearse(state, forcings, earlier if settings.history > 1 else None)
    seconds = time.perf_counter() - begun
    return plan | {"peak": peak_bytes() - before, "seconds": seconds}


if __name__ == "__main__":
    what, *models = sys.argv[1:]
    if what in ("pass", "plan"):
        print(json.dumps({"pass": measure_pass, "plan": plan_pass}[what](*models)))
    else:
        print(json.dumps(measure_way(WAYS[int(what)])))
