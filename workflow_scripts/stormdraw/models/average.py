"""The moving average of the weights, which becomes the model."""

from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback

from stormdraw.models.sharding import local, shared_like


class AveragedWeights(Callback):
    """An exponential moving average of the weights.

    The decay grows towards `decay` as (1 + n) / (10 + n), so that the average of a short training
    does not retain its initial weights (as in TensorFlow's ExponentialMovingAverage). Validation
    and the final model use the average. Sharded weights have sharded averages.
    """

    def __init__(self, decay: float) -> None:
        self.decay = decay
        self._average: list[torch.Tensor] = []
        self._updates = 0

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Start from the weights, or from the state of a resumed training."""
        weights = list(module.parameters())
        if self._average:
            self._average = [
                shared_like(mean, each).to(each.device)
                for mean, each in zip(self._average, weights, strict=True)
            ]
        else:
            self._average = [each.detach().clone() for each in weights]

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_index: int,
    ) -> None:
        """Update the average after each optimizer step."""
        if trainer.global_step <= self._updates:
            return
        # After the first step the average is the weights; n counts the steps before.
        n = float(self._updates)
        decay = min(self.decay, (1.0 + n) / (10.0 + n)) if n else 0.0
        weights = [local(each) for each in module.parameters()]
        torch._foreach_lerp_([local(mean) for mean in self._average], weights, 1.0 - decay)
        self._updates = trainer.global_step

    def on_validation_epoch_start(
        self, trainer: lightning.Trainer, module: lightning.LightningModule
    ) -> None:
        """Validate with the average."""
        self._swap(module)

    def on_validation_epoch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule
    ) -> None:
        """Put the weights back."""
        self._swap(module)

    def copy_to(self, module: lightning.LightningModule) -> None:
        """Replace the weights by their average at the end of a training."""
        with torch.no_grad():
            for mean, each in zip(self._average, module.parameters(), strict=True):
                local(each).copy_(local(shared_like(mean, each)))

    def state_dict(self) -> dict[str, Any]:
        """The state for the resume file."""
        return {"average": self._average, "updates": self._updates}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the state from the resume file."""
        self._average, self._updates = state_dict["average"], state_dict["updates"]

    def _swap(self, module: lightning.LightningModule) -> None:
        for mean, each in zip(self._average, module.parameters(), strict=True):
            here, there = local(mean), local(each)
            waiting = here.clone()
            here.copy_(there)
            there.copy_(waiting)
