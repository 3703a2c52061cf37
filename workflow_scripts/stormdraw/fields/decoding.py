"""From the messages of a manifest to states on the target grid."""

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import eccodes
import numpy as np
import pandas as pd

from stormdraw.errors import StormdrawError
from stormdraw.fields.regridding import Regridder
from stormdraw.grids import Grid
from stormdraw.messages import grid_relative_winds, opened, read_grid
from stormdraw.variables import variable

WIND_COMPONENTS = ("U10", "V10")


@dataclass(frozen=True)
class DecodedMessage:
    """Values (y, x) as they lie on the message's own grid."""

    values: np.ndarray
    grid: Grid
    grid_relative_winds: bool


@functools.lru_cache(maxsize=8)
def regridder(source: Grid, target: Grid) -> Regridder:
    """The weights of a grid pair, made once in a process."""
    return Regridder(source, target)


def read_message(folder: Path, row: pd.Series) -> bytes:
    """The bytes of a manifest's message.

    Raises StormdrawError if they are no longer those that were fetched.
    """
    path = folder / row["file"]
    try:
        with open(path, "rb") as stream:
            stream.seek(int(row["offset"]))
            message = stream.read(int(row["bytes"]))
    except FileNotFoundError:
        raise StormdrawError(f"{path}: gone since it was fetched; {_refetch(folder)}") from None
    if hashlib.sha256(message).hexdigest() != row["sha256"]:
        raise StormdrawError(
            f"{path}: the {row['variable']} message at byte {row['offset']} is not the one that "
            f"was fetched; {_refetch(folder)}"
        )
    return message


def _refetch(folder: Path) -> str:
    return f"delete {folder} and run again to fetch it anew"


def decode(handle: int) -> np.ndarray:
    """A message's values as float32 (y, x), NaN where its bitmap says missing."""
    eccodes.codes_set(handle, "missingValue", 1e20)
    shape = (eccodes.codes_get(handle, "Ny"), eccodes.codes_get(handle, "Nx"))
    values = eccodes.codes_get_array(handle, "values", ktype=float).reshape(shape)
    if eccodes.codes_get(handle, "bitmapPresent"):
        values[values == 1e20] = np.nan
    return values.astype(np.float32)


def decode_state(
    folder: Path, rows: pd.DataFrame, names: Sequence[str], target: Grid | None
) -> tuple[np.ndarray, Grid]:
    """The named variables of one time on one grid, float32 (variable, y, x).

    `rows` are those of the manifest in `folder` for that time. Without a target grid the source's
    own is kept, as long as all messages share it.
    """
    by_name = {row["variable"]: row for _, row in rows.iterrows()}
    missing = [name for name in names if name not in by_name]
    if missing:
        raise StormdrawError(f"{folder / 'manifest.csv'}: has no {', '.join(missing)} message")
    raw = {name: _decode_row(folder, by_name[name]) for name in names}
    target = target or raw[names[0]].grid
    fields = {
        name: _interpolate(field, name, target)
        for name, field in raw.items()
        if name not in WIND_COMPONENTS
    }
    if set(WIND_COMPONENTS) & set(names):
        u, v = (raw[name] for name in WIND_COMPONENTS)
        turned = regridder(u.grid, target).wind(u.values, v.values, u.grid_relative_winds)
        fields.update(zip(WIND_COMPONENTS, turned, strict=True))
    return np.stack([fields[name] for name in names]).astype(np.float32), target


def _decode_row(folder: Path, row: pd.Series) -> DecodedMessage:
    with opened(read_message(folder, row)) as handle:
        return DecodedMessage(decode(handle), read_grid(handle), grid_relative_winds(handle))


def _interpolate(field: DecodedMessage, name: str, target: Grid) -> np.ndarray:
    weights = regridder(field.grid, target)
    has_floor = variable(name).floor is not None
    return (weights.nearest if has_floor else weights.bilinear)(field.values)
