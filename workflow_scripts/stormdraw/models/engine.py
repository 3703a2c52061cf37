"""One training step, in Lightning's terms."""

import math

import lightning
import torch
from lightning.pytorch.callbacks import WeightAveraging
from lightning.pytorch.utilities.types import LRSchedulerConfigType, OptimizerLRScheduler

from stormdraw.errors import StormdrawError
from stormdraw.models.forecaster import Forecaster
from stormdraw.models.pairs import Batch
from stormdraw.models.settings import Training
from stormdraw.seeds import seed_for


class TrainingModule(lightning.LightningModule):
    """Trains any model.

    Timesteps and noise depend on (run seed, model, epoch, batch) only, so a training that was
    interrupted draws what it would have drawn.
    """

    def __init__(
        self, model: Forecaster, training: Training, name: str, run_seed: int, total_steps: int
    ) -> None:
        super().__init__()
        self.model = model
        self.training_settings = training
        self.name = name
        self.run_seed = run_seed
        self.total_steps = total_steps

    def training_step(self, batch: Batch, batch_index: int) -> dict[str, torch.Tensor]:
        """The loss of one batch.

        Raises StormdrawError if it is not a number, saying at which step and for which variable.
        """
        losses = self._losses(batch, "training", self.current_epoch, batch_index)
        loss = losses.mean()
        if not torch.isfinite(loss):
            raise StormdrawError(self._explain_loss(losses, batch))
        return {"loss": loss, "losses": losses.detach()}

    def validation_step(self, batch: Batch, batch_index: int) -> dict[str, torch.Tensor]:
        """The same loss with noise that is equal in all epochs, so that epochs can be compared."""
        losses = self._losses(batch, "validation", 0, batch_index)
        return {"loss": losses.mean(), "losses": losses}

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """AdamW, with the learning rate's schedule counted in optimizer steps."""
        training = self.training_settings
        optimizer = torch.optim.AdamW(
            self.model.parameters(),
            lr=training.learning_rate,
            weight_decay=training.weight_decay,
            fused=True,
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self._learning_rate_factor)
        return {
            "optimizer": optimizer,
            "lr_scheduler": LRSchedulerConfigType(scheduler=schedule, interval="step"),
        }

    def _learning_rate_factor(self, step: int) -> float:
        """Rises in a line over the warm-up, then stays, or falls to zero as half a cosine."""
        training = self.training_settings
        if step < training.warm_up_steps:
            return (step + 1) / (training.warm_up_steps + 1)
        if training.learning_rate_schedule == "constant":
            return 1.0
        remaining = max(self.total_steps - training.warm_up_steps, 1)
        return 0.5 * (1.0 + math.cos(math.pi * (step - training.warm_up_steps) / remaining))

    def _losses(self, batch: Batch, *labels: str | int) -> torch.Tensor:
        generator = torch.Generator(self.device)
        generator.manual_seed(seed_for(self.run_seed, self.name, *labels))
        return self.model.training_losses(batch, generator)

    def _explain_loss(self, losses: torch.Tensor, batch: Batch) -> str:
        bad = ~torch.isfinite(losses)
        names = [self.model.loss_names[index] for index in bad.any(dim=0).nonzero().flatten()]
        times = [
            f"{batch.times[index]:%Y-%m-%d %H}" for index in bad.any(dim=1).nonzero().flatten()
        ]
        return (
            f"model {self.name}: the loss of {', '.join(names)} is not a number at optimizer step "
            f"{self.global_step + 1}, for the states at {', '.join(times)} UTC; "
            "lower training.learning_rate or set training.gradient_clipping (1.0 is common)"
        )


class AveragedWeights(WeightAveraging):
    """An exponential moving average of the weights, which is what becomes the model.

    The decay grows towards `decay` as (1 + n) / (10 + n), so that a short training is not an
    average over its own beginning (as in TensorFlow's ExponentialMovingAverage).
    """

    def __init__(self, decay: float) -> None:
        def average(mean: torch.Tensor, new: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
            n = float(count)
            return torch.lerp(new, mean, min(decay, (1.0 + n) / (10.0 + n)))

        super().__init__(use_buffers=False, avg_fn=average)
