"""Watching a training: metrics.json, TensorBoard, a line an epoch, and two reasons to speak up."""

import logging
import math
import resource
import time
from typing import Any

import lightning
import psutil
import torch
from lightning.pytorch.callbacks import Callback

from stormdraw.models.diffusion import NOISE_LEVELS
from stormdraw.models.metrics import EpochMetrics, MetricsFile
from stormdraw.models.ranks import ALONE, Ranks

logger = logging.getLogger(__name__)

# Memory should be level after the first steps, when every buffer has been made once.
_SETTLED_STEPS = 3
_WATCHED_STEPS = 100
_LARGEST_GROWTH = 1.2


class RecordMetrics(Callback):
    """Adds each epoch to `metrics.json`, to TensorBoard and, as a line, to the log."""

    def __init__(
        self,
        file: MetricsFile,
        variables: tuple[str, ...],
        device: str,
        ranks: Ranks = ALONE,
        laws: tuple[str, ...] = (),
    ) -> None:
        self.ranks = ranks
        self.laws = laws
        self.file = file
        self.variables = variables
        self.device = device
        self.epochs: list[dict[str, Any]] = []
        # Of the epoch that is under way: sums over samples, so that it can be left and resumed.
        self._samples = 0
        self._loss_sum: list[float] = [0.0] * len(variables)
        self._levels: dict[str, list[float]] = {}
        self._violation_sum: list[float] = [0.0] * len(laws)
        self._gradient = [0.0, 0.0]
        self._step = 0
        self._seconds = 0.0
        self._validation_samples = 0
        self._validation_sum = 0.0
        self._since = 0.0

    def state_dict(self) -> dict[str, Any]:
        """Goes into the resume file."""
        return {
            "epochs": self.epochs,
            "samples": self._samples,
            "loss_sum": self._loss_sum,
            "levels": self._levels,
            "violation_sum": self._violation_sum,
            "gradient": self._gradient,
            "seconds": self._seconds + time.monotonic() - self._since if self._samples else 0.0,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Comes out of the resume file."""
        self.epochs = state_dict["epochs"]
        self._samples = state_dict["samples"]
        self._loss_sum = state_dict["loss_sum"]
        self._levels = state_dict["levels"]
        self._violation_sum = state_dict["violation_sum"]
        self._gradient = state_dict["gradient"]
        self._seconds = state_dict["seconds"]

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """The clock starts after the data and a resume file were read."""
        self._since = time.monotonic()
        self._step = trainer.global_step

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_index: int,
    ) -> None:
        """Add a batch to the sums of the epoch."""
        losses = outputs["losses"]  # (B, V)
        sums = torch.cat([losses.sum(dim=0), losses.new_tensor([len(losses)])])
        *by_variable, samples = self.ranks.total(sums).tolist()
        self._samples += round(samples)
        self._loss_sum = [a + b for a, b in zip(self._loss_sum, by_variable, strict=True)]
        if self.laws:
            broken = self.ranks.total(outputs["violations"].sum(dim=0)).tolist()
            self._violation_sum = [a + b for a, b in zip(self._violation_sum, broken, strict=True)]
        for name, (total, count) in self._by_level(outputs).items():
            level = self._levels.setdefault(name, [0.0, 0.0])
            level[0] += total
            level[1] += count
        if trainer.global_step > self._step:
            self._step = trainer.global_step
            norm = float(module.gradient_norm)  # type: ignore[arg-type]
            # A step whose scaled gradient overflows in float16 is skipped, and has no norm.
            if math.isfinite(norm):
                self._gradient[0] += norm
                self._gradient[1] += 1.0

    def _by_level(self, outputs: dict[str, torch.Tensor]) -> dict[str, tuple[float, float]]:
        """Sum of the losses and number of samples at each noise level, if the model has any."""
        levels = outputs.get("levels")
        if levels is None:
            return {}
        losses = outputs["losses"].mean(dim=1)
        found: dict[str, tuple[float, float]] = {}
        for level, name in enumerate(NOISE_LEVELS):
            at = levels == level
            total, count = self.ranks.total(torch.stack([losses[at].sum(), at.sum()])).tolist()
            if count:
                found[name] = (total, count)
        return found

    def on_validation_epoch_start(
        self, trainer: lightning.Trainer, module: lightning.LightningModule
    ) -> None:
        """Forget the last epoch's validation."""
        self._validation_samples, self._validation_sum = 0, 0.0

    def on_validation_batch_end(
        self,
        trainer: lightning.Trainer,
        module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_index: int,
        dataloader_index: int = 0,
    ) -> None:
        """Add a batch to the sums of the validation."""
        losses = outputs["losses"].mean(dim=1)
        total, samples = self.ranks.total(
            torch.stack([losses.sum(), losses.new_tensor(float(len(losses)))])
        ).tolist()
        self._validation_samples += round(samples)
        self._validation_sum += total

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule
    ) -> None:
        """Write the epoch down and begin the next one."""
        seconds = self._seconds + time.monotonic() - self._since
        losses = {
            name: total / self._samples
            for name, total in zip(self.variables, self._loss_sum, strict=True)
        }
        metrics = EpochMetrics(
            epoch=len(self.epochs) + 1,
            step=trainer.global_step,
            train_loss=sum(losses.values()) / len(losses),
            train_loss_by_variable=losses,
            validation_loss=(
                self._validation_sum / self._validation_samples
                if self._validation_samples
                else None
            ),
            learning_rate=trainer.optimizers[0].param_groups[0]["lr"],
            samples_per_second=self._samples / seconds,
            seconds=seconds,
            gradient_norm=self._gradient[0] / max(self._gradient[1], 1.0),
            loss_by_noise_level={
                name: total / count for name, (total, count) in self._levels.items()
            },
            physics_violations={
                law: total / self._samples
                for law, total in zip(self.laws, self._violation_sum, strict=True)
            },
            peak_memory_bytes=peak_memory(),
            gpu_utilisation=gpu_utilisation(),
            device=self.device,
        )
        self.epochs.append(metrics.as_dict())
        if self.ranks.is_first:
            self.file.write(self.epochs)
        if trainer.logger is not None:
            trainer.logger.log_metrics(metrics.scalars(), step=trainer.global_step)
        logger.info("%s", metrics.line(trainer.max_epochs or 0))
        self._samples, self._seconds = 0, 0.0
        self._levels, self._gradient = {}, [0.0, 0.0]
        self._loss_sum = [0.0] * len(self.variables)
        self._violation_sum = [0.0] * len(self.laws)
        self._since = time.monotonic()


class StopEarly(Callback):
    """Ends a training whose loss has not become smaller for so many epochs.

    The validation's loss counts, or the training's if there is no validation.
    """

    def __init__(self, epochs: int, record: RecordMetrics) -> None:
        self.epochs = epochs
        self.record = record

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule
    ) -> None:
        """Look back, once RecordMetrics has written the epoch down."""
        losses = [
            epoch["train_loss"] if epoch["validation_loss"] is None else epoch["validation_loss"]
            for epoch in self.record.epochs
        ]
        before, since = losses[: -self.epochs], losses[-self.epochs :]
        if before and min(since) >= min(before):
            trainer.should_stop = True
            logger.info(
                "stopping early after epoch %d: no better than %.4f for %d epochs",
                *(len(losses), min(before), self.epochs),
            )


class WarnOfGrowth(Callback):
    """Warns once if memory grows by a fifth over the first steps: something is kept that should
    not be."""

    def __init__(self) -> None:
        self._steps = 0
        self._settled = 0

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_index: int,
    ) -> None:
        """Compare with what there was after the first few batches."""
        self._steps += 1
        if self._steps > _WATCHED_STEPS:
            return
        if self._steps == _SETTLED_STEPS:
            self._settled = present_memory()
        elif self._steps > _SETTLED_STEPS and present_memory() > _LARGEST_GROWTH * self._settled:
            logger.warning(
                "memory has grown from %.2f to %.2f GB between batch %d and %d",
                *(self._settled / 1e9, present_memory() / 1e9, _SETTLED_STEPS, self._steps),
            )
            self._steps = _WATCHED_STEPS


def present_memory() -> int:
    """Bytes held now: on the GPU if there is one, else resident ones of this process."""
    if torch.cuda.is_available():
        return torch.cuda.memory_allocated()
    return psutil.Process().memory_info().rss


def gpu_utilisation() -> float | None:
    """Share of the last second or so in which the GPU was busy; None where it does not tell."""
    if not torch.cuda.is_available():
        return None
    try:
        return torch.cuda.utilization() / 100.0
    except (ModuleNotFoundError, RuntimeError):
        # The driver's Python bindings are not there, or the driver does not say.
        return None


def peak_memory() -> int:
    """The most memory in bytes this process has held: on the GPU if there is one, else in all."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
