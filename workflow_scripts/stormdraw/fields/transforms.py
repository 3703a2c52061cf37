"""Transforms that make skewed variables closer to normally distributed.

They take NumPy arrays and torch tensors of any shape.
"""

from collections.abc import Callable
from typing import TypeVar

from stormdraw.errors import StormdrawError

Array = TypeVar("Array")


def _identity(values: Array) -> Array:
    return values


def _signed_sqrt(values):  # type: ignore[no-untyped-def]
    """sign(x) sqrt(|x|): shortens the tails of CAPE (positive) and CIN (negative), keeps zero."""
    sign = (values > 0) * 1.0 - (values < 0) * 1.0
    return sign * abs(values) ** 0.5


def _signed_square(values):  # type: ignore[no-untyped-def]
    return values * abs(values)


_TRANSFORMS: dict[str, tuple[Callable, Callable]] = {
    "identity": (_identity, _identity),
    "signed_sqrt": (_signed_sqrt, _signed_square),
}


def forward(values: Array, transform: str) -> Array:
    """Physical values -> transformed ones."""
    return _pair(transform)[0](values)


def inverse(values: Array, transform: str) -> Array:
    """Transformed values -> physical ones."""
    return _pair(transform)[1](values)


def _pair(transform: str) -> tuple[Callable, Callable]:
    try:
        return _TRANSFORMS[transform]
    except KeyError:
        known = ", ".join(_TRANSFORMS)
        raise StormdrawError(f"unknown transform {transform!r}: known ones are {known}") from None
