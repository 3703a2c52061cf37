"""What drives the models of a run from outside: forecasts of a larger scale, and their files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stormdraw.archive.driving_needs import driving_variables, schedule_of
from stormdraw.archive.driving_schedule import Schedule
from stormdraw.errors import StormdrawError
from stormdraw.fields.driving import DrivingReader
from stormdraw.models.settings import DrivenBy, ModelSettings

if TYPE_CHECKING:
    from stormdraw.settings import Settings


@dataclass(frozen=True)
class RunDriving:
    """What drives the models of a run that are driven.

    `paths` are the day files of its forecasts that a job has; a job of undriven models has none.
    """

    by: DrivenBy
    schedule: Schedule
    paths: tuple[Path, ...] = ()

    @staticmethod
    def of(run: "Settings", paths: Sequence[str | Path] = ()) -> "RunDriving | None":
        """That of a run; None if nothing drives it."""
        by = driven_by(run)
        if by is None:
            return None
        return RunDriving(by, schedule_of(run), tuple(map(Path, paths)))

    def reader(self) -> DrivingReader:
        """Reads the files. Raises StormdrawError if there is none."""
        if not self.paths:
            raise StormdrawError(
                f"there are no fields of {self.by.model} in results/fields/driving to drive a model"
            )
        return DrivingReader(self.paths, self.by.variables, self.schedule)


def driven_by(run: "Settings") -> DrivenBy | None:
    """What drives the driven models of a run; None if nothing does."""
    driving = run.archive.driving
    if driving is None:
        return None
    return DrivenBy(
        model=driving.model,
        latency_hours=driving.latency_hours,
        variables=driving_variables(run),
    )


def as_driven(model: ModelSettings, run: "Settings") -> ModelSettings:
    """A model's configuration with what drives it in a run.

    Raises StormdrawError if the model is driven and the run is not, or if the configuration says
    itself what drives it.
    """
    if model.driven_by is not None:
        raise StormdrawError("driven_by is what archive.driving of the run says; remove it")
    if not model.driven:
        return model
    by = driven_by(run)
    if by is None:
        raise StormdrawError(
            "forcings has driving, but the run has no driving model; give archive.driving, or "
            "leave the forcing out of the model"
        )
    return model.model_copy(update={"driven_by": by})


def require_driving(
    model: ModelSettings,
    run: DrivenBy | None,
    origin: str,
    or_else: str = "delete the file to train again",
) -> None:
    """Raise StormdrawError if a trained model is driven by something else than the run is.

    Its message ends with `or_else`.
    """
    own = model.driven_by
    if own in (None, run):
        return
    given = "has no driving model" if run is None else f"has {run}"
    raise StormdrawError(
        f"{origin}: is driven by {own}, but the run {given}; give archive.driving as in its "
        f"training, or {or_else}"
    )
