"""Ends a training whose loss is no longer a number, and reports where that began."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback

from stormdraw.errors import StormdrawError
from stormdraw.models.forecaster import Forecaster
from stormdraw.models.pairs import Batch

# Batches between two checks of the losses: each check waits for the device.
CHECK_EVERY = 50


@dataclass(frozen=True)
class _Step:
    """The results of one batch: the loss (), its parts by variable (B, V) and by law (B, L)."""

    number: int
    loss: torch.Tensor
    losses: torch.Tensor
    violations: torch.Tensor | None
    times: tuple[datetime, ...]


class CheckLosses(Callback):
    """Checks the losses every CHECK_EVERY batches, at the end of an epoch and before each save.

    Raises StormdrawError if a loss is not a number, naming the first such optimizer step, the
    variable or law, and the valid times of the states.
    """

    def __init__(self, name: str, model: Forecaster) -> None:
        self.name = name
        self.model = model
        self._steps: list[_Step] = []
        self._number = 0

    def on_train_batch_start(
        self,
        trainer: lightning.Trainer,
        module: lightning.LightningModule,
        batch: Any,
        batch_index: int,
    ) -> None:
        """Note the batch's optimizer step, counted from 1."""
        self._number = trainer.global_step + 1

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        module: lightning.LightningModule,
        outputs: Any,
        batch: Batch,
        batch_index: int,
    ) -> None:
        """Keep the results of the batch, and check them from time to time."""
        self._steps.append(
            _Step(
                self._number,
                outputs["loss"].detach(),
                outputs["losses"],
                outputs.get("violations"),
                batch.times,
            )
        )
        if len(self._steps) == CHECK_EVERY:
            self._check()

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule
    ) -> None:
        """Check before the epoch is recorded."""
        self._check()

    def on_save_checkpoint(
        self,
        trainer: lightning.Trainer,
        module: lightning.LightningModule,
        checkpoint: dict[str, Any],
    ) -> None:
        """Check before the weights replace earlier ones."""
        self._check()

    def _check(self) -> None:
        steps, self._steps = self._steps, []
        if not steps:
            return
        fine = torch.isfinite(torch.stack([step.loss for step in steps])).tolist()
        if not all(fine):
            raise StormdrawError(self._explain(steps[fine.index(False)]))

    def _explain(self, step: _Step) -> str:
        parts = dict(zip(self.model.loss_names, step.losses.unbind(dim=1), strict=True))
        if step.violations is not None:
            parts |= dict(zip(self.model.law_names, step.violations.unbind(dim=1), strict=True))
        bad = {name: ~torch.isfinite(values) for name, values in parts.items()}
        names = [name for name, where in bad.items() if where.any()]
        rows = torch.stack(list(bad.values())).any(dim=0).nonzero().flatten().tolist()
        times = [f"{step.times[row]:%Y-%m-%d %H}" for row in rows]
        return (
            f"model {self.name}: the loss of {', '.join(names)} is not a number at optimizer step "
            f"{step.number}, for the states at {', '.join(times)} UTC; lower "
            "training.learning_rate or set training.gradient_clipping (1.0 is common)"
        )
