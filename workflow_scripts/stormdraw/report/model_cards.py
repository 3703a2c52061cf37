"""A model on the page: its plan, its training and what that cost."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stormdraw.report.model_costs import cost_rows, memory_rows
from stormdraw.report.settings import Report
from stormdraw.report.trainings import Training, read_json, read_training
from stormdraw.report.wording import as_yaml, duration_text, size_text


@dataclass(frozen=True)
class ModelCard:
    """One model on the page: (label, value) pairs, and its definition as YAML.

    `losses` are (caption, table) pairs of the last epoch's losses.
    """

    name: str
    facts: list[tuple[str, str]]
    losses: list[tuple[str, list[tuple[str, str]]]]
    plan: list[tuple[str, str]]
    definition: str


def describe_model(
    name: str,
    definition: Mapping[str, Any],
    plan_path: str | Path,
    metrics_path: str | Path,
    report: Report,
) -> ModelCard:
    """Describe a model's plan and training.

    Raises StormdrawError if a file is missing or malformed.
    """
    plan, training = read_json(plan_path), read_training(metrics_path)
    facts = [*_training_facts(training), *memory_rows(plan, training), *cost_rows(training, report)]
    if "parameters" in plan:
        facts.insert(0, ("parameters", f"{plan['parameters']:,}"))
    facts += [
        (f"{role} variables", ", ".join(names))
        for role, names in plan.get("roles", {}).items()
        if names
    ]
    return ModelCard(name, facts, _losses(training), flattened(plan), as_yaml(definition))


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
    return [*facts, ("device", training.device or "not recorded")]


def _loss(losses: Sequence[float]) -> str:
    return f"{losses[-1]:.4g}" if math.isfinite(losses[-1]) else "not a number"


def _losses(training: Training) -> list[tuple[str, list[tuple[str, str]]]]:
    tables = (
        ("loss by noise level, last epoch", training.loss_by_noise_level),
        ("loss by variable, last epoch", training.loss_by_variable),
    )
    return [
        (caption, [(name, f"{loss:.4g}") for name, loss in losses.items()])
        for caption, losses in tables
        if losses
    ]


def flattened(plan: Mapping[str, Any], group: str = "") -> list[tuple[str, str]]:
    """A plan as readable (label, value) pairs: nested keys joined, bytes as MiB or GiB.

    A number counts bytes if its key or the key of its group says so; counts of members never do.
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
