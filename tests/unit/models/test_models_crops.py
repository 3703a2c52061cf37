"""Crops: where they lie, and how much their points count."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from perturbation_models import perturbation_settings
from synthetic_hours import VARIABLES, make_model_settings

from stormdraw.fields.statistics import read_statistics
from stormdraw.models.crops import Crops
from stormdraw.models.pairs import Batch
from stormdraw.models.settings import ModelSettings
from stormdraw.models.training import new_model


def test_every_position_within_the_grid_is_drawn_and_no_other() -> None:
    crops, random = Crops((8, 9), (13, 10)), np.random.default_rng(1)
    seen = set()
    for _ in range(300):
        rows, columns = crops.draw(random)
        assert (rows.stop - rows.start, columns.stop - columns.start) == (8, 9)
        seen.add((rows.start, columns.start))
    assert seen == {(row, column) for row in range(6) for column in range(2)}


def test_the_border_is_drawn_at_least_half_as_often_as_the_middle() -> None:
    # Without weights, each point of this grid is in a crop by the share of the middles near it.
    crops, random = Crops((10, 10), (60, 80), context=12), np.random.default_rng(2)
    counts, draws = np.zeros((60, 80)), 4000
    for _ in range(draws):
        window = crops.draw(random)
        (weights,) = crops.weights([window])
        counts[window] += weights.numpy()
    edges = [counts[0], counts[-1], counts[:, 0], counts[:, -1]]
    middle = counts[20:-20, 20:-20].mean()
    assert all(edge[20:-20].mean() > 0.5 * middle for edge in edges)


def test_weights_by_hand() -> None:
    # A third of the context, rounded up, is 3 points.
    crops = Crops((9, 5), (20, 5), context=8)
    inside, at_the_top, at_the_end = crops.weights(
        [
            (slice(4, 13), slice(0, 5)),
            (slice(0, 9), slice(0, 5)),
            (slice(11, 20), slice(0, 5)),
        ]
    )
    # Full weight three points from a side on; columns are all there.
    rising = [0.25, 0.5, 0.75]
    expected = torch.tensor([*rising, 1.0, 1.0, 1.0, *reversed(rising)])[:, None].expand(9, 5)
    torch.testing.assert_close(inside, expected)
    # The grid's own border hides nothing.
    expected = torch.tensor([1.0] * 6 + [*reversed(rising)])[:, None].expand(9, 5)
    torch.testing.assert_close(at_the_top, expected)
    torch.testing.assert_close(at_the_end, expected.flip(0))
    (corner,) = Crops((4, 4), (9, 9), context=3).weights([(slice(1, 5), slice(0, 4))])
    rows, columns = torch.tensor([0.5, 1.0, 1.0, 0.5]), torch.tensor([1.0, 1.0, 1.0, 0.5])
    torch.testing.assert_close(corner, rows[:, None] * columns)


def test_a_third_of_a_crop_counts_fully_however_far_the_network_looks() -> None:
    (weights,) = Crops((6, 9), (30, 30), context=600).weights([(slice(4, 10), slice(5, 14))])
    rows = torch.tensor([1.0, 2.0, 3.0, 3.0, 2.0, 1.0]) / 3
    columns = torch.tensor([1.0, 2.0, 3.0, 4.0, 4.0, 4.0, 3.0, 2.0, 1.0]) / 4
    torch.testing.assert_close(weights, rows[:, None] * columns)


def test_all_points_count_alike_where_nothing_is_missing_or_nothing_is_known_of_it() -> None:
    window = (slice(2, 8), slice(2, 8))
    assert Crops((6, 6), (20, 20), context=None).weights([window]) is None
    assert Crops((6, 6), (20, 20), context=0).weights([window]) is None
    whole = Crops((64, 64), (20, 30), context=20)
    assert whole.size == (20, 30)
    assert whole.weights([whole.draw(np.random.default_rng(1))]) is None


GENERATOR = {
    "family": "stochastic_unet",
    "network": {"channels": [8, 8], "noise_scales": [1]},
    "prediction": "target",
    "loss": {"kind": "almost_fair_crps"},
}
REGRESSOR = {"family": "gnn", "network": {"latent": 8, "layers": 1}, "prediction": "target"}


class Zeros(torch.nn.Module):
    """A network that predicts nothing, whatever it is given; its noise is that of another one."""

    def __init__(self, like: Any) -> None:
        super().__init__()
        self.scales = getattr(like, "scales", ())
        self.draw_noise = getattr(like, "draw_noise", None)

    def forward(self, given: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(given), len(VARIABLES), *given.shape[-2:])


@pytest.mark.parametrize(
    "settings",
    [
        make_model_settings(forcings=[]),
        make_model_settings(forcings=[], **GENERATOR),
        make_model_settings(forcings=[], **REGRESSOR),
        make_model_settings(forcings=[], **REGRESSOR, loss={"kind": "mae"}),
        perturbation_settings(),
    ],
    ids=["diffusion", "generator", "squares", "absolute", "perturbation"],
)
def test_every_model_counts_points_by_their_weights(
    settings: ModelSettings, synthetic: Path
) -> None:
    model = new_model("x", 1, settings, read_statistics(synthetic / "statistics.nc"))
    model.network = Zeros(model.network)
    torch.manual_seed(2)
    offset = torch.tensor([290.0, 280.0, 500.0])[:, None, None]
    now, following = offset + 5.0 * torch.randn(2, 4, 3, 9, 9)
    weights = torch.zeros(4, 9, 9)
    weights[:, 2:6, 3:7] = 0.5

    def losses(**changes: Any) -> torch.Tensor:
        batch = Batch(now, following, torch.empty(4, 0, 9, 9), (), **changes)
        return model.training_losses(batch, torch.Generator().manual_seed(3))

    counted = losses(weights=weights)
    assert (counted - losses()).abs().max() > 1e-3
    torch.testing.assert_close(losses(weights=torch.full((4, 9, 9), 0.5)), losses())
    # Where nothing counts, anything may be.
    for states in (now, following):
        states[..., :2, :] += 40.0
        states[..., 7:] -= 40.0
    torch.testing.assert_close(losses(weights=weights), counted)
