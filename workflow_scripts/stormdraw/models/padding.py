"""Padding to sides that networks can halve."""

import torch
from torch.nn import functional


def pad_to_multiple(x: torch.Tensor, multiple: int) -> torch.Tensor:
    """Reflect the last rows and columns outwards until both sides are multiples of `multiple`.

    x (B, C, Y, X) -> (B, C, Y', X'). Resizing would blur. Reflection needs sides longer than the
    padding; shorter ones repeat their edge.
    """
    bottom, right = -x.shape[-2] % multiple, -x.shape[-1] % multiple
    if not bottom and not right:
        return x
    short = bottom >= x.shape[-2] or right >= x.shape[-1]
    return functional.pad(x, (0, right, 0, bottom), mode="replicate" if short else "reflect")
