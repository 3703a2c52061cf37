"""The device to compute on, and in which precision."""

from typing import Literal

import torch

LightningPrecision = Literal["32-true", "bf16-mixed"]


def choose_device() -> torch.device:
    """The GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def describe_device(device: torch.device) -> str:
    """One phrase for the log and for `metrics.json`."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"the CPU with {torch.get_num_threads()} threads (no GPU found)"


def resolve_precision(precision: str, device: torch.device) -> str:
    """`auto` is bfloat16 where the device computes it natively, else float32.

    Not every CPU does, and those that do not emulate it slowly, so `auto` is float32 on a CPU.
    """
    if precision != "auto":
        return precision
    native = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bfloat16" if native else "float32"


def lightning_precision(precision: str, device: torch.device) -> LightningPrecision:
    """The same in Lightning's words."""
    return "bf16-mixed" if resolve_precision(precision, device) == "bfloat16" else "32-true"


def autocast(precision: str, device: torch.device) -> torch.autocast:
    """A context in which convolutions run in the chosen precision."""
    return torch.autocast(
        device.type, torch.bfloat16, enabled=resolve_precision(precision, device) == "bfloat16"
    )
