"""Receptive fields: the largest distance in points at which an input affects an output."""


def level_context(below: int, before: int, after: int, crossing: int = 3) -> int:
    """A U-Net level's radius in its own points, given the radius `below` of the coarser level.

    `before` is the radius of the level's layers on the way down, `after` that of its layers on the
    way up. Between them, a 3 x 3 convolution of upsampled fields reads the coarse points p/2 - 1
    and p/2 for an even point p. The coarse point i - `below` was made from the points from 2 (i -
    below) - 1 on, by the 3 x 3 convolution of stride 2, so the farthest point is 2 below + 3 points
    from p. With convolutions of 2 x 2 on the way down, which make the coarse point i from the
    points from 2 i on, and bilinear upsampling, which reads as far as the convolution after nearest
    upsampling, this `crossing` is of 2 points.
    """
    return after + (2 * below + crossing) + before
