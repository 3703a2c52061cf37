"""The hours a model is diagnosed on: never those of the test period."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from stormdraw.periods import Periods

# A day of pairs, so that every hour of the day is among them.
LAST_TRAINING_HOURS = 25

# Targets from which a state one hour ahead follows. Downscaling draws blocks of points, which have
# no spectrum of the whole domain and no next hour to be scored on.
_OF_THE_NEXT_HOUR = ("next_state", "residual")


def can_be_diagnosed(model: Mapping[str, Any]) -> bool:
    """Whether a model's configuration generates the next hour, which is what is diagnosed."""
    return model["target"] in _OF_THE_NEXT_HOUR


def diagnosed_hours(periods: Periods) -> tuple[str, list[datetime]]:
    """The name of the period and the valid times: validation, or else the end of the training."""
    if periods.validation is not None:
        return "validation", periods.validation.times()
    return "training", periods.training.times()[-LAST_TRAINING_HOURS:]
