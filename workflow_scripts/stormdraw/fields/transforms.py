"""Transforms that make skewed variables closer to normally distributed.

They take NumPy arrays and torch tensors of any shape.
"""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from stormdraw.errors import StormdrawError

Array = TypeVar("Array")


def _identity(values: Array) -> Array:
    return values


def _signed_sqrt(values):  # type: ignore[no-untyped-def]
    """sign(x) sqrt(|x|): shortens the tails of CAPE (positive) and CIN (negative), keeps zero."""
    return _sign(values) * abs(values) ** 0.5


def _signed_square(values):  # type: ignore[no-untyped-def]
    return values * abs(values)


def _log1p(values):  # type: ignore[no-untyped-def]
    """sign(x) ln(1 + |x|): for amounts of rain, many near zero and a few large."""
    return _sign(values) * _function("log1p", abs(values))


def _expm1(values):  # type: ignore[no-untyped-def]
    return _sign(values) * _function("expm1", abs(values))


def _sign(values):  # type: ignore[no-untyped-def]
    return (values > 0) * 1.0 - (values < 0) * 1.0


def _function(name: str, values):  # type: ignore[no-untyped-def]
    """A function of NumPy, or the method of a tensor, which an array does not have."""
    method = getattr(values, name, None)
    return getattr(np, name)(values) if method is None else method()


_TRANSFORMS: dict[str, tuple[Callable, Callable]] = {
    "identity": (_identity, _identity),
    "signed_sqrt": (_signed_sqrt, _signed_square),
    "log1p": (_log1p, _expm1),
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
