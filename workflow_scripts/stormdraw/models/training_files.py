"""The files of a training."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TrainingFiles:
    """The files that a training reads and writes.

    `static` may be None for a model without terrain. `forecaster` is the checkpoint of the model
    whose states a perturbation model learns from, else None. `resume_folder` must differ for
    different settings and code; a training resumes from a file in it. `driving` are the day files
    of what drives the model, or its forecaster, and `driving_statistics` their statistics.
    """

    fields: Sequence[Path]
    statistics: Path
    static: Path | None
    model: Path
    metrics: Path
    resume_folder: Path
    tensorboard_folder: Path
    forecaster: Path | None = None
    driving: Sequence[Path] = ()
    driving_statistics: Path | None = None
