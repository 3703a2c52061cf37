"""What the world knows of base models: all that the package asks of a stage.

The archive has the analyses of one of them, in files as its own are.
"""

from stormdraw.archive.base_model import UNKNOWN_PROCESS, base_model, base_model_names
from stormdraw.archive.base_models.hrrr import MODEL

__all__ = ["BASE", "SIMULATED_MODEL", "UNKNOWN_PROCESS", "base_model", "base_model_names"]

BASE = MODEL()
SIMULATED_MODEL = BASE.name
