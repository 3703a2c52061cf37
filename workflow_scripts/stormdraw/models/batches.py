"""Batches in a shuffled order that depends on the seed and the epoch only."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from stormdraw.models.pairs import Batch, Pairs
from stormdraw.seeds import generator_for


class EpochOrder:
    """The order of `count` pairs in each epoch."""

    def __init__(self, count: int, run_seed: int, model: str) -> None:
        self.count = count
        self.run_seed = run_seed
        self.model = model
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch begins, or is taken up again."""
        self.epoch = epoch

    def order(self) -> np.ndarray:
        """Every index once."""
        random = generator_for(self.run_seed, self.model, "order", self.epoch)
        return random.permutation(self.count)


class ShuffledBatches:
    """Every pair once an epoch; can be left in the middle of an epoch and taken up there again.

    Lightning asks `state_dict` where it is whenever it saves a checkpoint, and tells the `sampler`
    which epoch begins.
    """

    def __init__(self, pairs: Pairs, batch_size: int, run_seed: int, model: str) -> None:
        self.pairs = pairs
        self.batch_size = batch_size
        self.sampler = EpochOrder(len(pairs), run_seed, model)
        self.given = 0

    def __len__(self) -> int:
        return -(-len(self.pairs) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        for indices in np.array_split(self.sampler.order(), self._edges())[self.given :]:
            # Counted before the batch is handed out, since a checkpoint may be saved while it is in
            # use; after the last one comes the first of the next epoch.
            self.given = (self.given + 1) % len(self)
            yield self.pairs.batch(indices.tolist())

    def state_dict(self) -> dict[str, Any]:
        """How many batches of the epoch were given."""
        return {"given": self.given}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where `state_dict` was taken."""
        self.given = state["given"]

    def _edges(self) -> np.ndarray:
        return np.arange(self.batch_size, len(self.pairs), self.batch_size)


class OrderedBatches:
    """Every pair once, in the order of time."""

    def __init__(self, pairs: Pairs, batch_size: int) -> None:
        self.pairs = pairs
        self.batch_size = batch_size

    def __len__(self) -> int:
        return -(-len(self.pairs) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        for first in range(0, len(self.pairs), self.batch_size):
            yield self.pairs.batch(range(first, min(first + self.batch_size, len(self.pairs))))
