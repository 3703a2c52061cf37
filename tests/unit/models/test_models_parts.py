"""Points in parts."""

import pytest
import torch

from stormdraw.models.parts import in_parts, parts


@pytest.fixture(autouse=True)
def three_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stormdraw.models.parts.AT_ONCE", 3)


def test_a_single_part_while_gradients_are_recorded() -> None:
    assert list(parts(8)) == [slice(0, 8)]
    with torch.no_grad():
        assert list(parts(8)) == [slice(0, 3), slice(3, 6), slice(6, 8)]


@pytest.mark.parametrize("dim", [1, -2])
@pytest.mark.parametrize("points", [1, 3, 8])
def test_parts_join_to_the_whole(points: int, dim: int) -> None:
    x = torch.randn(2, points, 4)
    seen = []

    def operation(part: slice) -> torch.Tensor:
        seen.append(part)
        return x[:, part].cumsum(dim=2)[..., :2].double()

    with torch.inference_mode():
        whole = in_parts(operation, points, dim)
    torch.testing.assert_close(whole, x.cumsum(dim=2)[..., :2].double())
    assert len(seen) == -(-points // 3)
