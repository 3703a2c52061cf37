"""Losses: against closed forms, brute force and another library."""

import itertools

import numpy as np
import pytest
import scoringrules
import torch

from stormdraw.models.losses import (
    absolute_error,
    almost_fair_crps,
    min_snr_weight,
    squared_error,
    variable_weights,
)
from stormdraw.models.noise import NoiseSchedule, cosine_betas


def test_errors_by_hand() -> None:
    predicted = torch.tensor([[[[1.0, 3.0]], [[0.0, 2.0]]]])  # (1, 2, 1, 2)
    goal = torch.tensor([[[[0.0, 1.0]], [[0.0, 0.0]]]])
    assert squared_error(predicted, goal).tolist() == [[2.5, 2.0]]
    assert absolute_error(predicted, goal).tolist() == [[1.5, 1.0]]


def test_weights_of_points_by_hand() -> None:
    predicted = torch.tensor([[[[1.0, 3.0]], [[0.0, 2.0]]]]).expand(2, 2, 1, 2)
    goal = torch.tensor([[[[0.0, 1.0]], [[0.0, 0.0]]]]).expand(2, 2, 1, 2)
    # The second point counts a third of the first one; or nothing.
    weights = torch.tensor([[[0.75, 0.25]], [[1.0, 0.0]]])
    expected = torch.tensor([[0.75 * 1 + 0.25 * 4, 0.25 * 4], [1.0, 0.0]])
    torch.testing.assert_close(squared_error(predicted, goal, weights), expected)
    torch.testing.assert_close(squared_error(predicted, goal, 5.0 * weights), expected)
    expected = torch.tensor([[0.75 * 1 + 0.25 * 2, 0.25 * 2], [1.0, 0.0]])
    torch.testing.assert_close(absolute_error(predicted, goal, weights), expected)


def test_a_crps_with_weights_of_0_and_1_is_that_of_the_points_that_count() -> None:
    torch.manual_seed(4)
    drawn, goal = torch.randn(2, 3, 2, 4, 6), torch.randn(2, 2, 4, 6)
    weights = torch.zeros(2, 4, 6)
    weights[:, 1:3, 2:] = 1.0
    inner = almost_fair_crps(drawn[..., 1:3, 2:], goal[..., 1:3, 2:], 0.95)
    torch.testing.assert_close(almost_fair_crps(drawn, goal, 0.95, weights), inner)


@pytest.mark.parametrize("members", [2, 3, 5])
@pytest.mark.parametrize("alpha", [0.0, 0.95, 1.0])
def test_almost_fair_crps_is_between_fair_and_standard(members: int, alpha: float) -> None:
    torch.manual_seed(1)
    drawn, goal = torch.randn(2, members, 3, 4, 5), torch.randn(2, 3, 4, 5)
    ours = almost_fair_crps(drawn, goal, alpha)
    values = drawn.movedim(1, -1).double().numpy()
    truth = goal.double().numpy()
    fair = scoringrules.crps_ensemble(truth, values, estimator="fair").mean(axis=(2, 3))
    standard = scoringrules.crps_ensemble(truth, values, estimator="nrg").mean(axis=(2, 3))
    np.testing.assert_allclose(ours, alpha * fair + (1 - alpha) * standard, rtol=1e-5)


def test_almost_fair_crps_by_a_double_loop() -> None:
    torch.manual_seed(2)
    drawn, goal, alpha = torch.randn(1, 4, 1, 1, 1), torch.randn(1, 1, 1, 1), 0.7
    x, y = drawn.flatten().tolist(), goal.item()
    epsilon = (1 - alpha) / 4
    # Lang et al. (2024), equation 4, as it is printed.
    terms = [
        abs(x[j] - y) + abs(x[k] - y) - (1 - epsilon) * abs(x[j] - x[k])
        for j, k in itertools.permutations(range(4), 2)
    ]
    expected = sum(terms) / (2 * 4 * 3)
    assert almost_fair_crps(drawn, goal, alpha).item() == pytest.approx(expected, rel=1e-5)


def test_crps_prefers_the_true_spread() -> None:
    generator = torch.Generator().manual_seed(3)

    def score(spread: float) -> float:
        drawn = spread * torch.randn(1, 2, 1, 200, 200, generator=generator)
        goal = torch.randn(1, 1, 200, 200, generator=generator)
        return almost_fair_crps(drawn, goal, 1.0).item()

    # Gneiting and Raftery (2007): a perfect normal forecast scores 1 / sqrt(pi).
    assert score(1.0) == pytest.approx(np.pi**-0.5, abs=0.01)
    assert score(1.0) < min(score(0.5), score(2.0))


def test_min_snr_weight_by_hand() -> None:
    # SNR 16, 4 and 1/4.
    alpha, sigma = torch.tensor([0.8, 0.8, 0.4]), torch.tensor([0.2, 0.4, 0.8])
    noise = min_snr_weight("noise", alpha, sigma, 5.0)
    torch.testing.assert_close(noise, torch.tensor([5 / 16, 1.0, 1.0]))
    velocity = min_snr_weight("v", alpha, sigma, 5.0)
    torch.testing.assert_close(velocity, torch.tensor([5 / 17, 4 / 5, 0.25 / 1.25]))


def test_min_snr_weighs_the_clean_state_alike_for_noise_and_v() -> None:
    schedule = NoiseSchedule(cosine_betas(1000, 0.02))
    timestep = torch.tensor([10, 300, 700, 999])
    clean, noise = torch.randn(4, 1, 8, 8), torch.randn(4, 1, 8, 8)
    wrong = clean + 0.1 * torch.randn(4, 1, 8, 8)  # what a network makes of it
    noisy = schedule.add_noise(clean, noise, timestep)
    alpha, sigma = schedule.alpha[timestep], schedule.sigma[timestep]
    a, s = alpha[:, None, None, None], sigma[:, None, None, None]
    implied_noise = (noisy - a * wrong) / s
    implied_v = (a * noisy - wrong) / s
    by_noise = squared_error(implied_noise, noise)[:, 0]
    by_v = squared_error(implied_v, schedule.velocity(clean, noise, timestep))[:, 0]
    snr = (alpha / sigma).square()
    expected = snr.clamp(max=5.0) * squared_error(wrong, clean)[:, 0]
    torch.testing.assert_close(
        by_noise * min_snr_weight("noise", alpha, sigma, 5.0), expected, rtol=1e-2, atol=1e-6
    )
    torch.testing.assert_close(
        by_v * min_snr_weight("v", alpha, sigma, 5.0), expected, rtol=1e-2, atol=1e-6
    )


def test_variable_weights_have_mean_one() -> None:
    assert variable_weights(["T2M", "CAPE"], {}).tolist() == [1.0, 1.0]
    assert variable_weights(["T2M", "CAPE", "CIN"], {"CAPE": 4.0}).tolist() == [0.5, 2.0, 0.5]
