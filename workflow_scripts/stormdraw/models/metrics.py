"""`metrics.json`: the progress of a training, one entry per epoch."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stormdraw.files import write_text


@dataclass(frozen=True)
class EpochMetrics:
    """One epoch. Losses are those that the configuration names.

    `step` counts optimizer steps from the start of training; the learning rate is that of the next
    step. `samples_per_second` is the speed of training alone; `seconds` covers the whole epoch with
    validation and saving. `gradient_norm` is the mean over the epoch's steps, before clipping.
    `gpu_utilisation` is the mean share of time in which the GPU was busy. Violations of physical
    laws are as defined in physics.py, before weighting.
    """

    epoch: int
    step: int
    train_loss: float
    train_loss_by_variable: dict[str, float]
    validation_loss: float | None
    learning_rate: float
    samples_per_second: float
    seconds: float
    validation_seconds: float
    gradient_norm: float
    loss_by_noise_level: dict[str, float]
    physics_violations: dict[str, float]
    peak_memory_bytes: int
    gpu_utilisation: float | None
    device: str

    def as_dict(self) -> dict[str, Any]:
        """The entry of the file."""
        return asdict(self)

    def scalars(self) -> dict[str, float]:
        """The scalars for TensorBoard."""
        scalars = {
            "loss/training": self.train_loss,
            "learning_rate": self.learning_rate,
            "gradient_norm": self.gradient_norm,
            "speed/samples_per_second": self.samples_per_second,
            "memory/peak_gigabytes": self.peak_memory_bytes / 1e9,
        }
        for name, loss in self.train_loss_by_variable.items():
            scalars[f"loss_by_variable/{name}"] = loss
        for name, loss in self.loss_by_noise_level.items():
            scalars[f"loss_by_noise_level/{name}"] = loss
        for law, violation in self.physics_violations.items():
            scalars[f"physics_violations/{law}"] = violation
        if self.gpu_utilisation is not None:
            scalars["speed/gpu_utilisation"] = self.gpu_utilisation
        if self.validation_loss is not None:
            scalars["loss/validation"] = self.validation_loss
        return scalars

    def line(self, epochs: int) -> str:
        """The line for the log."""
        validation = (
            "" if self.validation_loss is None else f", validation {self.validation_loss:.4f}"
        )
        return (
            f"epoch {self.epoch}/{epochs}: loss {self.train_loss:.4f}{validation}, "
            f"{self.samples_per_second:.1f} samples/s, "
            f"{self.peak_memory_bytes / 1e9:.1f} GB at most"
        )


@dataclass(frozen=True)
class MetricsFile:
    """The metrics file, and its heading above the epochs."""

    path: Path
    heading: dict[str, Any]

    def write(self, epochs: list[dict[str, Any]]) -> None:
        """Replace the file atomically, so that a reader never sees half of it."""
        write_text(self.path, json.dumps({**self.heading, "epochs": epochs}, indent=1) + "\n")
