"""Random numbers that depend on what is drawn, never on batch size, number of jobs or order."""

import hashlib

import numpy as np


def seed_for(run_seed: int, *labels: str | int) -> int:
    """A 63-bit seed for the draw that `labels` name, e.g. (system, init, member, lead).

    A hash rather than a sum, so that neighbouring members or leads get unrelated streams. 63 bits
    fit both `numpy.random.SeedSequence` and `torch.Generator.manual_seed`.
    """
    text = "/".join(str(part) for part in (run_seed, *labels))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator_for(run_seed: int, *labels: str | int) -> np.random.Generator:
    """A NumPy generator seeded by `seed_for`."""
    return np.random.default_rng(seed_for(run_seed, *labels))
