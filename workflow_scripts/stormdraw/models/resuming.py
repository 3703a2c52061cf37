"""Resume files and signals: what keeps a training from being lost."""

import contextlib
import logging
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import lightning
import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch.callbacks import Checkpoint

from stormdraw.files import replacing
from stormdraw.models.ranks import ALONE, Ranks

logger = logging.getLogger(__name__)

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class TrainingStoppedError(Exception):
    """A signal stopped the training; the resume file holds its state."""


class FirstRankWrites(TorchCheckpointIO):
    """Writes a checkpoint only on the first of several ranks."""

    def __init__(self, ranks: Ranks) -> None:
        super().__init__()
        self.ranks = ranks

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None
    ) -> None:
        """Write the checkpoint if this is the first rank."""
        if self.ranks.is_first:
            super().save_checkpoint(checkpoint, path, storage_options)

    def load_checkpoint(self, path: Any, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Map the file into memory: each of several ranks takes its part of it."""
        return dict(torch.load(path, map_location="cpu", mmap=True, weights_only=True))


class SaveForResuming(Checkpoint):
    """Writes the whole state of the training to one file: every few epochs, and on a signal.

    After SIGINT or SIGTERM the training continues to the end of its accumulation window (a
    checkpoint does not hold the gradients of half a window), saves, and raises
    TrainingStoppedError. A second signal acts at once. Only the first of several ranks writes, and
    a signal to one of them stops all.
    """

    def __init__(self, path: Path, every_epochs: int, ranks: Ranks = ALONE) -> None:
        self.path = path
        self.ranks = ranks
        self.every_epochs = every_epochs
        self._asked_to_stop = False
        self._handlers: dict[int, Any] = {}

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Replace the signal handlers, including Lightning's; only the main thread may do so."""
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
        """Stop here if asked to; the end of an epoch is handled separately."""
        window_ends = (batch_index + 1) % trainer.accumulate_grad_batches == 0
        if window_ends and not trainer.is_last_batch and self.ranks.any(self._asked_to_stop):
            self._stop(trainer)

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule
    ) -> None:
        """Save every few epochs."""
        if self.ranks.any(self._asked_to_stop):
            self._stop(trainer)
        if (trainer.current_epoch + 1) % self.every_epochs == 0:
            self._save(trainer)

    def _stop(self, trainer: lightning.Trainer) -> None:
        self._save(trainer)
        logger.info("stopped at optimizer step %d; saved %s", trainer.global_step, self.path)
        raise TrainingStoppedError

    def _save(self, trainer: lightning.Trainer) -> None:
        if not self.ranks.is_first:
            # Takes part in gathering sharded tensors; FirstRankWrites writes nothing.
            trainer.save_checkpoint(self.path)
            return
        with replacing(self.path) as temporary:
            trainer.save_checkpoint(temporary)

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._asked_to_stop = True
        logger.info("asked to stop: saving after this step")
        signal.signal(number, self._handlers[number])


@contextlib.contextmanager
def signal_handlers_restored() -> Iterator[None]:
    """Restore the handlers of SIGINT and SIGTERM at the end, whoever changed them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
