"""How many floating point operations a training and a pass take.

They are counted with the networks on torch's meta device, without data.
"""

from torch.utils.flop_counter import FlopCounterMode

from stormdraw.models.accumulation import count_epochs
from stormdraw.models.memory import sampling_bytes, training_memory
from stormdraw.models.settings import ModelSettings
from stormdraw.settings import Settings


def training_operations(
    settings: Settings,
    model: ModelSettings,
    shape: tuple[int, int],
    forecaster: ModelSettings | None = None,
) -> float:
    """All optimizer steps on a grid of `shape` (y, x); a validation is small beside them.

    A `forecaster` that is learnt from forecasts every hour once, if its states stay in memory.
    """
    pairs = len(settings.periods.training.times()) - 1
    _, steps = count_epochs(model, pairs)
    with FlopCounterMode(display=False) as counted:
        training_memory(model, len(settings.variables), shape)
    total = float(counted.get_total_flops()) * steps * model.training.accumulation
    if forecaster is not None:
        total += pass_operations(settings, forecaster, shape) * pairs
    return total


def pass_operations(settings: Settings, model: ModelSettings, shape: tuple[int, int]) -> float:
    """One evaluation of a model's network on the whole grid."""
    with FlopCounterMode(display=False) as counted:
        sampling_bytes(model, len(settings.variables), shape)
    return float(counted.get_total_flops())
