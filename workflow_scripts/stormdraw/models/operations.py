"""The amount of computation of a training and a network pass, and the time a GPU needs for it.

Both are counted on fake tensors, without data. The least time follows the roofline model (Williams
et al. 2009, doi:10.1145/1498765.1498785): a kernel takes as long as its operations at the GPU's
peak, or as moving its tensors to and from memory, whichever is longer. It thus depends on the
precision and the kind of layer: products of large matrices are bound by the peak; convolutions with
few channels, norms and activations by memory; small fields by the launch of each kernel.

No GPU was measured here. The upper estimate is three times the least time of the kernels that are
bound by the peak, or 40 times that of the others, whichever is longer. Both multiples are known
from whole trainings, and so each covers the other kernels as well: large transformers train at a
third to a half of the peak (Narayanan et al. 2021, doi:10.1145/3458817.3476209); three trainings of
small networks on an RTX 4090 took 10 to 21 times the least time including reading their data
(`ddpm_ultra_minimal`, `ddpm_small` and `ddpm_medium` in `config/models/`), which is doubled. Other
GPUs (`gpu_peaks`) are assumed to take the same multiples of their own least time.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry, sdpa_backward_flop, sdpa_flop

from stormdraw.models.accumulation import count_epochs
from stormdraw.models.gpu_peaks import RTX_4090, GpuPeaks
from stormdraw.models.memory import model_of_fake_tensors, one_pass, one_step, precision_of
from stormdraw.models.settings import ModelSettings
from stormdraw.roles import Roles
from stormdraw.settings import Settings

# Seconds to launch a kernel; a common figure.
_LAUNCH = 5e-6
_MOST_BOUND_BY_PEAK = 3
_MOST_OTHERWISE = 40

# The CPU's names of attention, since fake tensors are on the CPU; torch counts only the GPU's.
_OPERATIONS = flop_registry | {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: sdpa_flop,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: sdpa_backward_flop,
}


@dataclass(frozen=True)
class Work:
    """Floating point operations, and the range of seconds that a GPU takes for them."""

    operations: float = 0.0
    least_gpu_seconds: float = 0.0
    most_gpu_seconds: float = 0.0

    def __mul__(self, times: float) -> "Work":
        return Work(
            self.operations * times, self.least_gpu_seconds * times, self.most_gpu_seconds * times
        )

    def __add__(self, other: "Work") -> "Work":
        return Work(
            self.operations + other.operations,
            self.least_gpu_seconds + other.least_gpu_seconds,
            self.most_gpu_seconds + other.most_gpu_seconds,
        )


class Kernel(NamedTuple):
    """Floating point operations of one kernel, whether they are in half precision, and the bytes of
    its tensors."""

    operations: float
    half: bool
    bytes: int


def work_on(kernels: Iterable[Kernel], gpu: GpuPeaks = RTX_4090, as_tf32: bool = False) -> Work:
    """The work of some kernels on a GPU.

    `as_tf32` says whether it rounds the factors of products in float32.
    """
    single = gpu.single_precision(as_tf32)
    operations = 0.0
    # Least seconds of the kernels that are bound by the peak, and of the others.
    by_peak, otherwise = 0.0, 0.0
    for kernel in kernels:
        computing = kernel.operations / (gpu.half_precision if kernel.half else single)
        beside = max(kernel.bytes / gpu.memory, _LAUNCH)
        operations += kernel.operations
        if computing > beside:
            by_peak += computing
        else:
            otherwise += beside
    most = max(_MOST_BOUND_BY_PEAK * by_peak, _MOST_OTHERWISE * otherwise)
    return Work(operations, by_peak + otherwise, most)


class CountedKernels(TorchDispatchMode):
    """Lists everything that torch computes within it."""

    def __init__(self) -> None:
        super().__init__()
        self.kernels: list[Kernel] = []

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run one operation and list it, unless it computes nothing."""
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        allocates = func._schema.name.startswith("aten::empty")
        views = func.is_view or func.overloadpacket is torch.ops.aten._unsafe_view
        if views or func.namespace == "prim" or allocates:
            return result
        formula = _OPERATIONS.get(func.overloadpacket)
        operations = formula(*args, **kwargs, out_val=result) if formula else 0
        leaves = tree_leaves((args, kwargs, result))
        tensors = [x for x in leaves if isinstance(x, torch.Tensor)]
        half = any(each.element_size() == 2 for each in tensors)
        self.kernels.append(Kernel(operations, half, sum(each.nbytes for each in tensors)))
        return result


def work_of(
    settings: Settings,
    model: ModelSettings,
    shape: tuple[int, int],
    forecaster: ModelSettings | None = None,
    trained: bool = True,
) -> dict[str, dict[str, float]]:
    """The work of a training, if there is one, and of one network pass, as written into a plan."""
    one_pass = {"one_pass": asdict(pass_work(settings, model, shape))}
    if not trained:
        return one_pass
    return {"training": asdict(training_work(settings, model, shape, forecaster)), **one_pass}


def training_work(
    settings: Settings,
    model: ModelSettings,
    shape: tuple[int, int],
    forecaster: ModelSettings | None = None,
    gpu: GpuPeaks = RTX_4090,
) -> Work:
    """All optimizer steps on a grid of `shape` (y, x), on a single GPU.

    The optimizer and validation are small in comparison. With `forecaster`, the forecasts from
    every hour are included once, as if they stay in memory.
    """
    pairs = len(settings.periods.training_times()) - 1
    _, steps = count_epochs(model, pairs)
    rollout = model.training.rollout
    unrolled = 0 if rollout is None else rollout.total_steps
    total = step_work(model, settings.roles, shape, gpu) * (steps - unrolled)
    if rollout is not None:
        for hours, count in zip(rollout.hours, rollout.steps, strict=True):
            total += step_work(model, settings.roles, shape, gpu, hours) * count
    total *= model.training.accumulation
    if forecaster is not None:
        total += pass_work(settings, forecaster, shape, gpu) * pairs
    return total


def step_work(
    model: ModelSettings,
    run: Roles,
    shape: tuple[int, int],
    gpu: GpuPeaks = RTX_4090,
    hours: int = 1,
) -> Work:
    """The loss of a whole training batch, unrolled over so many hours, and its gradient.

    Hours beyond two are not counted one by one: each takes what one of two takes, within 1 % for
    `crps_conus` over six hours.
    """
    counted = min(hours, 2)
    return _work(model, run, shape, gpu, counted) * (hours / counted)


def pass_work(
    settings: Settings, model: ModelSettings, shape: tuple[int, int], gpu: GpuPeaks = RTX_4090
) -> Work:
    """One evaluation of a model's network on the whole grid."""
    return _work(model, settings.roles, shape, gpu)


def _work(
    model: ModelSettings,
    run: Roles,
    shape: tuple[int, int],
    gpu: GpuPeaks,
    hours: int | None = None,
) -> Work:
    model = _on_one_gpu(model)
    # Listed once for all GPUs: a step of a large model takes seconds.
    key = (model.model_dump_json(), run.model_dump_json(), shape, hours)
    if key not in _LISTED:
        _LISTED[key] = _kernels(model, run, shape, hours)
    return work_on(_LISTED[key], gpu, as_tf32=model.training.precision == "tf32")


_LISTED: dict[tuple[object, ...], list[Kernel]] = {}


def _kernels(
    model: ModelSettings, run: Roles, shape: tuple[int, int], hours: int | None
) -> list[Kernel]:
    """Those of a training step over `hours`, or of one pass."""
    with model_of_fake_tensors(model, run) as fake, CountedKernels() as counted:
        if hours is None:
            with precision_of(model):
                one_pass(fake, model, shape)
        else:
            one_step(fake, model, shape, hours)
    return counted.kernels


def _on_one_gpu(model: ModelSettings) -> ModelSettings:
    """The configuration on one device, with the precision that `auto` means on this GPU."""
    changes: dict[str, Any] = {"devices": 1, "nodes": 1, "sharding": "none"}
    if model.training.precision == "auto":
        changes["precision"] = "bfloat16"
    training = model.training.model_copy(update=changes)
    return model.model_copy(update={"training": training})
