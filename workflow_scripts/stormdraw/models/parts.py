"""Operations that treat points apart, done part by part where no gradient needs what lies between.

The hidden layers of a graph network or a transformer hold several times what goes in and comes out:
on HRRR's whole grid, gigabytes.
"""

from collections.abc import Callable, Iterator

import torch

# In parts of so many points; a vector of 256 numbers at each is 67 MB.
AT_ONCE = 2**16


def parts(points: int) -> Iterator[slice]:
    """Slices that make up `points` points: one of all of them while gradients are recorded."""
    step = points if torch.is_grad_enabled() else AT_ONCE
    for first in range(0, points, max(step, 1)):
        yield slice(first, min(first + step, points))


def in_parts(operation: Callable[[slice], torch.Tensor], points: int, dim: int) -> torch.Tensor:
    """What `operation` makes of all points, along `dim`; it makes a slice's when given that."""
    slices = list(parts(points))
    first = operation(slices[0])
    if len(slices) == 1:
        return first
    shape = list(first.shape)
    shape[dim] = points
    # Filled, not concatenated, which would hold everything twice.
    whole = first.new_empty(shape)
    whole.narrow(dim, 0, first.shape[dim]).copy_(first)
    del first
    for part in slices[1:]:
        whole.narrow(dim, part.start, part.stop - part.start).copy_(operation(part))
    return whole
