"""Solvers that lead from noise to a clean state, given estimates of the clean state on the way.

A path is a list of rungs from noisy to clean, each with at least `alpha` and `sigma`: the noisy
state there is alpha times the clean state plus sigma times noise. `estimate(noisy state, place)` is
the clean state expected at rung number `place`. All states are (B, V, Y, X).
"""

import math
from collections.abc import Callable, Mapping, Sequence

import torch

from stormdraw.models.white_noise import White

Rung = Mapping[str, float]
Estimate = Callable[[torch.Tensor, int], torch.Tensor]


def solve(
    sampler: str,
    noisy: torch.Tensor,
    estimate: Estimate,
    path: Sequence[Rung],
    eta: float,
    white: White,
) -> torch.Tensor:
    """The clean state at the end of the path of a sampler that starts at `noisy`.

    `eta` is the share of fresh `white` noise in DDIM.
    """
    if sampler in _DETERMINISTIC:
        return _DETERMINISTIC[sampler](noisy, estimate, path)
    return ancestral(noisy, estimate, path, 1.0 if sampler == "ddpm" else eta, white)


def dpm_solver(noisy: torch.Tensor, estimate: Estimate, path: Sequence[Rung]) -> torch.Tensor:
    """DPM-Solver++ (2M) of Lu et al. (2022), algorithm 2; the last step ends clean."""
    earlier = None
    for place in range(len(path) - 1):
        clean = estimate(noisy, place)
        noisy = _second_order_step(noisy, clean, earlier, path, place)
        earlier = clean
    return estimate(noisy, len(path) - 1)


def _second_order_step(
    noisy: torch.Tensor,
    clean: torch.Tensor,
    earlier: torch.Tensor | None,
    path: Sequence[Rung],
    place: int,
) -> torch.Tensor:
    now, following = path[place], path[place + 1]
    step = _log_snr(following) - _log_snr(now)
    corrected = clean
    if earlier is not None:
        ratio = (_log_snr(now) - _log_snr(path[place - 1])) / step
        corrected = clean + (clean - earlier) / (2.0 * ratio)
    shrunk = following["sigma"] / now["sigma"] * noisy
    return shrunk - following["alpha"] * math.expm1(-step) * corrected


def _log_snr(rung: Rung) -> float:
    return math.log(rung["alpha"] / rung["sigma"])


def heun(noisy: torch.Tensor, estimate: Estimate, path: Sequence[Rung]) -> torch.Tensor:
    """Heun's second-order method of Karras et al. (2022), algorithm 1, on rungs with alpha 1."""
    for place in range(len(path) - 1):
        sigma, following = path[place]["sigma"], path[place + 1]["sigma"]
        slope = (noisy - estimate(noisy, place)) / sigma
        euler = noisy + (following - sigma) * slope
        slope_there = (euler - estimate(euler, place + 1)) / following
        noisy = noisy + (following - sigma) * 0.5 * (slope + slope_there)
    # Euler's step from sigma to 0.
    return estimate(noisy, len(path) - 1)


def ancestral(
    noisy: torch.Tensor, estimate: Estimate, path: Sequence[Rung], eta: float, white: White
) -> torch.Tensor:
    """DDIM (Song et al. 2021, equations 12 and 16) to no noise.

    With `eta` 1 it is ancestral sampling (Ho et al. 2020, algorithm 2) with the smaller of its two
    variances.
    """
    alpha_bar = [*(rung["alpha"] ** 2 for rung in path), 1.0]
    for place, rung in enumerate(path):
        now, following = alpha_bar[place : place + 2]
        clean = estimate(noisy, place)
        noise = (noisy - rung["alpha"] * clean) / rung["sigma"]
        fresh = eta * math.sqrt((1 - following) / (1 - now) * (1 - now / following))
        noisy = math.sqrt(following) * clean + math.sqrt(max(0.0, 1 - following - fresh**2)) * noise
        if fresh:
            noisy = noisy + fresh * white(tuple(clean.shape[1:]))
    return noisy


_DETERMINISTIC = {"dpm_solver++": dpm_solver, "heun": heun}
