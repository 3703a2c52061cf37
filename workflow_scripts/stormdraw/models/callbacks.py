"""What happens beside the training steps: metrics, resume files, signals."""

import contextlib
import logging
import resource
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, Checkpoint

from stormdraw.files import replacing
from stormdraw.models.metrics import EpochMetrics, MetricsFile

logger = logging.getLogger(__name__)

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class RecordMetrics(Callback):
    """Adds each epoch to `metrics.json`, to TensorBoard and, as a line, to the log."""

    def __init__(self, file: MetricsFile, variables: tuple[str, ...], device: str) -> None:
        self.file = file
        self.variables = variables
        self.device = device
        self.epochs: list[dict[str, Any]] = []
        # Of the epoch that is under way: sums over samples, so that it can be left and resumed.
        self._samples = 0
        self._loss_sum: list[float] = [0.0] * len(variables)
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
            "seconds": self._seconds + time.monotonic() - self._since if self._samples else 0.0,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Comes out of the resume file."""
        self.epochs = state_dict["epochs"]
        self._samples = state_dict["samples"]
        self._loss_sum = state_dict["loss_sum"]
        self._seconds = state_dict["seconds"]

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """The clock starts after the data and a resume file were read."""
        self._since = time.monotonic()

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_index: int,
    ) -> None:
        """Add a batch to the sums of the epoch."""
        self._samples += len(batch.times)
        sums = outputs["losses"].sum(dim=0).tolist()
        self._loss_sum = [total + new for total, new in zip(self._loss_sum, sums, strict=True)]

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
        self._validation_samples += len(batch.times)
        self._validation_sum += float(outputs["losses"].mean(dim=1).sum())

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
            peak_memory_bytes=peak_memory(),
            device=self.device,
        )
        self.epochs.append(metrics.as_dict())
        self.file.write(self.epochs)
        if trainer.logger is not None:
            trainer.logger.log_metrics(metrics.scalars(), step=trainer.global_step)
        logger.info("%s", metrics.line(trainer.max_epochs or 0))
        self._samples, self._seconds = 0, 0.0
        self._loss_sum = [0.0] * len(self.variables)
        self._since = time.monotonic()


class TrainingStoppedError(Exception):
    """A signal asked the training to stop; the resume file holds all of it."""


class SaveForResuming(Checkpoint):
    """Writes the whole state of the training to one file: every few epochs, and on a signal.

    After SIGINT or SIGTERM the training goes on to the end of its accumulation window (gradients
    of half a window are not in a checkpoint), saves, and raises TrainingStoppedError. A second
    signal acts at once.
    """

    def __init__(self, path: Path, every_epochs: int) -> None:
        self.path = path
        self.every_epochs = every_epochs
        self._asked_to_stop = False
        self._handlers: dict[int, Any] = {}

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Take over the signals, from Lightning too; only the main thread may."""
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                self._handlers[number] = signal.signal(number, self._ask_to_stop)

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_index: int,
    ) -> None:
        """Stop here if asked to. The end of an epoch comes a little later."""
        window_ends = (batch_index + 1) % trainer.accumulate_grad_batches == 0
        if self._asked_to_stop and window_ends and not trainer.is_last_batch:
            self._stop(trainer)

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule
    ) -> None:
        """Save every few epochs."""
        if self._asked_to_stop:
            self._stop(trainer)
        if (trainer.current_epoch + 1) % self.every_epochs == 0:
            self._save(trainer)

    def _stop(self, trainer: lightning.Trainer) -> None:
        self._save(trainer)
        logger.info("stopped at optimizer step %d; saved %s", trainer.global_step, self.path)
        raise TrainingStoppedError

    def _save(self, trainer: lightning.Trainer) -> None:
        with replacing(self.path) as temporary:
            trainer.save_checkpoint(temporary)

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._asked_to_stop = True
        logger.info("asked to stop: saving after this step")
        signal.signal(number, self._handlers[number])


@contextlib.contextmanager
def signals_given_back() -> Iterator[None]:
    """Restore the handlers of the signals that end a training, whoever changed them within."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def peak_memory() -> int:
    """The most memory in bytes this process has held: on the GPU if there is one, else in all."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
