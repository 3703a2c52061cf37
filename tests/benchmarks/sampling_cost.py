"""Seconds and memory of drawing one member at the full grid, each way in a process of its own.

    python tests/benchmarks/sampling_cost.py WAY       one way of `sampling_quality.WAYS`
    python tests/benchmarks/sampling_cost.py pass MODEL     one pass of a model's network

Weights are not trained: they cost the same. Of samplers with many steps a few are timed.
"""

import json
import os
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
from stormdraw.ensembles.rollout import Rollout  # isort: skip
from stormdraw.fields.statistics import Statistics  # isort: skip
from stormdraw.models.checkpoint import TrainedModel  # isort: skip
from stormdraw.models.forcings import channel_count  # isort: skip
from stormdraw.models.memory import sampling_bytes  # isort: skip
from stormdraw.models.settings import load_model_settings  # isort: skip
from stormdraw.models.training import new_model  # isort: skip
from stormdraw.variables import STATE_VARIABLES  # isort: skip

ROOT = Path(__file__).resolve().parents[2]
FULL_GRID = (1059, 1799)
# Steps of a sampler that are timed; the first one warms up.
TIMED = 4

# A pass that is planned to take more than this share of the free memory is not tried.
_ROOM = 0.6


class EnoughError(Exception):
    """As many steps as are timed."""


def untrained(name: str) -> TrainedModel:
    """A model as configured, with random weights."""
    settings = load_model_settings(ROOT / "config" / "models" / f"{name}.yaml")
    count = len(STATE_VARIABLES)
    ones = np.ones(count, dtype=np.float32)
    statistics = Statistics(STATE_VARIABLES, ("identity",) * count, ones, ones, ones, ones)
    model = new_model(name, 0, settings, statistics).eval()
    return TrainedModel(name, model.to(memory_format=torch.channels_last), None)


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
    state = torch.randn(1, len(STATE_VARIABLES), *FULL_GRID)
    forcings = torch.zeros(1, channel_count(model.settings.forcings), *FULL_GRID)
    before = peak_bytes()
    passes = 1 if way.sampler is not None else 3
    try:
        for _ in range(passes):
            begun = time.perf_counter()
            condition = model.condition(state, forcings)
            generate(state, condition, [torch.Generator().manual_seed(0)], lambda fresh: fresh)
            seconds = time.perf_counter() - begun
    except EnoughError:
        seconds = float(np.diff(starts)[1:].mean())
    return {"seconds_an_evaluation": seconds, "peak": peak_bytes() - before}


@torch.inference_mode()
def measure_pass(name: str) -> dict[str, Any]:
    """The peak of one pass at the full grid, as planned, and as measured if there is room."""
    count = len(STATE_VARIABLES)
    settings = load_model_settings(ROOT / "config" / "models" / f"{name}.yaml")
    planned = sampling_bytes(settings, count, FULL_GRID)
    if planned > _ROOM * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES"):
        return {"planned": planned, "peak": None, "seconds": None}
    trained = untrained(name)
    state = torch.randn(1, count, *FULL_GRID)
    earlier = torch.randn(1, settings.history - 1, count, *FULL_GRID)
    forcings = torch.zeros(1, channel_count(settings.forcings), *FULL_GRID)
    before, begun = peak_bytes(), time.perf_counter()
    trained.model.rehearse(state, forcings, earlier if settings.history > 1 else None)
    seconds = time.perf_counter() - begun
    return {"peak": peak_bytes() - before, "planned": planned, "seconds": seconds}


if __name__ == "__main__":
    if sys.argv[1] == "pass":
        print(json.dumps(measure_pass(sys.argv[2])))
    else:
        print(json.dumps(measure_way(WAYS[int(sys.argv[1])])))
