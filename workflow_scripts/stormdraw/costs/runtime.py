"""How long a job that trains or draws members may take, from the plans of its models."""

from collections.abc import Mapping
from typing import Any

from stormdraw.costs.rates import OPERATIONS_A_SECOND_ON_GPU

# Minutes. A job that is stopped goes on where it was, and many a cluster refuses more than a day.
LONGEST = 1440
# What is not computing: reading, writing, a queue of the file system.
_BESIDE = 60
# A T4 has a third of the memory bandwidth of the GPU that the rates are of.
_SLOWER = 4


def minutes_to_train(plan: Mapping[str, Any] | None, devices: int) -> int:
    """A training on so many devices; without a plan, the longest there is."""
    return _minutes(None if plan is None else plan["operations"]["training"] / devices)


def minutes_to_draw(
    plans: Mapping[str, Mapping[str, Any] | None], passes: Mapping[str, int], members: int
) -> int:
    """So many members of a case, each of them so many `passes` of each model."""
    operations = 0.0
    for name, count in passes.items():
        plan = plans[name]
        if plan is None:
            return LONGEST
        operations += members * count * plan["operations"]["one_pass"]
    return _minutes(operations)


def _minutes(operations: float | None) -> int:
    if operations is None:
        return LONGEST
    on_gpu = operations / OPERATIONS_A_SECOND_ON_GPU / 60
    return min(LONGEST, _BESIDE + round(_SLOWER * on_gpu))
