"""The kind of model that a configuration describes."""

from stormdraw.fields.statistics import Statistics
from stormdraw.models.diffusion import DiffusionModel
from stormdraw.models.downscaling import DownscalingModel
from stormdraw.models.forecaster import Forecaster
from stormdraw.models.one_step import OneStepModel
from stormdraw.models.perturbation import PerturbationModel
from stormdraw.models.settings import ModelSettings
from stormdraw.roles import Roles


def make_forecaster(
    settings: ModelSettings, statistics: Statistics, roles: Roles | None = None
) -> Forecaster:
    """A model with new weights drawn from torch's current random state.

    `roles` are those of the run's variables, by default all predicted; a model may have fewer of
    them.
    """
    roles = settings.roles_of(roles or Roles(predicted=statistics.variables))
    return _kind(settings)(settings, statistics, roles)


def _kind(settings: ModelSettings) -> type[Forecaster]:
    if settings.prediction == "target":
        return OneStepModel
    if settings.target == "block":
        return DownscalingModel
    if settings.target == "perturbed_state":
        return PerturbationModel
    return DiffusionModel
