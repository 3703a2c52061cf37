"""One training step, as a Lightning module."""

from dataclasses import asdict
from typing import Any

import lightning
import torch
from lightning.pytorch.utilities.types import LRSchedulerConfigType, OptimizerLRScheduler

from stormdraw.models.accumulation import Windows
from stormdraw.models.augmentation import Augmenter
from stormdraw.models.execution import replays_graphs
from stormdraw.models.forecaster import Forecaster
from stormdraw.models.learning_rate import learning_rate_factor
from stormdraw.models.pairs import Batch
from stormdraw.models.parallel import ParallelLosses
from stormdraw.models.ranks import ALONE, Ranks
from stormdraw.models.sharding import gathered, shared_like, whole
from stormdraw.models.training_settings import Training
from stormdraw.seeds import seed_for


class TrainingModule(lightning.LightningModule):
    """Trains any model.

    Timesteps and noise depend only on (run seed, model, epoch, batch), so that a resumed training
    draws what an uninterrupted one would.
    """

    def __init__(
        self,
        model: Forecaster,
        training: Training,
        name: str,
        run_seed: int,
        total_steps: int,
        windows: Windows,
        ranks: Ranks = ALONE,
        augmenter: Augmenter | None = None,
    ) -> None:
        super().__init__()
        self.augmenter = augmenter
        self.ranks = ranks
        # The norm at the last optimizer step, before clipping.
        self.gradient_norm = torch.zeros(())
        self.windows = windows
        self.model = model
        self._losses = ParallelLosses(model)
        self.training_settings = training
        self._replays = replays_graphs(training.compile)
        self.name = name
        self.run_seed = run_seed
        self.total_steps = total_steps

    def on_train_start(self) -> None:
        """Allocate the gradients if CUDA graphs are replayed, and let ranks average theirs."""
        if self._replays:
            for weights in self.model.parameters():
                weights.grad = torch.zeros_like(weights)
        if self.ranks.count > 1 and self.training_settings.sharding == "none":
            self._losses.average_gradients(self.device)

    def optimizer_zero_grad(
        self, epoch: int, batch_index: int, optimizer: torch.optim.Optimizer
    ) -> None:
        """Clear the gradients; if graphs are replayed, keep their memory."""
        optimizer.zero_grad(set_to_none=not self._replays)

    def training_step(self, batch: Batch, batch_index: int) -> dict[str, torch.Tensor]:
        """The loss of one batch, and its parts, without waiting for the device."""
        self._begin_pass()
        batch = self._augmented(batch, self.current_epoch, batch_index)
        generator = self._generator(self.device, "training", self.current_epoch, batch_index)
        losses = self._losses(batch, generator, self.windows.ends_with(batch_index))
        loss = self.model.objective(losses)
        loss = loss * self.windows.weight(batch_index, batch.full_size)
        if batch.share is not None:
            loss = loss * batch.share.weight
        outputs = {"loss": loss, "losses": _counted(losses.detach(), batch)}
        if self.model.noise_levels is not None:
            outputs["levels"] = _counted(self.model.noise_levels, batch)
        if self.model.violations is not None:
            outputs["violations"] = _counted(self.model.violations.detach(), batch)
        return outputs

    def validation_step(self, batch: Batch, batch_index: int) -> dict[str, torch.Tensor]:
        """The loss with the same noise in all epochs, so that epochs can be compared."""
        self._begin_pass()
        generator = self._generator(self.device, "validation", 0, batch_index)
        losses = self.model.training_losses(batch, generator)
        return {"loss": losses.mean(), "losses": _counted(losses, batch)}

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Measure the gradient norm, and clip it if configured (Pascanu et al. 2013)."""
        weights = list(self.model.parameters())
        norm = torch.nn.utils.get_total_norm(
            [each.grad for each in weights if each.grad is not None]
        )
        bound = self.training_settings.gradient_clipping
        if bound is not None:
            torch.nn.utils.clip_grads_with_norm_(weights, bound, norm)
        self.gradient_norm = whole(norm.detach())

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save whole tensors, however the ranks share them."""
        for key in ("state_dict", "optimizer_states", "callbacks"):
            checkpoint[key] = gathered(checkpoint[key], self.ranks)
        checkpoint["windows"] = asdict(self.windows)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Share whole tensors among the current ranks; count progress in the current batch size."""
        progress = checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]["current"]
        ready = progress["ready"]
        more = self.windows.equivalent(ready, Windows(**checkpoint["windows"])) - ready
        progress.update({key: count + more for key, count in progress.items()})
        weights = dict(self.named_parameters())
        checkpoint["state_dict"] = {
            name: shared_like(value, weights[name]) if name in weights else value
            for name, value in checkpoint["state_dict"].items()
        }
        each = list(self.model.parameters())
        for optimizer in checkpoint["optimizer_states"]:
            for index, moments in optimizer["state"].items():
                for key, value in moments.items():
                    moments[key] = shared_like(value, each[index])

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """AdamW with a learning rate schedule counted in optimizer steps."""
        training = self.training_settings
        # The fused optimizer undoes float16's loss scaling within its step, so a norm measured and
        # clipped before it would be that of the scaled gradients.
        scaled = training.precision == "float16"
        optimizer = torch.optim.AdamW(
            self.model.parameters(),
            lr=training.learning_rate,
            weight_decay=training.weight_decay,
            fused=not scaled,
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: learning_rate_factor(training, step, self.total_steps)
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": LRSchedulerConfigType(scheduler=schedule, interval="step"),
        }

    def _begin_pass(self) -> None:
        if self._replays:
            torch.compiler.cudagraph_mark_step_begin()

    @torch.no_grad()
    def _augmented(self, batch: Batch, epoch: int, batch_index: int) -> Batch:
        if self.augmenter is None:
            return batch
        decisions = self._generator(torch.device("cpu"), "augmentation", epoch, batch_index)
        noise = self._generator(self.device, "augmentation noise", epoch, batch_index)
        return self.augmenter(batch, decisions, noise)

    def _generator(self, device: torch.device, *labels: str | int) -> torch.Generator:
        generator = torch.Generator(device)
        generator.manual_seed(seed_for(self.run_seed, self.name, *labels))
        return generator


def _counted(losses: torch.Tensor, batch: Batch) -> torch.Tensor:
    """The values (B, ...) of the samples that count on this rank."""
    return losses if batch.share is None else losses[: batch.share.counted]
