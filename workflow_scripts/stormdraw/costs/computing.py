"""How much there is to compute for the models of a run, and how long that takes."""

from collections.abc import Mapping
from dataclasses import dataclass

from stormdraw.costs.rates import OPERATIONS_A_SECOND_ON_CORE, OPERATIONS_A_SECOND_ON_GPU
from stormdraw.fields.expected_grid import target_shape
from stormdraw.models.operations import pass_operations, training_operations
from stormdraw.models.settings import ModelSettings
from stormdraw.settings import Settings


@dataclass(frozen=True)
class Computing:
    """Floating point operations of a whole run."""

    training: float
    sampling: float

    @property
    def gpu_hours(self) -> float:
        """On one GPU as named above."""
        return (self.training + self.sampling) / OPERATIONS_A_SECOND_ON_GPU / 3600

    @property
    def core_hours(self) -> float:
        """On CPU cores instead: hours times cores."""
        return (self.training + self.sampling) / OPERATIONS_A_SECOND_ON_CORE / 3600


def computing(settings: Settings, models: Mapping[str, ModelSettings]) -> Computing:
    """Operations of all trainings, and of drawing all members of the systems that use them."""
    shape = target_shape(settings)
    one_pass = {
        name: pass_operations(settings, model, shape)
        for name, model in models.items()
        if name in settings.model_names
    }
    training = sum(
        training_operations(
            settings, models[name], shape, models.get(models[name].forecaster or "")
        )
        for name in settings.model_names
    )
    sampling = sum(
        count * one_pass[name] * system.most_members(settings, models)
        for system in settings.ensembles.systems
        for name, count in system.passes(settings, models).items()
    )
    return Computing(training, sampling * len(settings.initial_times()))
