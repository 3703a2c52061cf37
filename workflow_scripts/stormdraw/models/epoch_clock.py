"""Where the time of an epoch goes."""

import time
from collections.abc import Mapping
from typing import Literal

import torch

Part = Literal["training", "validation", "rest"]


class EpochClock:
    """Seconds of an epoch that were spent in training, in validation, and in the rest.

    The rest is what lies between epochs, such as the saving of a resume file.
    """

    def __init__(self) -> None:
        self._spent: dict[Part, float] = {}
        self.begin("rest")

    def begin(self, part: Part, spent: Mapping[Part, float] | None = None) -> None:
        """Begin an epoch with this part; so much is over already if it is taken up again."""
        self._spent = {"training": 0.0, "validation": 0.0, "rest": 0.0, **(spent or {})}
        self._part, self._since = part, time.monotonic()

    def enter(self, part: Part) -> None:
        """What was done until now is over, and this part begins or goes on."""
        # A GPU works behind the program, and what it still has to do belongs to the last part.
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.begin(part, self.seconds)

    @property
    def seconds(self) -> dict[Part, float]:
        """Of each part, until now."""
        now = time.monotonic()
        return {**self._spent, self._part: self._spent[self._part] + now - self._since}
