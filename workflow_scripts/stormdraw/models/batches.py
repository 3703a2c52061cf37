"""Batches in a shuffled order that depends only on the seed and the epoch."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stormdraw.grids import Window
from stormdraw.models.background import read_ahead
from stormdraw.models.crops import Crops
from stormdraw.models.pairs import Batch, Pairs
from stormdraw.models.ranks import ALONE, Ranks
from stormdraw.models.rollout_schedule import RolloutSchedule
from stormdraw.seeds import generator_for


@dataclass(frozen=True)
class Delivery:
    """How batches reach the device: read ahead, pinned, and split among ranks."""

    buffer: int = 0
    pinned: bool = False
    ranks: Ranks = ALONE

    def batch(
        self,
        pairs: Pairs,
        indices: np.ndarray,
        crops: Crops | None = None,
        windows: Sequence[Window] = (),
        leads: Sequence[int] = (),
        hours_ahead: int = 1,
    ) -> Batch:
        """This rank's part of the pairs with these indices, or of these windows of them.

        Each is an hour of a forecast with one of the `leads`, if they are given, or several hours
        of it.
        """
        share = self.ranks.share(len(indices))
        if share is not None:
            indices = indices[list(share.indices)]
            windows = windows and [windows[place] for place in share.indices]
            leads = leads and [leads[place] for place in share.indices]
        batch = pairs.batch(indices.tolist(), windows or None, leads or None, hours_ahead)
        batch = replace(batch, share=share)
        if crops is not None:
            batch = replace(batch, weights=crops.weights(windows))
        return batch.pin_memory() if self.pinned else batch


class EpochOrder:
    """The order of `count` pairs in each epoch; each pair occurs `samples_per_state` times.

    With `buffer_states`, an epoch goes through time with a rolling buffer of that many pairs: each
    new pair replaces the oldest one, and samples are taken from the buffer.
    """

    def __init__(
        self,
        count: int,
        run_seed: int,
        model: str,
        samples_per_state: int = 1,
        buffer_states: int | None = None,
    ) -> None:
        self.count = count
        self.samples_per_state = samples_per_state
        self.buffer_states = buffer_states
        self.run_seed = run_seed
        self.model = model
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch that begins or resumes."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.count * self.samples_per_state

    def order(self) -> np.ndarray:
        """A permutation of the numbers below `len(self)`; each modulo `count` is a pair's index."""
        random = self.random("order")
        order = random.permutation(len(self))
        if self.buffer_states is None:
            return order
        # A sample is taken while its pair is in the buffer: as the newest pair or one of those
        # before.
        newest = order % self.count + random.integers(self.buffer_states, size=len(self))
        return order[np.argsort(newest, kind="stable")]

    def random(self, *labels: str | int) -> np.random.Generator:
        """A generator for one purpose in this epoch."""
        return generator_for(self.run_seed, self.model, self.epoch, *labels)


class ShuffledBatches:
    """Shuffled batches of all pairs, whole or as random crops of `crop` (y, x) points.

    `context` is the radius, in points, of the receptive field of the network (see crops.py).
    `rollout` says over how many hours each batch goes, always one without it. An
    epoch can be interrupted and resumed: Lightning calls `state_dict` whenever it saves a
    checkpoint, and tells the `sampler` which epoch begins.
    """

    def __init__(
        self,
        pairs: Pairs,
        batch_size: int,
        run_seed: int,
        model: str,
        crop: tuple[int, int] | None = None,
        samples_per_state: int = 1,
        buffer_states: int | None = None,
        delivery: Delivery | None = None,
        context: int | None = None,
        rollout: RolloutSchedule | None = None,
    ) -> None:
        self.pairs = pairs
        self.batch_size = batch_size
        self.rollout = rollout
        self.crops = None if crop is None else Crops(crop, pairs.shape, context)
        self.delivery = delivery or Delivery()
        self.sampler = EpochOrder(len(pairs), run_seed, model, samples_per_state, buffer_states)
        self.given = 0

    def __len__(self) -> int:
        return -(-len(self.sampler) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        every = np.array_split(self.sampler.order(), self._edges())
        made = itertools.starmap(self._batch, list(enumerate(every))[self.given :])
        for batch in read_ahead(made, self.delivery.buffer):
            # Counted before the batch is handed out, since a checkpoint may be saved while it is in
            # use. After the last batch comes the first of the next epoch.
            self.given = (self.given + 1) % len(self)
            yield batch

    def state_dict(self) -> dict[str, Any]:
        """The number of samples given so far; the batch size may be smaller after resuming."""
        return {"samples_given": self.given * self.batch_size}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from where `state_dict` was taken."""
        self.given = state["samples_given"] // self.batch_size

    def _batch(self, number: int, samples: np.ndarray) -> Batch:
        """Batch `number` of the epoch, counted from 0, of these samples.

        Their crops and leads depend only on the seed, the epoch and the sample.
        """
        pairs, random = samples % len(self.pairs), self.sampler.random
        hours_ahead = 1
        if self.rollout is not None:
            hours_ahead = self.rollout.hours(self.sampler.epoch, number)
        windows, leads = [], []
        if self.crops is not None:
            windows = [self.crops.draw(random("crop", sample)) for sample in samples.tolist()]
        if self.pairs.forcings.by_lead:
            leads = [
                self.pairs.draw_lead(pair, random("lead", sample), hours_ahead)
                for pair, sample in zip(pairs.tolist(), samples.tolist(), strict=True)
            ]
        return self.delivery.batch(self.pairs, pairs, self.crops, windows, leads, hours_ahead)

    def _edges(self) -> np.ndarray:
        return np.arange(self.batch_size, len(self.sampler), self.batch_size)


class OrderedBatches:
    """Every pair once, in order of time."""

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
