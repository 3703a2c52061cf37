"""Points that the atmosphere could not have."""

from collections.abc import Sequence

import torch

from stormdraw.variables import variable


def impossible_points(
    states: torch.Tensor, variables: Sequence[str], tolerant: bool = False
) -> torch.Tensor:
    """How many points of each variable are impossible in physical states (B, V, Y, X), (V,).

    Those are outside the bounds of the table of variables or not a number, and dew points above the
    temperature. A `tolerant` count passes over what is within the step to which the archive
    resolves the variable: that is nothing anybody could see.
    """
    counts = []
    for index, name in enumerate(variables):
        row = variable(name)
        allowed = row.precision if tolerant else 0.0
        values = states[:, index]
        # So that what is not a number counts as well.
        possible = (values >= row.lower - allowed) & (values <= row.upper + allowed)
        if name == "D2M" and "T2M" in variables:
            possible &= values <= states[:, variables.index("T2M")] + allowed
        counts.append((~possible).sum())
    return torch.stack(counts)
