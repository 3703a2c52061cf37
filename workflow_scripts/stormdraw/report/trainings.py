"""What is known of a model: its plan, and how its training went."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stormdraw.errors import StormdrawError
from stormdraw.report.wording import as_yaml, duration_text, size_text


@dataclass(frozen=True)
class Training:
    """One model's metrics, a value an epoch; NaN where an epoch has none.

    `samples_per_second` is the median over epochs, `seconds` the sum, `peak_memory_bytes` the
    largest; None where no epoch tells.
    """

    epochs: list[int]
    train_loss: list[float]
    validation_loss: list[float]
    learning_rate: list[float]
    samples_per_second: float | None
    seconds: float | None
    peak_memory_bytes: float | None
    device: str | None


def read_json(path: str | Path) -> Any:
    """The content of a JSON file.

    Raises StormdrawError if it is missing or not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StormdrawError(f"{path}: no such file; run the models stage first") from None
    except json.JSONDecodeError as error:
        raise StormdrawError(f"{path}: not valid JSON ({error}); delete it") from None


def read_training(path: str | Path) -> Training:
    """A model's metrics.json.

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
        # A training that was interrupted may have gone on elsewhere.
        device=", then ".join(dict.fromkeys(devices)) or None,
    )


@dataclass(frozen=True)
class ModelCard:
    """One model on the page: (what, value) pairs, and its definition as YAML.

    `gap` says what is missing, or is empty.
    """

    name: str
    facts: list[tuple[str, str]]
    plan: list[tuple[str, str]]
    definition: str
    gap: str


def describe_model(
    name: str,
    definition: Mapping[str, Any] | None,
    plan_path: str | Path | None,
    metrics_path: str | Path | None,
) -> ModelCard:
    """A model's plan and training in words; what is not there is said in `gap`.

    Raises StormdrawError if a file that is given is missing or not what it should be.
    """
    plan = read_json(plan_path) if plan_path is not None else {}
    missing = [
        what
        for what, path in (("plan", plan_path), ("training metrics", metrics_path))
        if path is None
    ]
    facts = _training_facts(read_training(metrics_path)) if metrics_path is not None else []
    if "parameters" in plan:
        facts.insert(0, ("parameters", f"{plan['parameters']:,}"))
    return ModelCard(
        name=name,
        facts=facts,
        plan=flattened(plan),
        definition=as_yaml(definition) if definition else "",
        gap=f"Not there: {' and '.join(missing)}." if missing else "",
    )


def _training_facts(training: Training) -> list[tuple[str, str]]:
    if not training.epochs:
        return [("epochs", "none finished")]
    facts = [
        ("epochs", str(len(training.epochs))),
        ("last training loss", _loss(training.train_loss)),
    ]
    if any(math.isfinite(loss) for loss in training.validation_loss):
        facts.append(("last validation loss", _loss(training.validation_loss)))
    if training.seconds is not None:
        facts.append(("training time", duration_text(training.seconds)))
    if training.samples_per_second is not None:
        facts.append(("speed", f"{training.samples_per_second:.3g} samples/s"))
    if training.peak_memory_bytes is not None:
        facts.append(("most memory", size_text(training.peak_memory_bytes)))
    return [*facts, ("device", training.device or "not recorded")]


def _loss(losses: Sequence[float]) -> str:
    return f"{losses[-1]:.4g}" if math.isfinite(losses[-1]) else "not a number"


def _numbers(rows: Sequence[dict[str, Any]], key: str) -> list[float]:
    return [math.nan if row.get(key) is None else float(row[key]) for row in rows]


def _known(rows: Sequence[dict[str, Any]], key: str) -> list[float]:
    return [number for number in _numbers(rows, key) if math.isfinite(number)]


def flattened(plan: Mapping[str, Any], group: str = "") -> list[tuple[str, str]]:
    """A plan as (what, value) for people: nested keys joined, bytes as MiB or GiB, lists in line.

    A number is of bytes if its own key or that of its group says so; counts of members are not.
    """
    rows: list[tuple[str, str]] = []
    for key, value in plan.items():
        name = f"{group}: {key}" if group else key
        if isinstance(value, Mapping):
            rows += flattened(value, name)
        else:
            in_bytes = "bytes" in name and not key.startswith("members")
            what = name.replace("_bytes", " memory").replace("_", " ")
            rows.append((what, _readable(value, in_bytes)))
    return rows


def _readable(value: Any, in_bytes: bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, int | float):
        if in_bytes:
            return size_text(value)
        return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(_readable(item, in_bytes) for item in value) or "none"
    return str(value)
