"""When a training unrolls its model over several hours."""

from dataclasses import dataclass

from stormdraw.models.accumulation import Windows
from stormdraw.models.training_settings import Training


@dataclass(frozen=True)
class RolloutSchedule:
    """The number of hours of each batch of a training.

    First come `one_hour` optimizer steps of one hour, then the stages of `training.rollout`. What
    the last epoch has beyond these is of the last stage.
    """

    training: Training
    windows: Windows

    @property
    def one_hour(self) -> int:
        """The optimizer steps of one hour."""
        training = self.training
        return training.steps or (training.epochs or 0) * self.windows.steps

    def hours(self, epoch: int, batch_index: int) -> int:
        """The hours that a batch of an epoch is unrolled over, both counted from 0."""
        rollout = self.training.rollout
        if rollout is None:
            return 1
        step = epoch * self.windows.steps + batch_index // self.windows.accumulation
        left = step - self.one_hour
        if left < 0:
            return 1
        for hours, steps in zip(rollout.hours, rollout.steps, strict=True):
            if left < steps:
                return hours
            left -= steps
        return rollout.hours[-1]
