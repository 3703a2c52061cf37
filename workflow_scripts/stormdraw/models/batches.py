"""Batches in a shuffled order that depends on the seed and the epoch only."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stormdraw.grids import Window
from stormdraw.models.background import read_ahead
from stormdraw.models.pairs import Batch, Pairs
from stormdraw.models.ranks import ALONE, Ranks
from stormdraw.seeds import generator_for


@dataclass(frozen=True)
class Delivery:
    """How batches reach the device: `buffer` of them read ahead, pinned, shared among ranks."""

    buffer: int = 0
    pinned: bool = False
    ranks: Ranks = ALONE

    def batch(
        self, pairs: Pairs, indices: np.ndarray, windows: list[Window] | None = None
    ) -> Batch:
        """This rank's part of the pairs with these indices, of which `windows` are the crops."""
        share = self.ranks.share(len(indices))
        if share is not None:
            indices = indices[list(share.places)]
            windows = windows and [windows[place] for place in share.places]
        batch = replace(pairs.batch(indices.tolist(), windows), share=share)
        return batch.pin_memory() if self.pinned else batch


class EpochOrder:
    """The order of `count` pairs in each epoch, each of them taken `samples_per_state` times.

    With `session_states`, an epoch goes through the pairs in order of time, that many at once:
    these are shuffled among themselves and done with before the next ones come.
    """

    def __init__(
        self,
        count: int,
        run_seed: int,
        model: str,
        samples_per_state: int = 1,
        session_states: int | None = None,
    ) -> None:
        self.count = count
        self.samples_per_state = samples_per_state
        self.session_states = session_states or count
        self.run_seed = run_seed
        self.model = model
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch begins, or is taken up again."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.count * self.samples_per_state

    def order(self) -> np.ndarray:
        """Every number below `len(self)` once; that modulo `count` is the index of a pair."""
        random = self.random("order")
        every = np.arange(len(self)).reshape(self.samples_per_state, self.count)
        edges = np.arange(self.session_states, self.count, self.session_states)
        sessions = np.array_split(every, edges, axis=1)
        return np.concatenate([random.permutation(session.ravel()) for session in sessions])

    def random(self, *labels: str | int) -> np.random.Generator:
        """Random numbers of this epoch for one purpose."""
        return generator_for(self.run_seed, self.model, self.epoch, *labels)


class ShuffledBatches:
    """Every pair once an epoch, or more often, whole or a random `crop` of it, (y, x) points.

    Can be left in the middle of an epoch and taken up there again: Lightning asks `state_dict`
    where it is whenever it saves a checkpoint, and tells the `sampler` which epoch begins.
    """

    def __init__(
        self,
        pairs: Pairs,
        batch_size: int,
        run_seed: int,
        model: str,
        crop: tuple[int, int] | None = None,
        samples_per_state: int = 1,
        session_states: int | None = None,
        delivery: Delivery | None = None,
    ) -> None:
        self.pairs = pairs
        self.batch_size = batch_size
        self.crop = crop
        self.delivery = delivery or Delivery()
        self.sampler = EpochOrder(len(pairs), run_seed, model, samples_per_state, session_states)
        self.given = 0

    def __len__(self) -> int:
        return -(-len(self.sampler) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        remaining = np.array_split(self.sampler.order(), self._edges())[self.given :]
        made = (
            self.delivery.batch(self.pairs, indices % len(self.pairs), self._windows(indices))
            for indices in remaining
        )
        for batch in read_ahead(made, self.delivery.buffer):
            # Counted before the batch is handed out, since a checkpoint may be saved while it is in
            # use; after the last one comes the first of the next epoch.
            self.given = (self.given + 1) % len(self)
            yield batch

    def state_dict(self) -> dict[str, Any]:
        """How many batches of the epoch were given."""
        return {"given": self.given}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where `state_dict` was taken."""
        self.given = state["given"]

    def _windows(self, indices: np.ndarray) -> list[Window] | None:
        """A place for each sample's crop that depends on the seed, the epoch and the sample."""
        if self.crop is None:
            return None
        # A side longer than the grid's takes all of it.
        size = [min(crop, whole) for crop, whole in zip(self.crop, self.pairs.shape, strict=True)]
        room = [whole - part + 1 for whole, part in zip(self.pairs.shape, size, strict=True)]
        windows = []
        for index in indices:
            row, column = self.sampler.random("crop", int(index)).integers(room)
            windows.append((slice(row, row + size[0]), slice(column, column + size[1])))
        return windows

    def _edges(self) -> np.ndarray:
        return np.arange(self.batch_size, len(self.sampler), self.batch_size)


class OrderedBatches:
    """Every pair once, in the order of time."""

    def __init__(self, pairs: Pairs, batch_size: int, delivery: Delivery | None = None) -> None:
        self.pairs = pairs
        self.batch_size = batch_size
        self.delivery = delivery or Delivery()

    def __len__(self) -> int:
        return -(-len(self.pairs) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        edges = np.arange(self.batch_size, len(self.pairs), self.batch_size)
        parts = np.array_split(np.arange(len(self.pairs)), edges)
        made = (self.delivery.batch(self.pairs, indices) for indices in parts)
        yield from read_ahead(made, self.delivery.buffer)
