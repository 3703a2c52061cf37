"""The hours that a model is diagnosed on, outside the test period."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from stormdraw.periods import Periods

# One day of pairs, so that every hour of the day is included.
LAST_TRAINING_HOURS = 25

# Targets that give a state one hour ahead. Downscaling draws blocks of points, which have neither a
# spectrum of the whole domain nor a next hour to score.
_OF_THE_NEXT_HOUR = ("next_state", "residual")


def can_be_diagnosed(model: Mapping[str, Any]) -> bool:
    """Whether a model generates the next hour, which is what a diagnosis examines."""
    return model["target"] in _OF_THE_NEXT_HOUR


def diagnosed_hours(periods: Periods) -> tuple[str, list[datetime]]:
    """The name of the period and the valid times: validation, or else the end of training."""
    if periods.validation is not None:
        return "validation", periods.validation.times()
    return "training", periods.training_times()[-LAST_TRAINING_HOURS:]
