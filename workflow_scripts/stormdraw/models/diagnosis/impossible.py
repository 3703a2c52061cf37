"""Points with physically impossible values."""

from collections.abc import Sequence

import torch

from stormdraw.variables import variable


def impossible_points(
    states: torch.Tensor, variables: Sequence[str], tolerant: bool = False
) -> torch.Tensor:
    """The number of impossible points of each variable in physical states (B, V, Y, X), (V,).

    These are values outside the bounds of the table of variables, values that are not a number, and
    dew points above the temperature. With `tolerant`, an excess below the precision of the archive
    does not count, since nobody could see it.
    """
    counts = []
    for index, name in enumerate(variables):
        row = variable(name)
        allowed = row.precision if tolerant else 0.0
        values = states[:, index]
        # Written so that NaN counts as impossible.
        possible = (values >= row.lower - allowed) & (values <= row.upper + allowed)
        if name == "D2M" and "T2M" in variables:
            possible &= values <= states[:, variables.index("T2M")] + allowed
        counts.append((~possible).sum())
    return torch.stack(counts)
