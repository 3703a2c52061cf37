"""One training step: whose gradient it is, and what half precision may do to it."""

from datetime import datetime
from typing import Any

import lightning
import numpy as np
import pytest
import torch
from lightning.pytorch.plugins import MixedPrecision
from synthetic_hours import VARIABLES, make_model_settings

from stormdraw.fields.statistics import Statistics
from stormdraw.models.accumulation import Windows
from stormdraw.models.engine import TrainingModule
from stormdraw.models.forecaster import Forecaster
from stormdraw.models.pairs import Batch
from stormdraw.models.settings import ModelSettings
from stormdraw.models.training import new_model

SAMPLES = 7


def regressor_settings(**training: Any) -> ModelSettings:
    """A model without chance, so that the loss of a sample is the same in every batch."""
    return make_model_settings(
        training,
        family="gnn",
        network={"latent": 8, "layers": 1, "spacing": 2, "scales": 1},
        prediction="target",
        target="next_state",
        forcings=[],
    )


def make_model(settings: ModelSettings) -> Forecaster:
    zeros, ones = np.zeros(3, dtype=np.float32), np.ones(3, dtype=np.float32)
    statistics = Statistics(VARIABLES, ("identity",) * 3, zeros, ones, zeros, ones)
    return new_model("small", 0, settings, statistics)


def make_batch(samples: slice = slice(None)) -> Batch:
    """Some of seven random samples of 6 x 6 points, the later ones much larger than the first."""
    generator = torch.Generator().manual_seed(1)
    now, following = torch.randn(2, SAMPLES, 3, 6, 6, generator=generator)
    following = following * torch.arange(1.0, SAMPLES + 1)[:, None, None, None]
    times = (datetime(2026, 6, 1),) * len(now[samples])
    return Batch(now[samples], following[samples], now[samples, :0], times)


class Batches:
    """The seven samples in their order."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __len__(self) -> int:
        return -(-SAMPLES // self.size)

    def __iter__(self) -> Any:
        return (make_batch(slice(at, at + self.size)) for at in range(0, SAMPLES, self.size))


class StepGradients(lightning.Callback):
    """Keeps the gradient of each optimizer step, as the optimizer gets it, and its norm before."""

    def __init__(self) -> None:
        self.gradients: list[torch.Tensor] = []
        self.norms: list[float] = []

    def on_before_zero_grad(self, trainer: Any, module: Any, optimizer: Any) -> None:
        if trainer.global_step > len(self.gradients):
            gradients = [each.grad for each in module.parameters()]
            self.gradients.append(torch.cat([each.flatten() for each in gradients]).clone())
            self.norms.append(float(module.gradient_norm))


def take_steps(settings: ModelSettings, plugin: Any = None) -> tuple[StepGradients, torch.Tensor]:
    """One epoch over the seven samples: what each step was given, and the weights after it."""
    training = settings.training
    model = make_model(settings)
    module = TrainingModule(model, training, "small", 0, 10, Windows.of(training, SAMPLES))
    kept = StepGradients()
    trainer = lightning.Trainer(
        accelerator="cpu",
        max_epochs=1,
        accumulate_grad_batches=training.accumulation,
        callbacks=[kept],
        plugins=plugin and [plugin],
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
    )
    trainer.fit(module, Batches(training.batch_size))
    kept.on_before_zero_grad(trainer, module, None)  # of the last step
    return kept, torch.cat([each.detach().flatten() for each in model.parameters()])


def gradient_of_mean(settings: ModelSettings, samples: slice) -> torch.Tensor:
    """Of the mean loss of these samples at the first weights."""
    model = make_model(settings)
    model.objective(model.training_losses(make_batch(samples), None)).backward()
    return torch.cat([each.grad.flatten() for each in model.parameters()])  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("batch_size", "accumulation", "windows"),
    [
        (1, 4, [slice(0, 4), slice(4, 7)]),
        (2, 2, [slice(0, 4), slice(4, 7)]),  # the last window has batches of 2 and 1
        (2, 8, [slice(0, 7)]),
        (3, 1, [slice(0, 3), slice(3, 6), slice(6, 7)]),
    ],
)
def test_each_step_has_the_gradient_of_the_mean_over_its_own_samples(
    batch_size: int, accumulation: int, windows: list[slice]
) -> None:
    # Weights that hardly move, so that all gradients are those at the first ones.
    settings = regressor_settings(
        batch_size=batch_size, accumulation=accumulation, learning_rate=1e-20, weight_decay=0.0
    )
    kept, _ = take_steps(settings)
    assert len(kept.gradients) == len(windows)
    for gradient, window in zip(kept.gradients, windows, strict=True):
        torch.testing.assert_close(
            gradient, gradient_of_mean(settings, window), rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("scale", [1.0, 2.0**12])
def test_the_norm_that_is_clipped_is_not_that_of_float16s_scaled_gradient(scale: float) -> None:
    changes: dict[str, Any] = {"batch_size": 7, "accumulation": 1, "gradient_clipping": 0.5}
    whole, weights = take_steps(regressor_settings(precision="float32", **changes))
    scaler = torch.amp.GradScaler("cpu", init_scale=scale)
    plugin = MixedPrecision("16-mixed", "cpu", scaler)
    half, half_weights = take_steps(regressor_settings(precision="float16", **changes), plugin)
    assert whole.norms[0] > 5.0
    assert half.norms == pytest.approx(whole.norms, rel=1e-2)
    clipped = half.gradients[0].norm().item()
    assert clipped == pytest.approx(0.5, rel=1e-3)
    # Adam's first step is the sign of the gradient times the learning rate: where gradients are
    # larger than half precision's errors, both move alike.
    clear = whole.gradients[0].abs() > 1e-3
    torch.testing.assert_close(half_weights[clear], weights[clear], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_the_objective_is_in_single_precision_under_autocast(half: torch.dtype) -> None:
    settings = make_model_settings(
        family="gnn",
        network={"latent": 8, "layers": 1, "spacing": 2, "scales": 1},
        prediction="target",
        target="next_state",
        forcings=[],
        physics={"dew_point": 3.0, "cape": 1.0, "moist_energy": 0.0},
    )
    model = make_model(settings)
    assert model.law_names == ("cape", "dew_point")
    # 1.0 + (1 x 30,001 + 3 x 30,003): float16 ends at 65,504 and bfloat16 has three digits.
    model.violations = torch.tensor([[30001.0, 30003.0]])
    with torch.autocast("cpu", half):
        objective = model.objective(torch.ones(1, 3))
    assert objective.dtype == torch.float32
    assert objective.item() == 120011.0


class Replay(torch.autograd.Function):
    """A factor on every channel, whose gradient always lies in the same memory, as a CUDA graph's
    does."""

    @staticmethod
    def forward(
        context: Any, condition: torch.Tensor, factor: torch.Tensor, kept: torch.Tensor
    ) -> torch.Tensor:
        context.save_for_backward(condition)
        context.kept = kept
        return condition * factor[:, None, None]

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (condition,) = context.saved_tensors
        context.kept.copy_((gradients[0] * condition).sum(dim=(0, 2, 3)))
        return None, context.kept.view(-1), None


class Replayed(torch.nn.Module):
    """A network of three factors."""

    role = "regressor"

    def __init__(self) -> None:
        super().__init__()
        self.factor = torch.nn.Parameter(torch.tensor([0.5, 1.0, 2.0]))
        self.kept = torch.zeros(3)

    def forward(self, condition: torch.Tensor) -> torch.Tensor:
        return Replay.apply(condition, self.factor, self.kept)


@pytest.mark.parametrize("mode", ["reduce-overhead", "max-autotune"])
def test_replayed_graphs_do_not_overwrite_what_was_accumulated(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks: list[str] = []
    monkeypatch.setattr(
        torch.compiler, "cudagraph_mark_step_begin", lambda: marks.append("batch begins")
    )
    settings = regressor_settings(
        batch_size=1, accumulation=4, compile=mode, learning_rate=1e-20, weight_decay=0.0
    )
    monkeypatch.setattr("stormdraw.models.forecaster.build_network", lambda *_: Replayed())
    kept, _ = take_steps(settings)
    # The mean over samples of d/df mean((f x - y)^2) = mean(2 x (f x - y)), by variable.
    expected = []
    for window in (slice(0, 4), slice(4, 7)):
        batch = make_batch(window)
        error = batch.now * torch.tensor([0.5, 1.0, 2.0])[:, None, None] - batch.following
        expected.append((2 * batch.now * error).mean(dim=(0, 2, 3)) / 3)
    torch.testing.assert_close(torch.stack(kept.gradients), torch.stack(expected))
    assert marks == ["batch begins"] * 7
