"""Fields that never change, from the static file of a run."""

from pathlib import Path

import numpy as np
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.grids import Grid


def read_static(path: str | Path | None, grid: Grid, name: str, forcing: str) -> np.ndarray:
    """The field `name` that a forcing is made of, float64 (y, x).

    Raises StormdrawError if the static file lacks it, or has it on another grid or with NaN.
    """
    if path is None:
        raise StormdrawError(
            f"the forcing `{forcing}` needs {name}: add it to fields.static, "
            "or leave the forcing out of the model's configuration"
        )
    with xr.open_dataset(path, engine="netcdf4") as dataset:
        if name not in dataset:
            raise StormdrawError(
                f"{path}: has no {name}, which the forcing `{forcing}` needs; "
                "add it to fields.static"
            )
        if not grid.matches(Grid.of(dataset)):
            raise StormdrawError(f"{path}: lies on another grid than the states; delete it")
        field = dataset[name].values.astype(np.float64)
    if not np.isfinite(field).all():
        raise StormdrawError(f"{path}: {name} has NaN at {np.isnan(field).sum()} points")
    return field
