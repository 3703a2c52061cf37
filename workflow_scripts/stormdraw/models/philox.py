"""Philox4x32-10, a stateless random generator that turns a counter and a key into numbers.

Salmon et al. (2011), "Parallel random numbers: as easy as 1, 2, 3". Integer arithmetic is exact, so
the words are the same on every processor and GPU. torch's own generators differ between a GPU and a
processor, and between models of GPUs.
"""

import torch

# From section 3.3 of the paper: multipliers, and the increments of the key in each round.
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_GROWTH = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_LOW_WORD = 0xFFFFFFFF

Words = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def philox(counter: Words, key: tuple[torch.Tensor, torch.Tensor]) -> Words:
    """The four random words of each counter of four words, under a key of two words.

    Words are 32 bits in int64; shapes broadcast. Products of two words wrap at 64 bits, which loses
    nothing.
    """
    k0, k1 = key
    c0, c1, c2, c3 = (word.clone() for word in torch.broadcast_tensors(*counter, k0)[:4])
    spare, other = torch.empty_like(c0), torch.empty_like(c0)
    for _ in range(_ROUNDS):
        # In place: allocating memory for each of a hundred operations takes longer than the
        # operations.
        first, second = c0.mul_(_MULTIPLIERS[0]), c2.mul_(_MULTIPLIERS[1])
        high_of_second = _high_word(second, spare).bitwise_xor_(c1).bitwise_xor_(k0)
        high_of_first = _high_word(first, other).bitwise_xor_(c3).bitwise_xor_(k1)
        spare, other = c1, c3
        c0, c1 = high_of_second, second.bitwise_and_(_LOW_WORD)
        c2, c3 = high_of_first, first.bitwise_and_(_LOW_WORD)
        k0, k1 = (k0 + _GROWTH[0]) & _LOW_WORD, (k1 + _GROWTH[1]) & _LOW_WORD
    return c0, c1, c2, c3


def _high_word(product: torch.Tensor, into: torch.Tensor) -> torch.Tensor:
    # A product beyond 2^63 is negative, and its shift fills in ones from the left.
    return torch.bitwise_right_shift(product, 32, out=into).bitwise_and_(_LOW_WORD)
