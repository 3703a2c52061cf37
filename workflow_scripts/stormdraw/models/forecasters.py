"""The kind of model that a configuration describes."""

from stormdraw.fields.statistics import Statistics
from stormdraw.models.diffusion import DiffusionModel
from stormdraw.models.downscaling import DownscalingModel
from stormdraw.models.forecaster import Forecaster
from stormdraw.models.one_step import OneStepModel
from stormdraw.models.perturbation import PerturbationModel
from stormdraw.models.settings import ModelSettings


def make_forecaster(settings: ModelSettings, statistics: Statistics) -> Forecaster:
    """A model with new weights drawn from torch's current random state."""
    if settings.prediction == "target":
        return OneStepModel(settings, statistics)
    if settings.target == "block":
        return DownscalingModel(settings, statistics)
    if settings.target == "perturbed_state":
        return PerturbationModel(settings, statistics)
    return DiffusionModel(settings, statistics)
