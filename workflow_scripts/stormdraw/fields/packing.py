"""Variables packed as 16-bit integers between their physical bounds.

The step between two numbers is a power of two, so that unpacked values are exact in float32:
packing them again changes nothing, and the floor of a variable (no echo, no CAPE) stays exact. Half
a step is far below the archive's precision: 0.001 K for a temperature resolved to 0.1 K.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from stormdraw.variables import variable

# The largest number stands for a missing value.
MISSING = np.uint16(2**16 - 1)
_LARGEST = int(MISSING) - 1


@dataclass(frozen=True)
class Packing:
    """value = offset + step * number, as NetCDF's add_offset and scale_factor; CF-1.11, 8.1."""

    offset: np.float32
    step: np.float32

    @classmethod
    def of(cls, attributes: Mapping[str, Any]) -> "Packing":
        """How a variable with these attributes is packed; 0 + 1 x if it is not."""
        offset, step = attributes.get("add_offset", 0.0), attributes.get("scale_factor", 1.0)
        return cls(np.float32(offset), np.float32(step))

    def pack(self, field: np.ndarray) -> np.ndarray:
        """The nearest numbers, uint16; values beyond the bounds get the first or last number."""
        numbers = (field - self.offset) * np.float32(1 / self.step)
        np.rint(numbers, out=numbers)
        # NaN has no 16-bit number, and converting it would be undefined.
        missing = np.isnan(numbers)
        numbers[missing] = 0
        packed = np.clip(numbers, 0, _LARGEST, out=numbers).astype(np.uint16)
        packed[missing] = MISSING
        return packed

    def unpack(self, numbers: np.ndarray) -> np.ndarray:
        """The values, float32; NaN where missing."""
        field = numbers.astype(np.float32)
        field *= self.step
        field += self.offset
        field[numbers == MISSING] = np.nan
        return field


def packing_of(name: str) -> Packing:
    """How a variable of the table is packed."""
    row = variable(name)
    step = 2.0 ** math.ceil(math.log2((row.upper - row.lower) / _LARGEST))
    return Packing(np.float32(row.lower), np.float32(step))
