"""Monitors a training: metrics.json, TensorBoard, a log line per epoch, and two checks."""

import logging
import resource
from typing import Any

import lightning
import psutil
import torch
from lightning.pytorch.callbacks import Callback

from stormdraw.models.device_sums import DeviceSums
from stormdraw.models.diffusion import NOISE_LEVELS
from stormdraw.models.epoch_clock import EpochClock
from stormdraw.models.gpu_load import GpuLoad
from stormdraw.models.metrics import EpochMetrics, MetricsFile
from stormdraw.models.ranks import ALONE, Ranks

logger = logging.getLogger(__name__)

# Memory should be constant after the first steps, when all buffers have been allocated.
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
        # Sums of the current epoch over its samples, so that it can be interrupted and resumed.
        self._sums = DeviceSums(ranks)
        self._step = 0
        self._validation = DeviceSums(ranks)
        self._clock = EpochClock()
        self._load = GpuLoad()

    def state_dict(self) -> dict[str, Any]:
        """The state for the resume file. All ranks must call it."""
        sums = self._sums.totals()
        return {
            "epochs": self.epochs,
            "sums": sums,
            "seconds": self._clock.seconds if sums else {},
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the state from the resume file."""
        self.epochs = state_dict["epochs"]
        self._sums.restart_from(state_dict["sums"])
        self._clock.begin("rest", state_dict["seconds"])

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Start the clock once the data and any resume file have been read."""
        self._clock.begin("training", self._clock.seconds if self._sums.totals() else {})
        self._step = trainer.global_step

    def on_train_epoch_start(
        self, trainer: lightning.Trainer, module: lightning.LightningModule
    ) -> None:
        """Switch the clock to training; saving the last epoch has ended."""
        self._clock.enter("training")

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_index: int,
    ) -> None:
        """Add a batch to the sums of the epoch."""
        self._load.sample()
        losses = outputs["losses"]  # (B, V)
        self._sums.add(losses=losses.sum(dim=0), samples=_count(losses))
        if self.laws:
            self._sums.add(violations=outputs["violations"].sum(dim=0))
        if "levels" in outputs:
            self._add_levels(losses.mean(dim=1), outputs["levels"])
        if trainer.global_step > self._step:
            self._step = trainer.global_step
            # In float16, a step whose scaled gradient overflows is skipped and has no norm.
            norm: torch.Tensor = module.gradient_norm[None]  # type: ignore[index]
            valid = torch.isfinite(norm)
            self._sums.add(gradient=torch.where(valid, norm, 0.0), steps=valid)

    def _add_levels(self, losses: torch.Tensor, levels: torch.Tensor) -> None:
        """Add the loss of each sample, (B,), to the sum of its noise level."""
        at = levels[:, None] == torch.arange(len(NOISE_LEVELS), device=levels.device)
        self._sums.add(
            levels=torch.where(at, losses[:, None], 0.0).sum(dim=0), at_levels=at.sum(dim=0)
        )

    def on_validation_epoch_start(
        self, trainer: lightning.Trainer, module: lightning.LightningModule
    ) -> None:
        """Reset the sums of the validation."""
        self._clock.enter("validation")
        self._validation.restart_from({})

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
        losses = outputs["losses"]
        self._validation.add(losses=losses.mean(dim=1).sum(dim=0)[None], samples=_count(losses))

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule
    ) -> None:
        """Record the epoch and begin the next one."""
        self._clock.enter("rest")
        sums, seconds = self._sums.totals(), self._clock.seconds
        samples = round(sums["samples"][0])
        losses = dict(zip(self.variables, _over(sums["losses"], samples), strict=True))
        metrics = EpochMetrics(
            epoch=len(self.epochs) + 1,
            step=trainer.global_step,
            train_loss=sum(losses.values()) / len(losses),
            train_loss_by_variable=losses,
            validation_loss=self._validation_loss(),
            learning_rate=trainer.optimizers[0].param_groups[0]["lr"],
            samples_per_second=samples / seconds["training"],
            seconds=sum(seconds.values()),
            validation_seconds=seconds["validation"],
            gradient_norm=sums["gradient"][0] / max(sums["steps"][0], 1.0),
            loss_by_noise_level=_by_level(sums),
            physics_violations=dict(
                zip(self.laws, _over(sums.get("violations", []), samples), strict=True)
            ),
            peak_memory_bytes=peak_memory(),
            gpu_utilisation=self._load.take_mean(),
            device=self.device,
        )
        self.epochs.append(metrics.as_dict())
        if self.ranks.is_first:
            self.file.write(self.epochs)
        if trainer.logger is not None:
            trainer.logger.log_metrics(metrics.scalars(), step=trainer.global_step)
        logger.info("%s", metrics.line(trainer.max_epochs or 0))
        self._sums.restart_from({})
        self._clock.begin("rest")

    def _validation_loss(self) -> float | None:
        """The mean over the samples of the last validation, if any."""
        sums = self._validation.totals()
        return sums["losses"][0] / sums["samples"][0] if sums else None


def _count(losses: torch.Tensor) -> torch.Tensor:
    """The number of samples of (B, V), as (1,) on its device."""
    return losses.new_full((1,), len(losses))


def _over(sums: list[float], samples: int) -> list[float]:
    return [total / samples for total in sums]


def _by_level(sums: dict[str, list[float]]) -> dict[str, float]:
    """The mean loss at each noise level that occurred, if the model has noise levels."""
    each = zip(NOISE_LEVELS, sums.get("levels", ()), sums.get("at_levels", ()), strict=False)
    return {name: total / count for name, total, count in each if count}


class StopEarly(Callback):
    """Ends a training whose loss has not decreased for `epochs` epochs.

    The validation loss counts, or the training loss if there is no validation.
    """

    def __init__(self, epochs: int, record: RecordMetrics) -> None:
        self.epochs = epochs
        self.record = record

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule
    ) -> None:
        """Compare the losses after RecordMetrics has recorded the epoch."""
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
    """Warns once if memory grows by a fifth over the first steps, which suggests a leak.

    Memory is constant after a few optimizer steps; the first one allocates the optimizer's moments.
    The first validation, of whole grids, may enlarge the process, so counting restarts after it.
    """

    def __init__(self) -> None:
        self._first_step = 0
        self._settles_at = _SETTLED_STEPS
        self._settled = 0
        self._validated = False
        self._done = False

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Count steps from here, since a resumed training allocates its buffers again."""
        self._first_step = trainer.global_step

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_index: int,
    ) -> None:
        """Compare with the memory after the first few optimizer steps."""
        steps = trainer.global_step - self._first_step
        if self._done or steps < self._settles_at:
            return
        present = present_memory()
        if steps == self._settles_at:
            self._settled = present
        elif present > _LARGEST_GROWTH * self._settled:
            logger.warning(
                "memory has grown from %.2f to %.2f GB between optimizer steps %d and %d",
                *(self._settled / 1e9, present / 1e9, self._settles_at, steps),
            )
            self._done = True
        self._done = self._done or steps >= _WATCHED_STEPS

    def on_validation_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule
    ) -> None:
        """Restart after the first validation."""
        if not self._validated:
            self._validated = True
            self._settles_at = max(_SETTLED_STEPS, trainer.global_step - self._first_step + 1)


def present_memory() -> int:
    """Bytes held now: on the GPU if there is one, else resident in this process."""
    if torch.cuda.is_available():
        return torch.cuda.memory_allocated()
    return psutil.Process().memory_info().rss


def peak_memory() -> int:
    """Peak memory of this process in bytes: on the GPU if there is one, else resident."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
