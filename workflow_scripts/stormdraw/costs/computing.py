"""The amount of computation for the models of a run, and the time it takes."""

from collections.abc import Mapping
from dataclasses import dataclass

from stormdraw.fields.expected_grid import target_shape
from stormdraw.models.gpu_peaks import RTX_4090, GpuPeaks
from stormdraw.models.operations import Work, pass_work, training_work
from stormdraw.models.settings import ModelSettings
from stormdraw.settings import Settings

# ddpm_ultra_minimal on the full grid on two cores of a Xeon, measured with this workflow: 15.9 s
# per sample of 375e9 operations. Layers other than convolutions with few channels are faster.
OPERATIONS_A_SECOND_ON_CORE = 375e9 / 15.9 / 2


@dataclass(frozen=True)
class Computing:
    """The work of a whole run."""

    training: Work
    sampling: Work

    @property
    def gpu_hours(self) -> tuple[float, float]:
        """Hours on one GPU: lower and upper estimate."""
        work = self.training + self.sampling
        return work.least_gpu_seconds / 3600, work.most_gpu_seconds / 3600

    @property
    def core_hours(self) -> float:
        """Hours times cores without a GPU."""
        return (self.training + self.sampling).operations / OPERATIONS_A_SECOND_ON_CORE / 3600


def computing(
    settings: Settings, models: Mapping[str, ModelSettings], gpu: GpuPeaks = RTX_4090
) -> Computing:
    """The work of all trainings, of drawing all members of the systems that use them, and of those
    that they are calibrated with."""
    shape = target_shape(settings)
    one_pass = {
        name: pass_work(settings, models[name], shape, gpu) for name in settings.model_names
    }
    training = [
        training_work(settings, models[name], shape, models.get(models[name].forecaster or ""), gpu)
        for name in settings.trained_models
    ]
    sampling = [
        one_pass[name]
        * count
        * (
            system.most_drawn(settings, models) * len(settings.cases_of(system))
            + system.calibration_draws(settings)
        )
        for system in settings.ensembles.systems
        for name, count in system.passes(settings, models).items()
    ]
    return Computing(sum(training, Work()), sum(sampling, Work()))
