"""Philox4x32-10, a random generator that turns a counter and a key into numbers, with no state.

Salmon et al. (2011), "Parallel random numbers: as easy as 1, 2, 3". Whole-number arithmetic is
exact, so that the words are the same on every processor and GPU. torch's own generators are not:
what a GPU draws differs from what a processor draws, and from one model of GPU to the next.
"""

import torch

# Of section 3.3 of the paper: multipliers, and what a key grows by in each round.
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_GROWTH = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_LOW_WORD = 0xFFFFFFFF

Words = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def philox(counter: Words, key: tuple[torch.Tensor, torch.Tensor]) -> Words:
    """The four random words of each counter of four words under a key of two.

    Words are 32 bits in int64, and shapes broadcast. Products of two words wrap at 64 bits, which
    keeps all of theirs.
    """
    k0, k1 = key
    c0, c1, c2, c3 = (word.clone() for word in torch.broadcast_tensors(*counter, k0)[:4])
    spare, other = torch.empty_like(c0), torch.empty_like(c0)
    for _ in range(_ROUNDS):
        # In place: to get memory anew for each of a hundred operations takes longer than they do.
        first, second = c0.mul_(_MULTIPLIERS[0]), c2.mul_(_MULTIPLIERS[1])
        high_of_second = _high_word(second, spare).bitwise_xor_(c1).bitwise_xor_(k0)
        high_of_first = _high_word(first, other).bitwise_xor_(c3).bitwise_xor_(k1)
        spare, other = c1, c3
        c0, c1 = high_of_second, second.bitwise_and_(_LOW_WORD)
        c2, c3 = high_of_first, first.bitwise_and_(_LOW_WORD)
        k0, k1 = (k0 + _GROWTH[0]) & _LOW_WORD, (k1 + _GROWTH[1]) & _LOW_WORD
    return c0, c1, c2, c3


def _high_word(product: torch.Tensor, into: torch.Tensor) -> torch.Tensor:
    # A product beyond 2^63 is negative, and its shift brings ones in from the left.
    return torch.bitwise_right_shift(product, 32, out=into).bitwise_and_(_LOW_WORD)
