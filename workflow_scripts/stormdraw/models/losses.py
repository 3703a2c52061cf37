"""Losses, each named as in its paper, for each sample and variable, (B, V).

All are computed in float32 whatever the network's precision: squares of small numbers underflow.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch


def mean_over_points(values: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """The mean of (B, ..., Y, X) over the points, (B, ...), weighted by (B, Y, X) if given."""
    if weights is None:
        return values.mean(dim=(-2, -1))
    weights = weights / weights.mean(dim=(-2, -1), keepdim=True)
    return (values * weights[:, *[None] * (values.dim() - 3)]).mean(dim=(-2, -1))


def squared_error(
    predicted: torch.Tensor, goal: torch.Tensor, weights: torch.Tensor | None = None
) -> torch.Tensor:
    """Mean squared error over the points, (B, V), with weights (B, Y, X) if given."""
    return mean_over_points((predicted.float() - goal).square(), weights)


def absolute_error(
    predicted: torch.Tensor, goal: torch.Tensor, weights: torch.Tensor | None = None
) -> torch.Tensor:
    """Mean absolute error over the points, (B, V), with weights (B, Y, X) if given."""
    return mean_over_points((predicted.float() - goal).abs(), weights)


def almost_fair_crps(
    members: torch.Tensor,
    goal: torch.Tensor,
    alpha: float,
    weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """alpha times the fair CRPS of an ensemble plus 1 - alpha times the standard CRPS, (B, V).

    `members` are (B, M, V, Y, X) with M at least 2, `goal` is (B, V, Y, X), and `weights` of the
    points are (B, Y, X). Lang et al. (2024), AIFS-CRPS, equation 4. The fair CRPS alone ignores a
    member as long as another one hits the truth, so a network may learn members that diverge in
    pairs.
    """
    members = members.float()
    count = members.shape[1]
    epsilon = (1.0 - alpha) / count
    error = mean_over_points((members - goal[:, None]).abs(), weights).mean(dim=1)  # (B, V)
    # Over the pairs j < k, each of which occurs twice in the double sum over j and k.
    pairs = [
        mean_over_points((members[:, j] - members[:, k]).abs(), weights)
        for j in range(count)
        for k in range(j + 1, count)
    ]
    distance = torch.stack(pairs).sum(dim=0)
    return error - (1.0 - epsilon) * distance / (count * (count - 1))


def min_snr_weight(
    prediction: Literal["noise", "v"],
    alpha: torch.Tensor,
    sigma: torch.Tensor,
    gamma: float,
) -> torch.Tensor:
    """The min-SNR weight of timesteps with these alpha and sigma, of the same shape.

    Hang et al. (2023), section 3.4: min(SNR, gamma) / SNR if noise is predicted, and min(SNR,
    gamma) / (SNR + 1) if v is predicted. In both cases the error of the clean state has the weight
    min(SNR, gamma).
    """
    snr = (alpha / sigma).square()
    return snr.clamp(max=gamma) / (snr if prediction == "noise" else snr + 1.0)


def variable_weights(variables: Sequence[str], given: Mapping[str, float]) -> torch.Tensor:
    """The weight of each variable's loss, (V,), with mean 1; those not in `given` count as 1."""
    weights = torch.tensor([given.get(name, 1.0) for name in variables], dtype=torch.float64)
    return (weights / weights.mean()).float()
