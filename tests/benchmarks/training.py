"""A training step of the original recipe beside ours, each in a process of its own.

    make benchmark-training [MODELS="ddpm_ultra_minimal ddpm_small"]

The reference: float32, channels first, eager, no reading ahead, AdamW tensor by tensor, and the
caches cleared after every step; fields are enlarged and joined before they are convolved. Ours:
channels last where that is faster, fused AdamW, convolutions.py, in float32, in bfloat16, each as
it is and compiled. All take a state from a file, since that is where a training's data are. What is
compiled takes a step before those that are measured. Prints a Markdown table.
"""

import argparse
import contextlib
import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "workflow_scripts"))

from timing import hardware  # noqa: E402

import stormdraw  # noqa: E402, F401  (before ecCodes; see its __init__)
from stormdraw.models.background import read_ahead  # noqa: E402
from stormdraw.models.memory import training_memory  # noqa: E402
from stormdraw.models.settings import ModelSettings, load_model_settings  # noqa: E402
from stormdraw.roles import Roles  # noqa: E402

RECIPES = (
    "reference",
    "ours, float32",
    "ours, compiled",
    "ours, bfloat16",
    "ours, bfloat16, compiled",
)
FULL_GRID = (1059, 1799)
GRIDS = {"ddpm_medium": (265, 450)}
VARIABLES = ("REFC", "T2M", "D2M", "U10", "V10", "CAPE", "CIN")


def configured(model: str, recipe: str) -> ModelSettings:
    """A configuration as a recipe runs it, one sample at a time."""
    settings = load_model_settings(ROOT / "config" / "models" / f"{model}.yaml")
    changes = {
        "batch_size": 1,
        "crop": None,
        "channels_last": False if recipe == "reference" else "auto",
        "precision": "bfloat16" if "bfloat16" in recipe else "float32",
    }
    training = settings.training.model_copy(update=changes)
    return settings.model_copy(update={"training": training})


@contextlib.contextmanager
def as_written(recipe: str) -> Iterator[None]:
    """The original recipe's network makes enlarged and joined fields; ours does not."""
    import torch
    from torch.nn import functional

    from stormdraw.models.networks import conditional_unet

    def enlarged(layer: Any, x: Any) -> Any:
        return layer(functional.interpolate(x, scale_factor=2.0, mode="nearest"))

    def joined(layer: Any, parts: Any) -> Any:
        return layer(torch.cat(parts, dim=1) if len(parts) > 1 else parts[0])

    plain = {"convolve_upsampled": enlarged, "convolve_concatenated": joined}
    ours = {name: getattr(conditional_unet, name) for name in plain}
    try:
        vars(conditional_unet).update(plain if recipe == "reference" else {})
        yield
    finally:
        vars(conditional_unet).update(ours)


def count_operations(model: Any, inputs: tuple[Any, ...]) -> int:
    """Floating-point operations of a step, forward and backward, from the shapes alone."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        model.losses(*inputs).mean().backward()
    return counter.get_total_flops()


def memory_now() -> int:
    """Resident bytes."""
    return psutil.Process().memory_info().rss


def measure(model_name: str, recipe: str, steps: int, folder: Path) -> dict[str, Any]:
    """Time and memory of a recipe's steps in this process."""
    import torch

    from stormdraw.fields.statistics import Statistics
    from stormdraw.models.devices import autocast
    from stormdraw.models.execution import compile_network
    from stormdraw.models.training import new_model

    settings = configured(model_name, recipe)
    shape = GRIDS.get(model_name, FULL_GRID)
    ones = np.ones(len(VARIABLES), dtype=np.float32)
    statistics = Statistics(VARIABLES, ("identity",) * len(VARIABLES), ones, ones, ones, ones)
    model = new_model(model_name, 0, settings, statistics)
    is_ours = recipe != "reference"
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-4, fused=is_ours, foreach=False)
    seconds: dict[str, float] = {}
    forcings, timestep = torch.zeros(1, 0, *shape), torch.tensor([400])
    if recipe.endswith("compiled"):
        compile_network(model.network, "default")
        one = torch.zeros(1, len(VARIABLES), *shape)
        with autocast(settings.training.precision, torch.device("cpu")):
            loss = model.losses(one, one, forcings, timestep, one).mean()
        loss.backward()
        optimizer.zero_grad(set_to_none=True)
    before = memory_now()

    def states() -> Any:
        for _ in range(steps):
            yield torch.from_numpy(np.load(folder / "pair.npy"))[None]

    def timed(what: str, since: float) -> float:
        now = time.perf_counter()
        seconds[what] = seconds.get(what, 0.0) + (now - since) / steps
        return now

    started, cpu_started = time.perf_counter(), time.process_time()
    last = started
    for pair in read_ahead(states(), 2 if is_ours else 0):
        last = timed("data", last)
        noise = torch.randn(1, len(VARIABLES), *shape)
        with autocast(settings.training.precision, torch.device("cpu")):
            loss = model.losses(pair[:, 0], pair[:, 1], forcings, timestep, noise).mean()
        last = timed("forward", last)
        loss.backward()
        last = timed("backward", last)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if not is_ours:
            gc.collect()
        last = timed("optimizer", last)
    wall = (time.perf_counter() - started) / steps
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    return {
        "seconds": wall,
        "cpu_seconds": (time.process_time() - cpu_started) / steps,
        "peak": peak,
        "planned": training_memory(settings, Roles(predicted=VARIABLES), shape).peak,
        "parts": seconds,
    }


def rate_of_multiplication() -> float:
    """Operations a second of one processor that a large matrix product reaches here in float32."""
    import torch

    one = torch.randn(2048, 2048)
    torch.mm(one, one)
    started = time.process_time()
    for _ in range(3):
        torch.mm(one, one)
    return 3 * 2 * 2048**3 / (time.process_time() - started)


def rate_of_memory() -> float:
    """Bytes a second of one processor, read and written, of adding two large arrays."""
    import torch

    one, other, total = torch.ones(3, 2**26)
    started = time.process_time()
    for _ in range(3):
        torch.add(one, other, out=total)
    return 3 * 3 * one.nbytes / (time.process_time() - started)


def traffic(model_name: str, recipe: str) -> int:
    """Bytes that the operations of a step read and write if each goes to memory; without data."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    from stormdraw.models.devices import autocast
    from stormdraw.models.memory import _new_model

    class Traffic(TorchDispatchMode):
        total = 0

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None):  # type: ignore[no-untyped-def]
            result = func(*args, **(kwargs or {}))
            # A view moves nothing.
            if not func.is_view:
                tensors = [
                    leaf for leaf in tree_leaves((args, kwargs, result)) if torch.is_tensor(leaf)
                ]
                self.total += sum(tensor.nbytes for tensor in tensors)
            return result

    shape, settings = GRIDS.get(model_name, FULL_GRID), configured(model_name, recipe)
    with FakeTensorMode():
        model = _new_model(settings, Roles(predicted=VARIABLES))
        one = torch.empty(1, len(VARIABLES), *shape)
        forcings, timestep = torch.empty(1, 0, *shape), torch.zeros(1, dtype=torch.long)
        with as_written(recipe), Traffic() as counter:
            with autocast(settings.training.precision, torch.device("cpu")):
                loss = model.losses(one, one, forcings, timestep, one).mean()
            loss.backward()
    return counter.total


def operations(model_name: str, recipe: str) -> int:
    """Of one step of a recipe on its model's grid; without data."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    from stormdraw.models.memory import _new_model

    shape = GRIDS.get(model_name, FULL_GRID)
    with FakeTensorMode():
        model = _new_model(configured(model_name, recipe), Roles(predicted=VARIABLES))
        one = torch.empty(1, len(VARIABLES), *shape)
        forcings, timestep = torch.empty(1, 0, *shape), torch.zeros(1, dtype=torch.long)
        with as_written(recipe):
            return count_operations(model, (one, one, forcings, timestep, one))


def main() -> None:
    """Measure each recipe in turn and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=["ddpm_ultra_minimal", "ddpm_small"])
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--recipes", nargs="*", default=RECIPES, choices=RECIPES)
    parser.add_argument("--measure", nargs=2, metavar=("RECIPE", "FOLDER"))
    options = parser.parse_args()
    if options.measure:
        recipe, folder = options.measure
        with as_written(recipe):
            found = measure(options.models[0], recipe, options.steps, Path(folder))
        print(json.dumps(found))
        return
    rate, moved = rate_of_multiplication(), rate_of_memory()
    print(f"{hardware()} Load {os.getloadavg()[0]:.1f}. A processor second does ")
    print(
        f"{rate / 1e9:.0f} GFLOP of a matrix product, or {moved / 1e9:.1f} GB of a sum of arrays.\n"
    )
    print(
        "| model | recipe | s/step | ratio | CPU s | peak GB | planned GB | data, forward, ", end=""
    )
    print("backward, optimizer (s) | GFLOP, GB | their CPU s |\n|" + "---|" * 10, flush=True)
    for model in options.models:
        shape = GRIDS.get(model, FULL_GRID)
        first = 0.0
        with tempfile.TemporaryDirectory() as folder:
            random = np.random.default_rng(0)
            pair = random.standard_normal((2, len(VARIABLES), *shape), dtype=np.float32)
            np.save(Path(folder) / "pair.npy", pair)
            for recipe in options.recipes:
                command = [sys.executable, __file__, model, "--steps", str(options.steps)]
                run = subprocess.run(
                    [*command, "--measure", recipe, folder],
                    capture_output=True,
                    text=True,
                    check=True,
                )
                work, bytes_moved = operations(model, recipe), traffic(model, recipe)
                found = json.loads(run.stdout.splitlines()[-1])
                first = first or found["seconds"]
                parts = ", ".join(f"{value:.2f}" for value in found["parts"].values())
                print(
                    f"| {model} | {recipe} | {found['seconds']:.1f} "
                    f"| {first / found['seconds']:.2f} | {found['cpu_seconds']:.1f} "
                    f"| {found['peak'] / 1e9:.2f} | {found['planned'] / 1e9:.2f} | {parts} "
                    f"| {work / 1e9:.0f}, {bytes_moved / 1e9:.0f} "
                    f"| {work / rate:.1f}, {bytes_moved / moved:.1f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
