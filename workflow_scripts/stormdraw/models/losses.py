"""Losses, each named as in its paper; all keep samples and variables apart, (B, V).

All are in single precision whatever the network computes in: squares of small numbers vanish.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch


def mean_over_points(values: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """The mean of (B, ..., Y, X) over the points, (B, ...), by their weights (B, Y, X) if any."""
    if weights is None:
        return values.mean(dim=(-2, -1))
    weights = weights / weights.mean(dim=(-2, -1), keepdim=True)
    return (values * weights[:, *[None] * (values.dim() - 3)]).mean(dim=(-2, -1))


def squared_error(
    predicted: torch.Tensor, goal: torch.Tensor, weights: torch.Tensor | None = None
) -> torch.Tensor:
    """Mean over the points of (B, V, Y, X), weighted by (B, Y, X) if so: (B, V)."""
    return mean_over_points((predicted.float() - goal).square(), weights)


def absolute_error(
    predicted: torch.Tensor, goal: torch.Tensor, weights: torch.Tensor | None = None
) -> torch.Tensor:
    """Mean over the points of (B, V, Y, X), weighted by (B, Y, X) if so: (B, V)."""
    return mean_over_points((predicted.float() - goal).abs(), weights)


def almost_fair_crps(
    members: torch.Tensor,
    goal: torch.Tensor,
    alpha: float,
    weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """alpha times the fair CRPS of an ensemble plus 1 - alpha times the standard one, (B, V).

    `members` are (B, M, V, Y, X) with M at least 2, `goal` is (B, V, Y, X), and `weights` are of
    the points, (B, Y, X). Lang et al. (2024), AIFS-CRPS, equation 4: the fair one alone does not
    care about a member as long as another one hits, so that a network may learn to let members run
    away in pairs.
    """
    members = members.float()
    count = members.shape[1]
    epsilon = (1.0 - alpha) / count
    error = mean_over_points((members - goal[:, None]).abs(), weights).mean(dim=1)  # (B, V)
    # Over the pairs j < k, each of which stands twice in the double sum over j and k.
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

    Hang et al. (2023), section 3.4: min(SNR, gamma) / SNR where noise is predicted and
    min(SNR, gamma) / (SNR + 1) where v is, so that the error of the clean state counts
    min(SNR, gamma) times in both.
    """
    snr = (alpha / sigma).square()
    return snr.clamp(max=gamma) / (snr if prediction == "noise" else snr + 1.0)


def variable_weights(variables: Sequence[str], given: Mapping[str, float]) -> torch.Tensor:
    """The weight of each variable's loss, (V,), of mean 1; a variable that is not given has 1."""
    weights = torch.tensor([given.get(name, 1.0) for name in variables], dtype=torch.float64)
    return (weights / weights.mean()).float()
