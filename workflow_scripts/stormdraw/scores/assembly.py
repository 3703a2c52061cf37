"""The sums of all variables and leads of a case, as they stand in a score file."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from stormdraw.scores import registry
from stormdraw.scores.score import Arrays


def assemble(
    blocks: Sequence[Arrays], variables: list[str], leads: list[int], regions: list[str]
) -> xr.Dataset:
    """Blocks in the order of variable, then lead, as a dataset.

    A sum that is longer in one block than in another is filled up; one that no block has is left
    out.
    """
    dataset = xr.Dataset(
        coords={
            "variable": np.array(variables, dtype=object),
            "lead": ("lead", np.array(leads, np.int32), {"units": "h"}),
            "region": np.array(regions, dtype=object),
        }
    )
    for name, own in registry.sums().items():
        having = [np.shape(block[name]) for block in blocks if name in block]
        if not having:
            continue
        size = tuple(max(lengths) for lengths in zip(*having, strict=True))
        values: np.ndarray = np.full((len(blocks), *size), own.fill, own.kind)
        for index, block in enumerate(blocks):
            if name in block:
                found = np.asarray(block[name])
                place: tuple[Any, ...] = (index, *(slice(length) for length in found.shape))
                values[place] = found
        dataset[name] = (
            ("variable", "lead", *own.dims),
            values.reshape(len(variables), len(leads), *size),
            {"long_name": own.meaning},
        )
    return dataset
