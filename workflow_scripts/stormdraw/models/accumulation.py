"""Which batches of an epoch make one optimizer step, and how much each of them counts in it."""

from dataclasses import dataclass

from stormdraw.models.settings import ModelSettings, Training


@dataclass(frozen=True)
class Windows:
    """An epoch of so many samples, in windows of `accumulation` batches of `batch_size`.

    The last batch, and the last window, may be smaller.
    """

    samples: int
    batch_size: int
    accumulation: int

    @classmethod
    def of(cls, training: Training, pairs: int) -> "Windows":
        """Those of a training on so many pairs of states."""
        samples = pairs * training.samples_per_state
        return cls(samples, training.batch_size, training.accumulation)

    @property
    def batches(self) -> int:
        """How many there are in an epoch."""
        return -(-self.samples // self.batch_size)

    @property
    def steps(self) -> int:
        """Optimizer steps of an epoch, one a window."""
        return -(-self.batches // self.accumulation)

    def place(self, batches: int, other: "Windows") -> int:
        """How many batches come before where so many of another split of the epoch end.

        That has to be the end of a window, and windows of both to be of the same samples.
        """
        if batches >= other.batches:
            return self.batches
        return batches // other.accumulation * self.accumulation

    def ends_with(self, batch_index: int) -> bool:
        """Whether an optimizer step follows this batch of the epoch, counted from 0."""
        number = batch_index + 1
        return number % self.accumulation == 0 or number == self.batches

    def weight(self, batch_index: int, samples: int) -> float:
        """What to multiply the mean loss of a batch of so many samples with.

        The trainer divides every loss by `accumulation`, in the last window of an epoch too. With
        this weight a window's gradient is that of the mean over its own samples, however many they
        are and however they are split into batches.
        """
        whole = self.batch_size * self.accumulation
        before = batch_index // self.accumulation * whole
        return self.accumulation * samples / min(whole, self.samples - before)


def count_epochs(settings: ModelSettings, pairs: int) -> tuple[int, int]:
    """Whole epochs of a training, and its optimizer steps in all."""
    training = settings.training
    steps_an_epoch = Windows.of(training, pairs).steps
    epochs = training.epochs or -(-(training.steps or 1) // steps_an_epoch)
    return epochs, epochs * steps_an_epoch
