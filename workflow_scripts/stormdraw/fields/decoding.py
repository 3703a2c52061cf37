"""From the messages of a manifest to states on the target grid."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import eccodes
import numpy as np
import pandas as pd

from stormdraw.errors import StormdrawError
from stormdraw.fields.regridding import regridder
from stormdraw.grid_headers import in_map_order, read_grid
from stormdraw.grids import Grid
from stormdraw.messages import grid_relative_winds, opened
from stormdraw.variables import variable

WIND_COMPONENTS = ("U10", "V10")

# What ecCodes is told to put where there is no value: larger than any, and exact in float32.
_MISSING = 2.0**100

# What is done to a variable's field (y, x) before it is interpolated.
Check = Callable[[str, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class DecodedMessage:
    """A variable's values, float32 (y, x), as they lie on the message's own grid."""

    name: str
    values: np.ndarray
    grid: Grid
    grid_relative_winds: bool


def apart(names: Sequence[str]) -> list[tuple[str, ...]]:
    """The variables in the groups that are decoded together: each alone, the wind's as a pair."""
    alone: list[tuple[str, ...]] = [(name,) for name in names if name not in WIND_COMPONENTS]
    wind = tuple(name for name in names if name in WIND_COMPONENTS)
    return [*alone, wind] if wind else alone


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
    """A message's values as float32 (y, x), rows from south to north, NaN where there is none."""
    eccodes.codes_set(handle, "missingValue", _MISSING)
    # In double precision and then rounded: ecCodes takes longer to give float32 by itself.
    values = eccodes.codes_get_array(handle, "values", ktype=float).astype(np.float32)
    # With or without a bitmap: complex packing has a code of its own for missing points.
    if values.max() >= _MISSING:
        values[values >= _MISSING] = np.nan
    return in_map_order(handle, values)


def decode_messages(
    folder: Path, rows: pd.DataFrame, names: Sequence[str]
) -> Iterator[DecodedMessage]:
    """The named variables of one time, one after the other.

    `rows` are those of the manifest in `folder` for that time. Raises StormdrawError if one has no
    message.
    """
    by_name = {row["variable"]: row for _, row in rows.iterrows()}
    missing = [name for name in names if name not in by_name]
    if missing:
        raise StormdrawError(f"{folder / 'manifest.csv'}: has no {', '.join(missing)} message")
    for name in names:
        with opened(read_message(folder, by_name[name])) as handle:
            yield DecodedMessage(
                name, decode(handle), read_grid(handle), grid_relative_winds(handle)
            )


def _unchecked(_: str, field: np.ndarray) -> np.ndarray:
    return field


def decode_state(
    folder: Path,
    rows: pd.DataFrame,
    names: Sequence[str],
    target: Grid | None,
    check: Check = _unchecked,
) -> tuple[np.ndarray, Grid]:
    """The named variables of one time on one grid, float32 (variable, y, x).

    Without a target grid it is that of the first message. `check` sees each field on its own grid.
    Raises StormdrawError if a variable has no message, or a wind component no partner.
    """
    state = np.empty(0, np.float32)
    wind: dict[str, DecodedMessage] = {}
    for message in decode_messages(folder, rows, names):
        target = target or message.grid
        if not state.size:
            state = np.empty((len(names), *target.shape), np.float32)
        values = check(message.name, message.values)
        weights = regridder(message.grid, target)
        if message.name in WIND_COMPONENTS:
            wind[message.name] = DecodedMessage(
                message.name, values, message.grid, message.grid_relative_winds
            )
        elif variable(message.name).floor is not None:
            state[names.index(message.name)] = weights.nearest(values)
        else:
            state[names.index(message.name)] = weights.bilinear(values)
    if target is None:
        raise StormdrawError(f"{folder}: no variable was asked for")
    if wind:
        _turn(wind, names, target, state, folder)
    return state, target


def _turn(
    wind: dict[str, DecodedMessage],
    names: Sequence[str],
    target: Grid,
    state: np.ndarray,
    folder: Path,
) -> None:
    """Put the wind into the state, along the target's axes."""
    if len(wind) < len(WIND_COMPONENTS):
        raise StormdrawError(f"{folder}: {' and '.join(WIND_COMPONENTS)} are needed together")
    u, v = (wind[name] for name in WIND_COMPONENTS)
    if (u.grid, u.grid_relative_winds) != (v.grid, v.grid_relative_winds):
        raise StormdrawError(f"{folder}: U10 and V10 are not on the same grid; fetch it anew")
    turned = regridder(u.grid, target).wind(u.values, v.values, u.grid_relative_winds)
    for name, field in zip(WIND_COMPONENTS, turned, strict=True):
        state[names.index(name)] = field
