"""What a model's diagnosis says, read once for its figures and its tables."""

from pathlib import Path

import numpy as np
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.report.wording import NARROW, digits, plural, units_text

Table = tuple[str, list[tuple[str, str]]]


def read_diagnosis(path: str | Path) -> xr.Dataset:
    """A model's diagnosis.nc, in memory.

    Raises StormdrawError if the file is missing or holds something else.
    """
    try:
        with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as dataset:
            found = dataset.load()
    except (OSError, ValueError):
        raise StormdrawError(
            f"{path}: not a diagnosis that can be read; delete it to diagnose anew"
        ) from None
    if "model" not in found.attrs or ("crps" not in found and "gap" not in found.attrs):
        raise StormdrawError(f"{path}: holds no diagnosis; delete it to diagnose anew")
    return found


def names_of(diagnosis: xr.Dataset) -> list[str]:
    """The variables it is about, in the order of the state."""
    return [str(name) for name in diagnosis["variable"].values]


def looked_at(diagnosis: xr.Dataset) -> str:
    """On which hours it rests, in words."""
    pairs = plural(len(str(diagnosis.attrs["initial_times"]).split()), "pair")
    members = plural(int(diagnosis.attrs["members"]), "member")
    if diagnosis.attrs["period"] == "training":
        hours = "hours of the end of the training period, which the model has seen"
    else:
        hours = "hours of the validation period"
    return f"{pairs} of {hours}; {members} each by {diagnosis.attrs['sampling']}"


def was_shuffled(diagnosis: xr.Dataset) -> bool:
    """Whether there was another case whose condition the model could be given."""
    return bool(np.isfinite(diagnosis["crps"].sel(condition="shuffled")).all())


def diagnosis_tables(path: str | Path) -> list[Table]:
    """The diagnosis as captioned (what, value) pairs; none where it has no data."""
    diagnosis = read_diagnosis(path)
    if "gap" in diagnosis.attrs:
        return []
    return [
        (
            "fair CRPS at 1 h, and with the condition of another case; " + looked_at(diagnosis),
            [(name, _condition_text(diagnosis, name)) for name in names_of(diagnosis)],
        ),
        (
            "share of impossible points in members as drawn, and within bounds",
            [(name, _impossible_text(diagnosis, name)) for name in names_of(diagnosis)],
        ),
    ]


def _condition_text(diagnosis: xr.Dataset, name: str) -> str:
    right, shuffled = (float(value) for value in diagnosis["crps"].sel(variable=name))
    if not np.isfinite(right):
        return "not a number: the model diverged"
    if not np.isfinite(shuffled):
        return f"{digits(right)} {units_text(name)}, no other case"
    ratio = f", {digits(shuffled / right)} times" if right > 0 else ""
    return f"{digits(right)} → {digits(shuffled)} {units_text(name)}{ratio}"


def _impossible_text(diagnosis: xr.Dataset, name: str) -> str:
    of_one = diagnosis["impossible_share"].sel(variable=name)
    drawn, bounded = (
        f"{digits(100 * float(of_one.sel(stage=stage)))}{NARROW}%" for stage in ("drawn", "bounded")
    )
    return f"{drawn} → {bounded}"
