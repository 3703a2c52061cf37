"""The fastest implementation is found by timing, once for each layer, shape and precision."""

from collections.abc import Sequence

import pytest
import torch
from torch import nn

from stormdraw.models import implementations
from stormdraw.models.implementations import fastest, largest_implementations

LAYER = nn.Conv2d(2, 2, 1)


class Ways:
    """Two implementations that count their passes; each advances the clock by its seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, first: float, second: float) -> None:
        self.now, self.passes, self.gradients = 0.0, [0, 0], 0
        self.seconds = (first, second)
        monkeypatch.setattr(implementations, "_TIMED_ON", ("cpu",))
        monkeypatch.setattr(implementations, "_chosen", {})
        monkeypatch.setattr(implementations.time, "perf_counter", lambda: self.now)

    def first(self, layer: nn.Conv2d, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        return self._pass(0, layer, inputs)

    def second(self, layer: nn.Conv2d, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        return self._pass(1, layer, inputs)

    def _pass(self, which: int, layer: nn.Conv2d, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        self.passes[which] += 1
        # The first pass, in which memory is got and kernels are loaded, is slow.
        self.now += self.seconds[which] if self.passes[which] % 4 != 1 else 100.0
        if self.seconds[which] == float("inf"):
            raise torch.OutOfMemoryError
        return layer(inputs[0])

    def chosen(self, inputs: Sequence[torch.Tensor]) -> str:
        both = (self.first, self.second)
        return "second" if fastest(both, LAYER, inputs) == self.second else "first"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [(1.0, 2.0, "first"), (2.0, 1.0, "second"), (1.0, float("inf"), "first")],
)
def test_the_fastest_is_taken(
    monkeypatch: pytest.MonkeyPatch, first: float, second: float, expected: str
) -> None:
    both = Ways(monkeypatch, first, second)
    assert both.chosen([torch.ones(1, 2, 3, 4)]) == expected


def test_each_situation_is_timed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    both = Ways(monkeypatch, 2.0, 1.0)
    for _ in range(3):
        assert both.chosen([torch.ones(1, 2, 3, 4)]) == "second"
    assert both.passes == [4, 4]
    both.seconds = (1.0, 2.0)
    assert both.chosen([torch.ones(1, 2, 3, 4)]) == "second"
    assert both.chosen([torch.ones(1, 2, 30, 4)]) == "first"
    with torch.no_grad():
        assert both.chosen([torch.ones(1, 2, 3, 4)]) == "first"
    with torch.autocast("cpu", torch.bfloat16):
        assert both.chosen([torch.ones(1, 2, 3, 4)]) == "first"
    laid = torch.ones(1, 2, 3, 4).to(memory_format=torch.channels_last)
    assert both.chosen([laid]) == "first"
    assert both.passes == [20, 20]


def test_gradients_count_where_they_are_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    both = Ways(monkeypatch, 1.0, 1.0)
    seen = []
    hook = LAYER.weight.register_hook(lambda gradient: seen.append(gradient))
    x = torch.ones(1, 2, 3, 4)
    both.chosen([x])
    assert len(seen) == 8
    # Timing leaves no gradients behind, and none are recorded where none are wanted.
    assert LAYER.weight.grad is None
    with torch.no_grad():
        both.chosen([x])
    assert len(seen) == 8
    hook.remove()


def test_untimed_devices_use_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    both = Ways(monkeypatch, 2.0, 1.0)
    x = torch.ones(1, 2, 3, 4)
    monkeypatch.setattr(implementations, "_TIMED_ON", ("cuda",))
    assert both.chosen([x]) == "first"
    with largest_implementations():
        assert both.chosen([x]) == "second"
    assert both.chosen([x]) == "first"
    monkeypatch.setattr(implementations, "_TIMED_ON", ("cpu",))
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    assert both.chosen([x]) == "first"
    assert both.passes == [0, 0]
