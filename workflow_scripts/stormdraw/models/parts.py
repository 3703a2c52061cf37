"""Operations on independent points, done in parts where no gradient needs the intermediate values.

The hidden layers of a graph network or a transformer hold several times the size of input and
output: gigabytes on HRRR's whole grid.
"""

from collections.abc import Callable, Iterator

import torch

# Points per part; a vector of 256 numbers at each takes 67 MB.
AT_ONCE = 2**16


def parts(points: int) -> Iterator[slice]:
    """Slices that cover `points` points: a single one while gradients are recorded."""
    step = points if torch.is_grad_enabled() else AT_ONCE
    for first in range(0, points, max(step, 1)):
        yield slice(first, min(first + step, points))


def in_parts(operation: Callable[[slice], torch.Tensor], points: int, dim: int) -> torch.Tensor:
    """The result of `operation` for all points, along `dim`, computed slice by slice."""
    slices = list(parts(points))
    first = operation(slices[0])
    if len(slices) == 1:
        return first
    shape = list(first.shape)
    shape[dim] = points
    # Filled, since concatenation would hold everything twice.
    whole = first.new_empty(shape)
    whole.narrow(dim, 0, first.shape[dim]).copy_(first)
    del first
    for part in slices[1:]:
        whole.narrow(dim, part.start, part.stop - part.start).copy_(operation(part))
    return whole
