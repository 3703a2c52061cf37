"""Perturbation models: what they learn from, in which shares, and how guidance mixes."""

import numpy as np
import pytest
import torch
from perturbation_models import perturbation_settings

from stormdraw.fields.statistics import Statistics
from stormdraw.models.pairs import Batch
from stormdraw.models.perturbation import PerturbationModel
from stormdraw.models.training import new_model

ONES = np.ones(3, dtype=np.float32)
STATISTICS = Statistics(
    ("T2M", "U10", "V10"),
    ("identity",) * 3,
    mean=np.array([290.0, 0.0, 0.0], dtype=np.float32),
    std=5 * ONES,
    tendency_mean=0 * ONES,
    tendency_std=ONES,
)
POINTS = 8


class Recorder(torch.nn.Module):
    """In the place of a network: keeps what it is asked and says nothing."""

    def forward(
        self, noisy: torch.Tensor, condition: torch.Tensor, timestep: torch.Tensor
    ) -> torch.Tensor:
        self.noisy, self.condition, self.timestep = noisy, condition, timestep
        return torch.zeros_like(noisy)


class Linear(torch.nn.Module):
    """Says noisy + 3 condition."""

    def forward(
        self, noisy: torch.Tensor, condition: torch.Tensor, timestep: torch.Tensor
    ) -> torch.Tensor:
        return noisy + 3.0 * condition


def model_with(network: torch.nn.Module, **changes: object) -> PerturbationModel:
    model = new_model("small", 1, perturbation_settings(**changes), STATISTICS)
    assert isinstance(model, PerturbationModel)
    model.network = network
    return model


def test_shares_of_null_analysis_and_forecast() -> None:
    network, size = Recorder(), 4000
    model = model_with(network)
    # Every analysis is 6, every forecast -6 standard deviations from the mean, at every point.
    far = 30.0 * torch.ones(size, 3, POINTS, POINTS)
    mean = torch.tensor(STATISTICS.mean)[:, None, None]
    batch = Batch(mean + far, mean - far, torch.empty(size, 0, POINTS, POINTS), ())
    losses = model.training_losses(batch, torch.Generator().manual_seed(1))

    shown = network.condition
    assert torch.equal(shown, shown[:, :1, :1, :1].expand_as(shown))
    value = shown[:, 0, 0, 0]
    assert set(value.tolist()) == {0.0, 6.0, -6.0}
    # The error of a share of 4000 is at most 0.008.
    assert (value == 0).float().mean().item() == pytest.approx(0.10, abs=0.02)
    assert (value == 6).float().mean().item() == pytest.approx(0.45, abs=0.03)
    assert (value == -6).float().mean().item() == pytest.approx(0.45, abs=0.03)

    # x_t = alpha x_0 + sigma eps, where x_0 is what is shown, or the analysis if nothing is.
    alpha, sigma = (
        model.formulation.alpha[network.timestep],
        model.formulation.sigma[network.timestep],
    )
    clean = torch.where(value == -6, -6.0, 6.0)
    noise = (network.noisy - (alpha * clean)[:, None, None, None]) / sigma[:, None, None, None]
    assert noise.mean().item() == pytest.approx(0.0, abs=0.01)
    assert noise.var().item() == pytest.approx(1.0, abs=0.01)
    # Who says zero has an error of the noise's variance, 1 with a sampling error of 0.002.
    assert losses.shape == (size, 3)
    assert losses.mean().item() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(("guidance", "expected"), [(0.0, 2.0), (0.5, 3.5), (1.0, 5.0), (2.0, 8.0)])
def test_guidance_by_hand(guidance: float, expected: float) -> None:
    # Without condition the network says 2, with it 2 + 3 * 1; 2 + w (5 - 2).
    field = torch.ones(1, 3, POINTS, POINTS)
    said = model_with(Linear()).guided(2.0 * field, field, torch.tensor([500]), guidance)
    assert torch.equal(said, expected * field)


def test_guidance_means_the_same_for_noise_and_velocity() -> None:
    random = torch.Generator().manual_seed(3)
    noisy, given, free = (torch.randn(2, 3, 4, 4, generator=random) for _ in range(3))
    timestep = torch.tensor([30, 800])
    schedule = model_with(Linear()).formulation

    class Either(torch.nn.Module):
        """Says the noise `given` with a condition and `free` without, or what v then is."""

        def __init__(self, velocity: bool) -> None:
            super().__init__()
            self.velocity = velocity

        def forward(
            self, noisy: torch.Tensor, condition: torch.Tensor, timestep: torch.Tensor
        ) -> torch.Tensor:
            noise = given if condition.any() else free
            if not self.velocity:
                return noise
            clean = schedule.clean_from_noise(noisy, noise, timestep)
            return schedule.velocity(clean, noise, timestep)

    condition = torch.ones_like(noisy)
    noise = model_with(Either(False)).guided(noisy, condition, timestep, 0.3)
    velocity = model_with(Either(True)).guided(noisy, condition, timestep, 0.3)
    torch.testing.assert_close(
        schedule.noise_from_velocity(noisy, velocity, timestep), noise, rtol=1e-3, atol=1e-3
    )


def test_devices_split_one_draw() -> None:
    from stormdraw.models.ranks import Share

    def shown(share: Share | None, places: list[int]) -> torch.Tensor:
        network = Recorder()
        model = model_with(network)
        states = 290.0 + torch.arange(6.0)[:, None, None, None].expand(6, 3, POINTS, POINTS)
        batch = Batch(
            states[places], states[places] + 10.0, torch.empty(len(places), 0, POINTS, POINTS), ()
        )
        batch = Batch(batch.now, batch.following, batch.forcings, (), share=share)
        model.training_losses(batch, torch.Generator().manual_seed(5))
        return torch.cat([network.condition, network.noisy], dim=1)

    whole = shown(None, list(range(6)))
    part = shown(Share(indices=(1, 4, 5), full_size=6, counted=3, ranks=2), [1, 4, 5])
    assert torch.equal(part, whole[[1, 4, 5]])
