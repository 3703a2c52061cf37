"""The processes of one training, one a device: who this one is, and what they do together."""

from dataclasses import dataclass

import torch
from torch import distributed


@dataclass(frozen=True)
class Share:
    """One rank's part of a batch of `whole` samples: their places in it.

    `counted` of them are its own: a rank that nothing is left for computes with the first sample,
    since all must take part in what comes after, and lets it count for nothing.
    """

    places: tuple[int, ...]
    whole: int
    counted: int
    ranks: int

    @property
    def weight(self) -> float:
        """What to multiply the mean loss of this part with, so that the mean over ranks is that
        over the whole batch."""
        return self.ranks * self.counted / self.whole


@dataclass(frozen=True)
class Ranks:
    """This process's `number` among `count`."""

    number: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """The one that writes files and the log."""
        return self.number == 0

    def share(self, whole: int) -> Share | None:
        """This rank's part of so many samples; None if there is no other rank."""
        if self.count == 1:
            return None
        own = tuple(range(self.number, whole, self.count))
        return Share(own or (0,), whole, len(own), self.count)

    def total(self, values: torch.Tensor) -> torch.Tensor:
        """The sum over all ranks, which must all ask for it."""
        if self.count > 1:
            values = values.clone()
            distributed.all_reduce(values)
        return values

    def any(self, flag: bool) -> bool:
        """Whether it is true on any rank; all must ask.

        Processors settle it among themselves, and no GPU is waited for.
        """
        if self.count == 1:
            return flag
        return bool(self.total(torch.tensor(float(flag))) > 0)

    def average_gradients(self, parameters: list[torch.nn.Parameter]) -> None:
        """Replace each gradient by its mean over ranks, in one message."""
        if self.count == 1:
            return
        gradients = [weights.grad for weights in parameters if weights.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(flat)
        flat /= self.count
        parts = flat.split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))


ALONE = Ranks()


def present_ranks() -> Ranks:
    """The ranks of this process's group, or this process alone."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return ALONE
    return Ranks(distributed.get_rank(), distributed.get_world_size())
