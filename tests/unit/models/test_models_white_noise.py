"""Random words against published ones and the paper's algorithm; noise by its distribution."""

import math

import numpy as np
import pytest
import torch

from stormdraw.models import white_noise
from stormdraw.models.philox import philox
from stormdraw.models.white_noise import WhiteNoise

CPU = torch.device("cpu")
# How far numbers of the same words may be apart: four units in the last place of a number of up to
# 6.8, the largest that 32 bits make.
ROUNDING = 4 * 2.0**-21


def words_of(counter: list[int], key: list[int]) -> list[int]:
    drawn = philox(
        tuple(torch.tensor([word]) for word in counter),  # type: ignore[arg-type]
        tuple(torch.tensor([[word]]) for word in key),  # type: ignore[arg-type]
    )
    return [int(word) for word in drawn]


# Of the file kat_vectors of Random123, the library of the paper's authors.
@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ([0] * 4, [0] * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_published_words(counter: list[int], key: list[int], words: str) -> None:
    assert " ".join(f"{word:08x}" for word in words_of(counter, key)) == words


def by_the_paper(counter: list[int], key: list[int]) -> list[int]:
    """Salmon et al. (2011), section 3.3, with Python's whole numbers."""
    x0, x1, x2, x3 = counter
    k0, k1 = key
    for _ in range(10):
        first, second = 0xD2511F53 * x0, 0xCD9E8D57 * x2
        x0, x1, x2, x3 = (
            (second >> 32) ^ x1 ^ k0,
            second % 2**32,
            (first >> 32) ^ x3 ^ k1,
            first % 2**32,
        )
        k0, k1 = (k0 + 0x9E3779B9) % 2**32, (k1 + 0xBB67AE85) % 2**32
    return [x0, x1, x2, x3]


def test_words_of_any_counter_and_key() -> None:
    random = np.random.default_rng(3)
    for numbers in random.integers(0, 2**32, (200, 6)).tolist():
        assert words_of(numbers[:4], numbers[4:]) == by_the_paper(numbers[:4], numbers[4:])


def test_numbers_from_words_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    # A small number of counters at once, so that a draw is made in several parts.
    monkeypatch.setattr(white_noise, "_AT_ONCE", 4)
    seed = 0x0123456789ABCDEF
    white = WhiteNoise([seed, 5], CPU)
    drawn = [white((3, 7)), white((3, 7))]
    for draw in (0, 1):
        for place in range(21):
            # Six blocks make four numbers each: first come all first ones, then all second ones.
            which, block = divmod(place, 6)
            words = by_the_paper([block, draw, 0, 0], [0x89ABCDEF, 0x01234567])
            first, second = words[which % 2], words[2 + which % 2]
            radius = math.sqrt(-2.0 * math.log((first + 0.5) / 2**32))
            angle = 2.0 * math.pi * second / 2**32
            expected = radius * (math.cos(angle) if which < 2 else math.sin(angle))
            assert drawn[draw][0].flatten()[place].item() == pytest.approx(expected, abs=1e-5)


def test_a_stream_does_not_depend_on_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    together = WhiteNoise([7, 8, 9], CPU)
    first, second = together((2, 50, 41)), together((2, 50, 41))
    assert first.shape == (3, 2, 50, 41)
    monkeypatch.setattr(white_noise, "_AT_ONCE", 100)
    alone = WhiteNoise([9], CPU)
    torch.testing.assert_close(alone((2, 50, 41)), first[2:], rtol=0, atol=ROUNDING)
    torch.testing.assert_close(alone((2, 50, 41)), second[2:], rtol=0, atol=ROUNDING)
    assert (first - second).abs().mean() > 1.0


def test_seeds_that_differ_in_their_high_word_differ() -> None:
    low, high = WhiteNoise([1, 1 + 2**40], CPU)((1000,))
    assert (low - high).abs().mean() > 1.0


# A million numbers: the sampling error of a mean is 0.001, of a variance 0.0014, of the third and
# fourth moments 0.0024 and 0.01; a share p of them has an error of sqrt(p (1 - p)) / 1000.
def test_numbers_are_standard_normal_and_independent() -> None:
    noise = WhiteNoise([11, 12], CPU)((500_000,)).double()
    flat = noise.flatten()
    moments = [float(flat.pow(power).mean()) for power in (1, 2, 3, 4)]
    np.testing.assert_allclose(moments, [0.0, 1.0, 0.0, 3.0], atol=0.05)
    np.testing.assert_allclose(moments[:2], [0.0, 1.0], atol=0.007)
    for bound in (-3.0, -1.0, 0.0, 0.5, 2.0, 4.0):
        share = 0.5 * math.erfc(-bound / math.sqrt(2.0))
        assert float((flat < bound).double().mean()) == pytest.approx(
            share, abs=5e-3 * math.sqrt(share * (1 - share))
        )
    lagged = [float((flat[lag:] * flat[:-lag]).mean()) for lag in (1, 2, 3, 4, 125_000)]
    np.testing.assert_allclose([*lagged, float((noise[0] * noise[1]).mean())], 0.0, atol=0.007)
    assert torch.isfinite(flat).all()


@pytest.mark.parametrize(("word", "expected"), [(0, 6.7637), (0xFFFFFFFF, 0.0)])
def test_the_smallest_and_the_largest_word_make_numbers(
    monkeypatch: pytest.MonkeyPatch, word: int, expected: float
) -> None:
    # sqrt(-2 ln(0.5 / 2^32)) = 6.7637, and next to nothing.
    monkeypatch.setattr(
        white_noise, "philox", lambda counter, key: [torch.full_like(counter[0], word)] * 4
    )
    drawn = WhiteNoise([1], CPU)((4,))[0]
    assert torch.isfinite(drawn).all()
    assert drawn.square().reshape(2, 2).sum(dim=0).sqrt().tolist() == pytest.approx(
        [expected] * 2, abs=1e-3
    )
