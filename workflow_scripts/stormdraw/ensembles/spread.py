"""Members moved away from their mean, or towards it, by a factor for each variable."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr

from stormdraw.ensembles.bounds import apply_bounds
from stormdraw.ensembles.files import Case, ensemble_file
from stormdraw.grids import Grid


def scale_spread(
    drawn: Path,
    factors: Mapping[str, float],
    case: Case,
    output: Path,
    settings: Mapping[str, Any],
) -> None:
    """Write an ensemble file whose members are mean + factor (member - mean), within bounds.

    `drawn` is the ensemble file they come from; no more than a few states are in memory at once.
    A variable without a factor keeps its spread.
    """
    scale = np.array([factors.get(name, 1.0) for name in case.variables], dtype=np.float32)
    scale = scale[:, None, None]
    with xr.open_dataset(drawn, engine="netcdf4") as dataset:
        count = dataset.sizes["member"]
        notes = dict(dataset.attrs)
        notes |= {f"spread_factor_{name}": np.float32(factors[name]) for name in factors}
        with ensemble_file(
            output,
            Grid.of(dataset),
            case,
            dataset["member"].values.tolist(),
            settings,
            notes,
            packed=True,
        ) as put:
            for j in range(len(case.leads)):
                mean = np.zeros(1)
                for k in range(count):
                    mean = mean + _state(dataset, case.variables, k, j) / count
                for k in range(count):
                    member = mean + scale * (_state(dataset, case.variables, k, j) - mean)
                    state = torch.from_numpy(member.astype(np.float32))[None]
                    put(k, j, apply_bounds(state, case.variables)[0][0].numpy())


def _state(dataset: xr.Dataset, variables: Sequence[str], member: int, lead: int) -> np.ndarray:
    """One member at one lead in double precision, (variable, y, x)."""
    fields = dataset.isel(member=member, lead=lead)
    return np.stack([fields[name].values for name in variables]).astype(np.float64)
