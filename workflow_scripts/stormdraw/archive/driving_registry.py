"""All driving models: those in `driving/`, by the names of their files, and each base model."""

import importlib
import pkgutil

from stormdraw.archive import driving
from stormdraw.archive.base_model import base_model_names
from stormdraw.archive.driving_model import DrivingModel
from stormdraw.archive.earlier_run import EarlierRun

# With the star, all of them are in the digest of whatever asks here (`stormdraw.code_digest`).
_FILES = "stormdraw.archive.driving.*"


def larger_scale_models() -> tuple[str, ...]:
    """The names of those that are of a larger scale."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(driving.__path__)))


def driving_models() -> tuple[str, ...]:
    """The names of all driving models. A base model drives as an earlier run of itself."""
    return tuple(sorted((*larger_scale_models(), *base_model_names())))


def driving_model(name: str) -> DrivingModel:
    """The driving model of that name, which must be one of `driving_models`."""
    if name in base_model_names():
        return EarlierRun.of(name)
    found: DrivingModel = importlib.import_module(_FILES.replace("*", name)).DRIVING
    return found
