"""When a training unrolls its model over several hours."""

import itertools
from dataclasses import dataclass

from stormdraw.models.accumulation import Windows
from stormdraw.models.training_settings import Training


@dataclass(frozen=True)
class RolloutSchedule:
    """The number of hours of each batch of a training of `total_steps` optimizer steps.

    The last steps are those of the stages of `training.rollout`; all before are of one hour.
    """

    training: Training
    windows: Windows
    total_steps: int

    def hours(self, epoch: int, batch_index: int) -> int:
        """The hours that a batch of an epoch is unrolled over, both counted from 0."""
        rollout = self.training.rollout
        if rollout is None:
            return 1
        step = epoch * self.windows.steps + batch_index // self.windows.accumulation
        left = step - one_hour_steps(self.training, self.total_steps)
        if left < 0:
            return 1
        ends = itertools.accumulate(rollout.steps)
        return next(hours for hours, end in zip(rollout.hours, ends, strict=True) if left < end)


def one_hour_steps(training: Training, total_steps: int) -> int:
    """The optimizer steps of one hour: what the whole epochs leave of `total_steps`."""
    return total_steps - (0 if training.rollout is None else training.rollout.total_steps)
