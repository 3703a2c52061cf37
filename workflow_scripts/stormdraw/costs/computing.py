"""How much there is to compute for models, in floating point operations, and how long that takes.

Operations are counted with the networks on torch's meta device, without data. What a device does of
them in a second is known from two trainings only, so hours are right to a factor of two or three.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from torch.utils.flop_counter import FlopCounterMode

from stormdraw.costs.fetching import target_shape
from stormdraw.ensembles.settings import DefSystem, DownscaleSystem, ModelSystem, OneStepSystem
from stormdraw.models.memory import sampling_bytes, training_memory
from stormdraw.models.settings import ModelSettings
from stormdraw.models.systems import stepping_model
from stormdraw.models.training import count_epochs
from stormdraw.settings import Settings

GPU = "an RTX 4090"
# The reference's ddpm_ultra_minimal on that GPU: 3.3 samples a second of the full grid, each of
# 375e9 operations.
OPERATIONS_A_SECOND_ON_GPU = 3.3 * 375e9
# The same training on two cores of a Xeon, as measured with this workflow: 15.9 s a sample.
OPERATIONS_A_SECOND_ON_CORE = 375e9 / 15.9 / 2


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
    training = sum(_training(settings, name, models) for name in settings.model_names)
    sampling = sum(
        _sampling(settings, system, models)
        for system in settings.ensembles.systems
        if isinstance(system, ModelSystem | DownscaleSystem)
    )
    return Computing(training, sampling)


def _training(settings: Settings, name: str, models: Mapping[str, ModelSettings]) -> float:
    """All optimizer steps; a validation is small beside them.

    A forecaster that is learnt from forecasts every hour once, if its states stay in memory.
    """
    model = models[name]
    pairs = len(settings.periods.training.times()) - 1
    _, steps = count_epochs(model, pairs)
    with FlopCounterMode(display=False) as counted:
        training_memory(model, len(settings.variables), target_shape(settings))
    total = float(counted.get_total_flops()) * steps * model.training.accumulation
    if model.forecaster is not None:
        total += _one_pass(settings, models[model.forecaster]) * pairs
    return total


def _sampling(
    settings: Settings, system: ModelSystem | DownscaleSystem, models: Mapping[str, ModelSettings]
) -> float:
    """All members, each state in the sampler's steps or in one.

    States are those of every hour to the longest lead; downscaling needs those of the leads only.
    """
    cases = settings.members(system) * len(settings.initial_times())
    if isinstance(system, DownscaleSystem):
        each = sum(_one_pass(settings, models[name]) for name in system.models)
        return each * system.steps * len(settings.leads) * cases
    states = max(settings.leads) * cases
    one_pass = _one_pass(settings, models[system.model])
    if isinstance(system, OneStepSystem):
        return one_pass * states
    if not isinstance(system, DefSystem):
        return one_pass * system.steps * states
    # Each step is taken with the condition and without, unless only one of the two counts.
    branches = 1 if system.guidance in (0.0, 1.0) else 2
    forecaster = _one_pass(settings, models[stepping_model(system, models)])
    return (one_pass * branches * system.steps * system.walks + forecaster) * states


def _one_pass(settings: Settings, model: ModelSettings) -> float:
    """One evaluation of a model's network on the whole grid."""
    with FlopCounterMode(display=False) as counted:
        sampling_bytes(model, len(settings.variables), target_shape(settings))
    return float(counted.get_total_flops())
