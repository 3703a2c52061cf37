"""The device to compute on, and the precision."""

import contextlib
from collections.abc import Iterator
from typing import Literal

import torch

from stormdraw.errors import StormdrawError
from stormdraw.models.training_settings import Precision

LightningPrecision = Literal["32-true", "bf16-mixed", "16-mixed"]


def choose_device(number: int = 0) -> torch.device:
    """The GPU with this number, or the CPU if there is no GPU.

    Raises StormdrawError if there are GPUs, but fewer.
    """
    if not torch.cuda.is_available():
        return torch.device("cpu")
    # Batches keep their shapes, so timing every convolution algorithm once pays off.
    torch.backends.cudnn.benchmark = True
    found = torch.cuda.device_count()
    if number >= found:
        raise StormdrawError(
            f"training.devices asks for more GPUs than the {found} available; lower it"
        )
    return torch.device("cuda", number)


def describe_device(device: torch.device, count: int = 1) -> str:
    """One phrase for the log and for `metrics.json`."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    else:
        name = f"the CPU with {torch.get_num_threads()} threads (no GPU found)"
    return name if count == 1 else f"{count} x {name}"


def resolve_precision(precision: Precision, device: torch.device) -> Precision:
    """`auto` is bfloat16 where the GPU computes it natively, else float32; `tf32` needs a GPU.

    Many CPUs emulate bfloat16 slowly, so `auto` is float32 on every CPU.
    """
    if precision == "tf32" and device.type != "cuda":
        return "float32"
    if precision != "auto":
        return precision
    return "bfloat16" if device.type == "cuda" and _computes_bfloat16(device) else "float32"


def native_half(device: torch.device) -> Precision:
    """The half precision of a device: float16 on GPUs that only emulate bfloat16."""
    return "float16" if device.type == "cuda" and not _computes_bfloat16(device) else "bfloat16"


def _computes_bfloat16(device: torch.device) -> bool:
    with torch.cuda.device(device):
        return torch.cuda.is_bf16_supported(including_emulation=False)


def uses_channels_last(channels_last: bool | Literal["auto"], device: torch.device) -> bool:
    """Whether the channels of a point lie side by side in memory.

    `auto` is true where this trains convolutions of few channels faster: on GPUs and on processors
    with AVX-512. With AVX2 a step takes a third longer that way (docs/training-benchmark.md).
    """
    if channels_last != "auto":
        return channels_last
    return device.type == "cuda" or torch.backends.cpu.get_cpu_capability() == "AVX512"


def lightning_precision(precision: Precision, device: torch.device) -> LightningPrecision:
    """The precision in Lightning's terms.

    Raises StormdrawError for float16 on a CPU, which has no gradient scaling.
    """
    resolved = resolve_precision(precision, device)
    if resolved == "float16" and device.type == "cpu":
        raise StormdrawError(
            "training.precision is float16, which needs a GPU; give bfloat16, float32 or auto"
        )
    names: dict[str, LightningPrecision] = {
        "float32": "32-true",
        "tf32": "32-true",
        "bfloat16": "bf16-mixed",
        "float16": "16-mixed",
    }
    return names[resolved]


@contextlib.contextmanager
def autocast(precision: Precision, device: torch.device) -> Iterator[None]:
    """A context in which convolutions and matrix products run in the chosen precision.

    On a CPU, a model trained in float16 runs in bfloat16.
    """
    resolved = resolve_precision(precision, device)
    half = torch.float16 if resolved == "float16" and device.type != "cpu" else torch.bfloat16
    halved = resolved in ("bfloat16", "float16")
    with (
        multiplication_precision(precision, device),
        torch.autocast(device.type, half, enabled=halved),
    ):
        yield


@contextlib.contextmanager
def multiplication_precision(precision: str, device: torch.device) -> Iterator[None]:
    """A context in which a GPU multiplies float32 numbers as `precision` says.

    By default, torch's convolutions round factors to TF32's 10 bits and its matrix products do not.
    Here both round for `tf32`, and neither does otherwise.
    """
    if device.type != "cuda":
        yield
        return
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    rounds = precision == "tf32"
    try:
        torch.set_float32_matmul_precision("high" if rounds else "highest")
        torch.backends.cudnn.allow_tf32 = rounds
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]
