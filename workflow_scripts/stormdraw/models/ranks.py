"""The processes of one training, one per device: the rank of this one, and their communication."""

import os
from dataclasses import dataclass

import torch
from torch import distributed


@dataclass(frozen=True)
class Share:
    """One rank's part of a batch of `full_size` samples: their indices in it.

    The first `counted` of them count. A rank without samples computes the first sample of the batch
    with no weight, since all ranks must take part in the communication that follows.
    """

    indices: tuple[int, ...]
    full_size: int
    counted: int
    ranks: int

    @property
    def weight(self) -> float:
        """The factor for this part's mean loss: the mean over ranks is then that over the batch."""
        return self.ranks * self.counted / self.full_size


@dataclass(frozen=True)
class Ranks:
    """This process's `number` among `count`, and its `device` among those of its node."""

    number: int = 0
    count: int = 1
    device: int = 0

    @property
    def is_first(self) -> bool:
        """Whether this is the rank that writes files and the log."""
        return self.number == 0

    def share(self, whole: int) -> Share | None:
        """This rank's part of `whole` samples; None if there is only one rank."""
        if self.count == 1:
            return None
        own = tuple(range(self.number, whole, self.count))
        return Share(own or (0,), whole, len(own), self.count)

    def total(self, values: torch.Tensor) -> torch.Tensor:
        """The sum over all ranks; all ranks must call it."""
        if self.count > 1:
            values = values.clone()
            distributed.all_reduce(values)
        return values

    def any(self, flag: bool) -> bool:
        """Whether `flag` is true on any rank; all ranks must call it.

        The CPUs communicate, so no GPU is waited for.
        """
        if self.count == 1:
            return flag
        return bool(self.total(torch.tensor(float(flag))) > 0)


ALONE = Ranks()


def present_ranks() -> Ranks:
    """The rank in this process's group, or a single rank without a group."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return ALONE
    device = int(os.environ["LOCAL_RANK"])
    return Ranks(distributed.get_rank(), distributed.get_world_size(), device)
