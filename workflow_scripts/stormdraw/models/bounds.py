"""Physical bounds of the states."""

from collections.abc import Sequence

import torch

from stormdraw.variables import variable


def apply_bounds(
    states: torch.Tensor, variables: Sequence[str]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Clip physical states (B, V, Y, X) to their bounds.

    Each variable is clipped to the bounds of its row in the table of variables, and the dew point
    to the temperature. Missing values stay missing. Returns the states and the number of points of
    each variable that changed, (V,).
    """
    bounded = states.clone()
    for index, name in enumerate(variables):
        row = variable(name)
        bounded[:, index].clamp_(row.lower, row.upper)
    if {"T2M", "D2M"} <= set(variables):
        temperature = bounded[:, variables.index("T2M")]
        dew_point = bounded[:, variables.index("D2M")]
        dew_point.copy_(torch.minimum(dew_point, temperature))
    changed = (bounded != states) & ~states.isnan()
    return bounded, changed.sum(dim=(0, 2, 3))
