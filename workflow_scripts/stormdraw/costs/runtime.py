"""The time limit of a job that trains or draws members, from the plans of its models."""

from collections.abc import Mapping
from typing import Any

# Minutes. A stopped job resumes, and many clusters refuse more than a day.
LONGEST = 1440
# Everything but computing: reading, writing, waiting for the file system.
_OVERHEAD = 60
# Times the most that the GPU which plans assume is estimated to take; a site whose GPUs are slower,
# or whose jobs may last longer, says so in its profile.
_MARGIN = 2


def minutes_to_train(plan: Mapping[str, Any] | None, devices: int, attempt: int = 1) -> int:
    """A training on `devices` devices; without a plan, the longest allowed."""
    return LONGEST if plan is None else _minutes(_seconds(plan, "training") / devices, attempt)


def minutes_to_draw(
    plans: Mapping[str, Mapping[str, Any] | None],
    passes: Mapping[str, int],
    members: int,
    attempt: int = 1,
) -> int:
    """`members` members of a case, each with `passes` network passes of each model."""
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
    """The limit grows with each attempt of a stopped job, up to the longest allowed."""
    return min(LONGEST, attempt * (_OVERHEAD + round(_MARGIN * on_gpu / 60)))
