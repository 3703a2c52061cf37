"""How the batches of an epoch form optimizer steps, and the weight of each batch in its step."""

from dataclasses import dataclass

from stormdraw.models.settings import ModelSettings
from stormdraw.models.training_settings import Training


@dataclass(frozen=True)
class Windows:
    """The accumulation windows of an epoch: `accumulation` batches of `batch_size` samples each.

    The last batch and the last window may be smaller.
    """

    samples: int
    batch_size: int
    accumulation: int

    @classmethod
    def of(cls, training: Training, pairs: int) -> "Windows":
        """The windows of a training on `pairs` pairs of states."""
        samples = pairs * training.samples_per_state
        return cls(samples, training.batch_size, training.accumulation)

    @property
    def batches(self) -> int:
        """The number of batches in an epoch."""
        return -(-self.samples // self.batch_size)

    @property
    def steps(self) -> int:
        """The number of optimizer steps in an epoch, one per window."""
        return -(-self.batches // self.accumulation)

    def equivalent(self, batches: int, other: "Windows") -> int:
        """The number of batches that cover what `batches` batches of `other` covered.

        `batches` must end a window of `other`, and both must have windows of the same number of
        samples.
        """
        if batches >= other.batches:
            return self.batches
        return batches // other.accumulation * self.accumulation

    def ends_with(self, batch_index: int) -> bool:
        """Whether an optimizer step follows this batch of the epoch, counted from 0."""
        number = batch_index + 1
        return number % self.accumulation == 0 or number == self.batches

    def weight(self, batch_index: int, samples: int) -> float:
        """The factor for the mean loss of a batch of `samples` samples.

        The trainer divides every loss by `accumulation`, even in a shorter last window. With this
        weight, the gradient of a window is that of the mean over its own samples, whatever their
        number and their split into batches.
        """
        whole = self.batch_size * self.accumulation
        before = batch_index // self.accumulation * whole
        return self.accumulation * samples / min(whole, self.samples - before)


def count_epochs(settings: ModelSettings, pairs: int) -> tuple[int, int]:
    """The number of epochs and of optimizer steps of a training."""
    training = settings.training
    steps_an_epoch = Windows.of(training, pairs).steps
    steps = training.steps or (training.epochs or 1) * steps_an_epoch
    if training.rollout is not None:
        steps += training.rollout.total_steps
    epochs = -(-steps // steps_an_epoch)
    return epochs, epochs * steps_an_epoch
