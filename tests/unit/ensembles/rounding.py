"""How far apart two computations of the same members may be: by rounding and by packing.

A network sums in another order for another batch size, number of threads, processor or GPU.
"""

from collections.abc import Sequence

import numpy as np

from stormdraw.fields.packing import packing_of

# Of float32: half the distance between neighbours, relative to a number.
HALF_A_ROUNDING = 2.0**-24
# Roundings that add up in a member: those of a few hundred sums one after the other in a network,
# several times in a row, at worst all of one sign.
ROUNDINGS = 2**11


def assert_same_members(
    found: np.ndarray, expected: np.ndarray, variables: Sequence[str], packed: bool = False
) -> None:
    """Members (..., variable, y, x) are the same up to rounding.

    In what a network makes of a state, rounding is relative to the variable's spread over members
    and points. A value that was `packed` as 16 bits may lie at the other side of half a packing
    step; then all but a few of them are equal.
    """
    assert found.shape == expected.shape
    for index, name in enumerate(variables):
        one, other = (each[..., index, :, :].astype(np.float64) for each in (found, expected))
        rounding = HALF_A_ROUNDING * (ROUNDINGS * other.std() + 4 * np.abs(other).max())
        apart = np.abs(one - other)
        if packed:
            step = float(packing_of(name).step)
            assert apart.max() <= step + rounding, name
            assert (apart > rounding).mean() <= 0.02 + 2 * rounding / step, name
        else:
            assert apart.max() <= rounding, name
