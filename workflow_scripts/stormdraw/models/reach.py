"""How far networks look: the most points between a point and one that its output depends on."""


def reach_of_level(below: int, before: int, after: int) -> int:
    """That of a U-Net's level, in its own points, given that of the level below, in that one's.

    `before` is the reach of the level's layers on the way down, `after` that of those on the way
    up. Between them, a 3 x 3 convolution of enlarged fields asks the coarse points p/2 - 1 and p/2
    for an even point p. The coarse point i - `below` was made of the points from 2 (i - below) - 1
    on, by the 3 x 3 convolution of stride 2: so far from p are at most 2 below + 3 points.
    """
    return after + (2 * below + 3) + before
