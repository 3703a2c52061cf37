"""The learning rate of each optimizer step."""

import math

from stormdraw.models.rollout_schedule import one_hour_steps
from stormdraw.models.training_settings import Training


def learning_rate_factor(training: Training, step: int, total_steps: int) -> float:
    """The rate of a step, counted from 0, over `training.learning_rate`.

    It rises linearly during warm-up, then stays constant or falls to zero as half a cosine. If the
    steps over several hours have a rate of their own, they follow with a schedule of their own,
    without warm-up.
    """
    rollout, first = training.rollout, one_hour_steps(training, total_steps)
    if rollout is None or rollout.learning_rate is None:
        return _after_warm_up(training, step, total_steps)
    if step < first:
        return _after_warm_up(training, step, first)
    own = rollout.learning_rate / training.learning_rate
    return own * _decline(training, step - first, total_steps - first)


def _after_warm_up(training: Training, step: int, steps: int) -> float:
    warm_up = training.warm_up_steps
    if step < warm_up:
        return (step + 1) / (warm_up + 1)
    return _decline(training, step - warm_up, steps - warm_up)


def _decline(training: Training, step: int, steps: int) -> float:
    if training.learning_rate_schedule == "constant":
        return 1.0
    return 0.5 * (1.0 + math.cos(math.pi * step / max(steps, 1)))
