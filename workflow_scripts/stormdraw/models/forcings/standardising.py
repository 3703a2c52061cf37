"""Physical fields as a network sees them."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from stormdraw.fields.transforms import forward


class Moments(Protocol):
    """Means and standard deviations of transformed variables, each (variable,)."""

    @property
    def transforms(self) -> Sequence[str]: ...

    @property
    def mean(self) -> np.ndarray: ...

    @property
    def std(self) -> np.ndarray: ...


def standardised(physical: np.ndarray, known: Moments) -> np.ndarray:
    """Physical fields (variable, y, x), transformed, with mean 0 and deviation 1; float32."""
    fields = np.empty_like(physical)
    for index, transform in enumerate(known.transforms):
        value = forward(physical[index], transform)
        fields[index] = (value - known.mean[index]) / known.std[index]
    return fields
