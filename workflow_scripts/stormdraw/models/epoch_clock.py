"""How the time of an epoch is spent."""

import time
from collections.abc import Mapping
from typing import Literal

import torch

Part = Literal["training", "validation", "rest"]


class EpochClock:
    """Seconds of an epoch spent in training, in validation, and in the rest.

    The rest is the time between epochs, such as for saving a resume file.
    """

    def __init__(self) -> None:
        self._spent: dict[Part, float] = {}
        self.begin("rest")

    def begin(self, part: Part, spent: Mapping[Part, float] | None = None) -> None:
        """Begin an epoch in this part; `spent` is the time before, if the epoch is resumed."""
        self._spent = {"training": 0.0, "validation": 0.0, "rest": 0.0, **(spent or {})}
        self._part, self._since = part, time.monotonic()

    def enter(self, part: Part) -> None:
        """End the current part, and begin or continue another one."""
        # A GPU runs asynchronously; its pending work belongs to the current part.
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.begin(part, self.seconds)

    @property
    def seconds(self) -> dict[Part, float]:
        """The seconds of each part so far."""
        now = time.monotonic()
        return {**self._spent, self._part: self._spent[self._part] + now - self._since}
