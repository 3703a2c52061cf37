"""Read what a model's training recorded."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stormdraw.errors import StormdrawError


@dataclass(frozen=True)
class Training:
    """The metrics of one model's training, one value per epoch; NaN where an epoch has none.

    `samples_per_second` is the median over epochs, `seconds` the sum and `peak_memory_bytes` the
    maximum; each is None if no epoch records it. The losses by noise level and by variable are
    those of the last epoch.
    """

    epochs: list[int]
    train_loss: list[float]
    validation_loss: list[float]
    learning_rate: list[float]
    samples_per_second: float | None
    seconds: float | None
    peak_memory_bytes: float | None
    device: str | None
    loss_by_noise_level: dict[str, float]
    loss_by_variable: dict[str, float]


def read_json(path: str | Path) -> Any:
    """Read a JSON file of the models stage.

    Raises StormdrawError if it is missing or not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StormdrawError(f"{path}: no such file; run the models stage first") from None
    except json.JSONDecodeError as error:
        raise StormdrawError(f"{path}: not valid JSON ({error}); delete it") from None


def read_training(path: str | Path) -> Training:
    """Read a model's metrics.json.

    Raises StormdrawError if it holds no list of epochs.
    """
    content = read_json(path)
    rows = content.get("epochs") if isinstance(content, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise StormdrawError(f"{path}: expected a list of epochs; delete it and train again")
    speeds = sorted(_known(rows, "samples_per_second"))
    seconds = _known(rows, "seconds")
    memory = _known(rows, "peak_memory_bytes")
    devices = [str(row["device"]) for row in rows if row.get("device")]
    return Training(
        epochs=[int(row.get("epoch", index)) for index, row in enumerate(rows, start=1)],
        train_loss=_numbers(rows, "train_loss"),
        validation_loss=_numbers(rows, "validation_loss"),
        learning_rate=_numbers(rows, "learning_rate"),
        samples_per_second=speeds[len(speeds) // 2] if speeds else None,
        seconds=sum(seconds) if seconds else None,
        peak_memory_bytes=max(memory) if memory else None,
        # An interrupted training may have been resumed on another device.
        device=", then ".join(dict.fromkeys(devices)) or None,
        loss_by_noise_level=_last_of(rows, "loss_by_noise_level"),
        loss_by_variable=_last_of(rows, "train_loss_by_variable"),
    )


def _last_of(rows: Sequence[dict[str, Any]], key: str) -> dict[str, float]:
    """The last epoch's numbers under a key, empty if it has none."""
    numbers = rows[-1].get(key) if rows else None
    if not isinstance(numbers, Mapping):
        return {}
    return {str(name): float(value) for name, value in numbers.items() if value is not None}


def _numbers(rows: Sequence[dict[str, Any]], key: str) -> list[float]:
    return [math.nan if row.get(key) is None else float(row[key]) for row in rows]


def _known(rows: Sequence[dict[str, Any]], key: str) -> list[float]:
    return [number for number in _numbers(rows, key) if math.isfinite(number)]
