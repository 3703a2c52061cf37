"""How states and weights lie in memory, by device."""

import pytest
import torch

from stormdraw.models.devices import lays_channels_last


@pytest.mark.parametrize(("processor", "expected"), [("AVX512", True), ("AVX2", False)])
def test_channels_last_where_it_is_faster(
    processor: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: processor)
    cpu, gpu = torch.device("cpu"), torch.device("cuda", 0)
    assert lays_channels_last("auto", cpu) is expected
    assert lays_channels_last("auto", gpu)
    assert lays_channels_last(True, cpu)
    assert not lays_channels_last(False, gpu)
