"""The CRPS of many cases, taken apart into reliability and potential CRPS."""

import numpy as np


def crps_decomposition(
    parts: np.ndarray, weight: np.ndarray, below_all: np.ndarray, above_all: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Reliability and potential CRPS of an ensemble (Hersbach 2000), each (...).

    doi:10.1175/1520-0434(2000)015<0559:DOTCRP>2.0.CO;2, eqs. 26-31, 36 and 37; they add up to the
    standard CRPS. `parts` (..., 2, M) are sums over points of the negative and positive part of
    each order statistic's error x_(i) - y, `weight` (...) the sum of weights, `below_all` and
    `above_all` (...) the weights of the points whose truth lies below or above all members.

    Hersbach's alpha_i, how much of [x_(i), x_(i+1)] lies below the truth, is the difference of
    neighbouring negative parts, and beta_i that of positive parts; outside, where the truth is
    beyond all members, they are the first positive and the last negative part alone. All sums are
    linear, so that cases may be added before.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        negative = parts[..., 0, :] / weight[..., None]
        positive = parts[..., 1, :] / weight[..., None]
        beyond_low, beyond_high = below_all / weight, above_all / weight
    members = negative.shape[-1]
    alpha, beta = np.diff(negative), np.diff(positive)
    width = alpha + beta
    # The truth's frequency of lying below a bin's middle; where a bin has no width it has no part.
    frequency = np.divide(beta, width, out=np.zeros(width.shape), where=width > 0.0)
    probability = np.arange(1, members) / members
    low, high = positive[..., 0], -negative[..., -1]
    reliability = (width * (frequency - probability) ** 2).sum(-1)
    potential = (width * frequency * (1.0 - frequency)).sum(-1)
    reliability += low * beyond_low + high * beyond_high
    potential += low * (1.0 - beyond_low) + high * (1.0 - beyond_high)
    return reliability, potential
