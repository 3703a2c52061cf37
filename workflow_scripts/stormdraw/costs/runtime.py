"""How long a job that trains or draws members may take, from the plans of its models."""

from collections.abc import Mapping
from typing import Any

# Minutes. A job that is stopped goes on where it was, and many a cluster refuses more than a day.
LONGEST = 1440
# What is not computing: reading, writing, a queue of the file system.
_BESIDE = 60
# A T4 has a third of the memory bandwidth of the GPU that the plans are of.
_SLOWER = 4


def minutes_to_train(plan: Mapping[str, Any] | None, devices: int, attempt: int = 1) -> int:
    """A training on so many devices; without a plan, the longest there is."""
    return LONGEST if plan is None else _minutes(_seconds(plan, "training") / devices, attempt)


def minutes_to_draw(
    plans: Mapping[str, Mapping[str, Any] | None],
    passes: Mapping[str, int],
    members: int,
    attempt: int = 1,
) -> int:
    """So many members of a case, each of them so many `passes` of each model."""
    seconds = 0.0
    for name, count in passes.items():
        plan = plans[name]
        if plan is None:
            return LONGEST
        seconds += members * count * _seconds(plan, "one_pass")
    return _minutes(seconds, attempt)


def _seconds(plan: Mapping[str, Any], what: str) -> float:
    return float(plan["work"][what]["most_gpu_seconds"])


def _minutes(on_gpu: float, attempt: int) -> int:
    """A job that was stopped asks for more time, but never for more than there is."""
    return min(LONGEST, attempt * (_BESIDE + round(_SLOWER * on_gpu / 60)))
