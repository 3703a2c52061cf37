"""All driving models, by the names of their files in `driving/`."""

import importlib
import pkgutil

from stormdraw.archive import driving
from stormdraw.archive.driving_model import DrivingModel

# With the star, all of them are in the digest of whatever asks here (`stormdraw.code_digest`).
_FILES = "stormdraw.archive.driving.*"


def driving_models() -> tuple[str, ...]:
    """The names of all driving models."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(driving.__path__)))


def driving_model(name: str) -> DrivingModel:
    """The driving model of that name, which must be one of `driving_models`."""
    found: DrivingModel = importlib.import_module(_FILES.replace("*", name)).DRIVING
    return found
