"""What a GPU makes of training and drawing, in one command of some nine minutes; no network.

    make gpu-acceptance

Writes docs/gpu.md and docs/gpu.json. Without a GPU everything runs on the CPU on small grids, to
see that it does, and the page says that nothing was measured.
"""

import gc
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / each) for each in ("workflow_scripts", "tests", "tests/unit/models")]

import stormdraw  # noqa: E402, F401  (before ecCodes; see its __init__)

import numpy as np  # noqa: E402  isort: skip
import torch  # noqa: E402  isort: skip
from gpu_acceptance_page import page  # noqa: E402  isort: skip
from gpu_acceptance_training import loading, resuming  # noqa: E402  isort: skip
from sampling_quality import WAYS, Way, generator_of  # noqa: E402  isort: skip

from stormdraw.archive.base_models.hrrr import GRID as HRRR  # noqa: E402
from stormdraw.ensembles.rollout import Rollout  # noqa: E402
from stormdraw.fields.statistics import Statistics  # noqa: E402
from stormdraw.models.checkpoint import TrainedModel  # noqa: E402
from stormdraw.models.devices import autocast  # noqa: E402
from stormdraw.models.execution import compile_network, recompute_activations  # noqa: E402
from stormdraw.models.forcings import channels_of  # noqa: E402
from stormdraw.models.forecaster import Forecaster  # noqa: E402
from stormdraw.models.memory import learnt_shape, training_memory  # noqa: E402
from stormdraw.models.pairs import Batch  # noqa: E402
from stormdraw.models.settings import ModelSettings, load_model_settings  # noqa: E402
from stormdraw.models.trained_grid import TrainedGrid  # noqa: E402
from stormdraw.models.training import new_model  # noqa: E402
from stormdraw.models.white_noise import WhiteNoise  # noqa: E402
from stormdraw.roles import Roles  # noqa: E402
from stormdraw.variables import DEFAULT_STATE  # noqa: E402

ROLES = Roles(predicted=DEFAULT_STATE)
FULL, QUARTER, SMALL = (1059, 1799), (265, 450), (48, 64)
# The configurations that the original project wrote of, on their grids.
TRAINED = {
    **{"ddpm_ultra_minimal": FULL, "ddpm_small": FULL, "ddpm_medium": QUARTER, "gnn": FULL},
    **{"cnn_transformer": FULL, "cnn_transformer_small": FULL, "ddpm_11m": FULL},
    **{"ddpm_28m": FULL, "ddpm_50m": FULL, "ddpm_111m": FULL},
}
COMPILED = ("ddpm_ultra_minimal", "ddpm_small", "ddpm_medium", "gnn", "cnn_transformer")
CAP = 24e9
SECONDS = 9 * 60
# What is begun may take so long, with compiling.
LONGEST = 60


@dataclass
class Place:
    """Where is measured, and what was found so far."""

    device: torch.device
    ends: float
    found: dict[str, Any] = field(default_factory=dict)

    @property
    def small(self) -> bool:
        """Whether this only shows that it runs."""
        return self.device.type == "cpu"

    def sync(self) -> None:
        """Wait for what the GPU is at."""
        if not self.small:
            torch.cuda.synchronize()

    def measure(self, part: str, what: str, function: Callable[[], Any]) -> None:
        """Note what a function finds, or why it does not, in `found[part][what]`."""
        if time.monotonic() > self.ends - LONGEST:
            result: Any = {"failed": "not reached in time"}
        else:
            try:
                result = function()
            except torch.OutOfMemoryError:
                result = {"failed": "out of memory"}
            except Exception as error:  # Whatever fails, the rest is measured.
                lines = str(error).strip().splitlines() or [""]
                result = {"failed": f"{type(error).__name__}: {lines[0][:80]}"}
        self.found.setdefault(part, {})[what] = result
        print(part, what, json.dumps(result), flush=True)
        gc.collect()
        if not self.small:
            torch.cuda.set_per_process_memory_fraction(1.0)
            torch.cuda.empty_cache()
            torch.compiler.reset()


def configuration(name: str, **changes: Any) -> ModelSettings:
    """A model's, with other settings of its training."""
    settings = load_model_settings(ROOT / "config" / "models" / f"{name}.yaml")
    training = settings.training.model_copy(update={"batch_size": 1, **changes})
    return settings.model_copy(update={"training": training})


def untrained(name: str, settings: ModelSettings, device: torch.device) -> Forecaster:
    """A model with random weights."""
    count = len(DEFAULT_STATE)
    ones, zeros = np.ones(count, dtype=np.float32), np.zeros(count, dtype=np.float32)
    statistics = Statistics(DEFAULT_STATE, ("identity",) * count, zeros, ones, zeros, ones)
    return new_model(name, 0, settings, statistics, device).to(device)


def batch(settings: ModelSettings, shape: tuple[int, int], device: torch.device) -> Batch:
    """A batch of one pair of random states on the device, (1, V, Y, X)."""
    states = torch.randn(settings.history + 1, 1, len(DEFAULT_STATE), *shape, device=device)
    forcings = torch.randn(1, len(channels_of(settings, ROLES)), *shape, device=device)
    earlier = states[2:].transpose(0, 1) if settings.history > 1 else None
    return Batch(states[0], states[0] + 0.1 * states[1], forcings, (), earlier)


def training(place: Place, name: str, cap: float | None, **changes: Any) -> dict[str, Any]:
    """Samples a second and the peak of training steps, and what was planned."""
    settings = configuration(name, **changes)
    shape = learnt_shape(settings, SMALL if place.small else TRAINED[name])
    if cap is not None and not place.small:
        whole = torch.cuda.get_device_properties(place.device).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, cap / whole))
    model = untrained(name, settings, place.device)
    recompute_activations(model.network, settings.training.activation_checkpointing)
    compile_network(model.network, settings.training.compile)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4, fused=True)
    given, generator = batch(settings, shape, place.device), torch.Generator(place.device)

    def step() -> None:
        with autocast(settings.training.precision, place.device):
            loss = model.objective(model.training_losses(given, generator))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    for _ in range(1 if place.small else 3):
        step()
    place.sync()
    peak = None
    if not place.small:
        torch.cuda.reset_peak_memory_stats()
    steps, started = (1, time.perf_counter()) if place.small else (8, time.perf_counter())
    for _ in range(steps):
        step()
    place.sync()
    seconds = (time.perf_counter() - started) / steps
    if not place.small:
        peak = torch.cuda.max_memory_allocated()
    planned = training_memory(settings, ROLES, shape).peak
    return {"samples_a_second": 1 / seconds, "peak": peak, "planned": planned}


def drawn(
    way: Way,
    device: torch.device,
    shape: tuple[int, int],
    members: Sequence[int],
    precision: str = "auto",
) -> torch.Tensor:
    """The next states of some members, (member, V, Y, X), by an untrained network."""
    settings = configuration(way.model, precision=precision)
    model = untrained(way.model, settings, device).eval()
    trained = TrainedModel(way.model, model, None, TrainedGrid.of(HRRR))
    generate, _ = generator_of(trained, way, Rollout(len(members), 0))
    random, count = torch.Generator().manual_seed(1), len(channels_of(model.settings, ROLES))
    now = torch.randn(1, len(DEFAULT_STATE), *shape, generator=random)
    state = now.expand(len(members), -1, -1, -1).to(device)
    condition = model.condition(state, torch.zeros(len(members), count, *shape, device=device))
    noise = WhiteNoise(members, device)
    made: torch.Tensor = generate(state, condition, noise, lambda fresh: fresh)
    return made


@torch.inference_mode()
def same_members(place: Place, way: Way) -> dict[str, Any]:
    """How far members drawn here are from those drawn on the CPU, in their standard deviations.

    Both in float32.
    """
    shape = (97, 131)
    here, there = (
        drawn(way, device, shape, (0, 1), "float32").cpu()
        for device in (place.device, torch.device("cpu"))
    )
    return {"largest": float((here - there).abs().max() / there.std()), "limit": 1e-3}


@torch.inference_mode()
def drawing(place: Place, way: Way) -> dict[str, Any]:
    """Seconds to draw a member for an hour; the second one is timed."""
    shape = SMALL if place.small else FULL
    seconds = 0.0
    for _ in range(2):
        place.sync()
        started = time.perf_counter()
        drawn(way, place.device, shape, (0,))
        place.sync()
        seconds = time.perf_counter() - started
    return {"seconds": seconds}


def measure_all(place: Place) -> None:
    """From what matters most to what takes longest."""
    first = list(TRAINED)[:1] if place.small else list(TRAINED)
    precision = "float32" if place.small else "bfloat16"
    for name in first:
        for what, cap in (("24 GB", CAP), ("whole memory", None)):
            take = lambda n=name, c=cap: training(place, n, c, precision=precision)  # noqa: E731
            place.measure("training", f"{name}, eager, {what}", take)
    one_step, diffusion = WAYS[-1], WAYS[3]
    for way in (one_step, diffusion):
        place.measure("members", way.name, lambda w=way: same_members(place, w))
    for way in (one_step, diffusion, *WAYS[1:3]):
        if not place.small or way is one_step:
            place.measure("drawing", way.name, lambda w=way: drawing(place, w))
    with tempfile.TemporaryDirectory(prefix="stormdraw_") as folder:
        place.measure("resuming", "here, CPU, here", lambda: resuming(place.device, Path(folder)))
        shape = SMALL if place.small else FULL
        place.measure(
            "loading", "ddpm_ultra_minimal", lambda: loading(place.device, shape, Path(folder))
        )
    for name in () if place.small else COMPILED:
        take = lambda n=name: training(place, n, CAP, precision="bfloat16", compile="default")  # noqa: E731
        place.measure("training", f"{name}, compiled, 24 GB", take)


def surroundings(device: torch.device) -> dict[str, Any]:
    """On what, when and with which versions."""
    driver = None
    if device.type == "cuda":
        asked = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        driver = subprocess.run(asked, capture_output=True, text=True).stdout.strip() or None
    gpu = torch.cuda.get_device_properties(device) if device.type == "cuda" else None
    return {
        "measured": gpu is not None,
        "device": gpu.name if gpu else platform.processor() or "CPU",
        "bytes": gpu.total_memory if gpu else None,
        "driver": driver,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "python": platform.python_version(),
    }


def main() -> None:
    """Measure, and write the page and the numbers."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    place = Place(device, time.monotonic() + SECONDS)
    if not place.small:
        torch.backends.cudnn.benchmark = True
    measure_all(place)
    found = {**surroundings(device), **place.found}
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs"
    (folder / "gpu.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (folder / "gpu.md").write_text(page(found), encoding="utf-8")
    if place.small:
        print("not measured: no GPU here; the same measurements ran on the CPU on small grids")


if __name__ == "__main__":
    main()
