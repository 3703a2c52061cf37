"""Members moved away from their mean, or towards it, by a factor for each variable and lead."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr

from stormdraw.ensembles.files import Case, ensemble_file
from stormdraw.errors import StormdrawError
from stormdraw.files import scratch
from stormdraw.grids import Grid
from stormdraw.models.bounds import apply_bounds


@contextlib.contextmanager
def then_scaled(
    output: Path,
    factors: Mapping[str, Mapping[int, float]],
    case: Case,
    settings: Mapping[str, Any],
) -> Iterator[Path]:
    """Yield a path for an ensemble file, and then write `output` from it with its spread scaled.

    Without `factors` the path is `output` itself. Raises StormdrawError as `scale_spread` does.
    """
    if not factors:
        yield output
        return
    with scratch(output) as folder:
        yield folder / "drawn.nc"
        scale_spread(folder / "drawn.nc", factors, case, output, settings)


def scale_spread(
    drawn: Path,
    factors: Mapping[str, Mapping[int, float]],
    case: Case,
    output: Path,
    settings: Mapping[str, Any],
) -> None:
    """Write an ensemble file whose members are mean + factor (member - mean), within bounds.

    `drawn` is the ensemble file they come from; only a few states are in memory at once. `factors`
    are by variable and lead in hours; a variable without factors keeps its spread. Raises
    StormdrawError if a variable has factors for some leads only.
    """
    scale = np.array([_by_lead(factors, name, case) for name in case.variables], dtype=np.float32)
    with xr.open_dataset(drawn, engine="netcdf4") as dataset:
        count = dataset.sizes["member"]
        notes = dict(dataset.attrs)
        notes |= {
            f"spread_factor_{name}": row
            for name, row in zip(case.variables, scale, strict=True)
            if name in factors
        }
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
                    member = mean + scale[:, j, None, None] * (
                        _state(dataset, case.variables, k, j) - mean
                    )
                    state = torch.from_numpy(member.astype(np.float32))[None]
                    put(k, j, apply_bounds(state, case.variables)[0][0].numpy())


def _by_lead(factors: Mapping[str, Mapping[int, float]], variable: str, case: Case) -> list[float]:
    if variable not in factors:
        return [1.0] * len(case.leads)
    lacking = [lead for lead in case.leads if lead not in factors[variable]]
    if lacking:
        raise StormdrawError(
            f"system {case.system}: its calibration has no factor for {variable} at {lacking[0]} "
            f"h; delete results/models/*/calibration_{case.system}.json to calibrate anew"
        )
    return [factors[variable][lead] for lead in case.leads]


def _state(dataset: xr.Dataset, variables: Sequence[str], member: int, lead: int) -> np.ndarray:
    """One member at one lead in double precision, (variable, y, x)."""
    fields = dataset.isel(member=member, lead=lead)
    return np.stack([fields[name].values for name in variables]).astype(np.float64)
