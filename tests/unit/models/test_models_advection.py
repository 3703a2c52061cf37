"""Features carried along by displacements."""

import pytest
import torch

from stormdraw.models.advection import REACH, Advection, upstream


def displaced(shape: tuple[int, int], *groups: tuple[float, float]) -> torch.Tensor:
    """The same displacement (x, y) everywhere for each group, (1, 2 G, Y, X)."""
    flat = [group[0] for group in groups] + [group[1] for group in groups]
    return torch.tensor(flat)[None, :, None, None].expand(1, -1, *shape).clone()


def test_whole_displacements_shift_and_repeat_the_edge() -> None:
    features = torch.arange(24.0).reshape(1, 1, 4, 6)
    carried = upstream(features, displaced((4, 6), (2.0, -1.0)))
    rows = torch.tensor([1, 2, 3, 3])  # from below, where y is greater
    columns = torch.tensor([0, 0, 0, 1, 2, 3])
    torch.testing.assert_close(carried[0, 0], features[0, 0][rows][:, columns])


def test_fractional_displacements_interpolate() -> None:
    y, x = torch.meshgrid(torch.arange(7.0), torch.arange(9.0), indexing="ij")
    features = (2.0 * x - 3.0 * y + x * y)[None, None]  # bilinear, so exact
    shift = displaced((7, 9), (0.75, -0.5))
    carried = upstream(features, shift)[0, 0, :-1, 1:]
    from_x, from_y = (x - 0.75)[:-1, 1:], (y + 0.5)[:-1, 1:]
    torch.testing.assert_close(carried, 2.0 * from_x - 3.0 * from_y + from_x * from_y)


def test_groups_of_channels_and_samples_move_independently() -> None:
    features = torch.randn(2, 4, 5, 6)
    shift = torch.cat(
        [displaced((5, 6), (1.0, 0.0), (0.0, 2.0)), displaced((5, 6), *[(0.0, 0.0)] * 2)]
    )
    carried = upstream(features, shift)
    torch.testing.assert_close(carried[0, :2, :, 1:], features[0, :2, :, :-1])
    torch.testing.assert_close(carried[0, 2:, 2:], features[0, 2:, :-2])
    torch.testing.assert_close(carried[1], features[1])


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (8, 6)])
def test_nothing_moves_before_training(shape: tuple[int, int]) -> None:
    layer = Advection(3, groups=2, norm="local")
    features = torch.randn(2, 4, *shape)
    guide = torch.randn(2, 3, -(-shape[0] // 2), -(-shape[1] // 2))
    torch.testing.assert_close(layer(features, guide), features)


def test_a_shift_is_learnt() -> None:
    torch.manual_seed(0)
    layer = Advection(1, groups=1, norm="local")
    # Smooth waves, moved by (1.5, -1) points.
    y, x = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    before = (torch.sin(x / 3.0) + torch.sin(y / 2.0))[None, None]
    after = (torch.sin((x - 1.5) / 3.0) + torch.sin((y + 1.0) / 2.0))[None, None]
    guide = torch.randn(1, 1, 8, 8)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.05)
    inner = (..., slice(3, -3), slice(3, -3))
    losses = []
    for _ in range(100):
        optimizer.zero_grad()
        loss = (layer(before, guide) - after)[inner].square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.02 * losses[0]


def test_half_precision_keeps_positions_exact() -> None:
    # A place near the 1,800th column cannot be told to a point in bfloat16.
    features = torch.zeros(1, 1, 1, 1800, dtype=torch.bfloat16)
    features[..., 1701] = 1.0
    carried = upstream(features, displaced((1, 1800), (12.0, 0.0)))
    assert carried.dtype == torch.bfloat16
    assert carried[0, 0, 0].argmax() == 1713


def test_a_guide_that_is_the_same_everywhere_moves_all_points_alike() -> None:
    torch.manual_seed(0)
    layer = Advection(2, groups=1, norm="local", edges="replicate")
    torch.nn.init.normal_(layer.displacement.weight)
    guide = torch.tensor([1.0, -1.0])[None, :, None, None].expand(1, 2, 6, 6)
    along_x = torch.arange(12.0).expand(12, 12)
    features = torch.stack([along_x, along_x.T])[None]
    moved = (layer(features, guide) - features).clamp(-4.0, 4.0)
    # Up to where points would come from beyond the grid.
    inner = moved[..., 4:-4, 4:-4]
    assert 0.1 < inner.abs().min() < 4.0
    edges = moved[0, 0, :, 4:-4], moved[0, 1, 4:-4]
    for channel, edge in enumerate(edges):
        torch.testing.assert_close(edge, inner[0, channel, :1, :1].expand_as(edge))


def test_displacements_are_bounded() -> None:
    layer = Advection(1, groups=1, norm="local")
    torch.nn.init.constant_(layer.displacement.bias, 1e4)
    features = torch.arange(60.0).expand(1, 1, 60, 60)
    carried = layer(features, torch.randn(1, 1, 30, 30))
    torch.testing.assert_close(carried[0, 0, 0, int(REACH) :], torch.arange(60.0 - REACH))
