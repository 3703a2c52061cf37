"""Conversion of units, by pint."""

import functools
import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pint

# A column of water of 1 m, as rain gauges measure it, is this mass over an area.
_WATER = "1000 kg m-3"


@functools.cache
def _registry() -> "pint.UnitRegistry":
    # Here, since it takes half a second and few configurations have units.
    import pint

    # `m s-1`, as in CF conventions, is m s**-1.
    return pint.UnitRegistry(
        preprocessors=[lambda text: re.sub(r"(?<=[A-Za-z])(?=-?\d)", "**", text)]
    )


def convert(values: np.ndarray, units: str, wanted: str) -> np.ndarray:
    """Numbers in other units; a depth of water may become a mass over an area.

    Raises ValueError if there is no such unit or it measures something else.
    """
    import pint

    registry = _registry()
    try:
        given, target = registry.Unit(units), registry.Unit(wanted)
        quantity = registry.Quantity(values, given)
        if given.is_compatible_with("m") and target.is_compatible_with("kg m-2"):
            quantity = quantity * registry(_WATER)
        return np.asarray(quantity.to(target).magnitude)
    except pint.DimensionalityError:
        raise ValueError(f"{units} cannot be converted to {wanted}") from None
    except Exception as error:  # of many kinds, for text that is no unit at all
        said = " ".join(str(error).split())
        raise ValueError(f"{units!r} is no unit that can be converted: {said}") from None


def amount(text: str, wanted: str) -> float:
    """An amount such as `30 minutes`, or of one if it has no number, as a number of `wanted`.

    Raises ValueError if it is none.
    """
    import pint

    registry = _registry()
    try:
        return float(registry.Quantity(text).to(registry.Unit(wanted)).magnitude)
    except pint.DimensionalityError:
        raise ValueError(f"{text} cannot be converted to {wanted}") from None
    except Exception as error:  # of many kinds, for text that is no unit at all
        said = " ".join(str(error).split())
        raise ValueError(f"{text!r} is no amount of {wanted}: {said}") from None


def is_unit(text: str) -> bool:
    """Whether a text is some unit; an empty one is not."""
    try:
        _registry().Unit(text)
    except Exception:  # of many kinds, for text that is no unit at all
        return False
    return bool(text.strip())


def require_convertible(key: str, units: str | None, wanted: str | None) -> None:
    """Raise ValueError unless a column's units can be converted; texts and times have none."""
    if wanted is None:
        if units is not None:
            raise ValueError(f"{key}: has no units; leave units out")
        return
    if units is None:
        raise ValueError(f"{key}: lacks units, such as {wanted}")
    try:
        convert(np.zeros(1), units, wanted)
    except ValueError as error:
        raise ValueError(f"{key}: units: {error}") from None
