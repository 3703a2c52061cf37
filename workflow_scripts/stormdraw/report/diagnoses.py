"""Read a model's diagnosis, and describe it for the page."""

from pathlib import Path

import numpy as np
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.report.wording import NARROW, digits, plural, units_text

Table = tuple[str, list[tuple[str, str]]]


def read_diagnosis(path: str | Path) -> xr.Dataset:
    """Load a model's diagnosis.nc into memory.

    Raises StormdrawError if the file is missing or not a diagnosis.
    """
    try:
        with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as dataset:
            diagnosis = dataset.load()
    except (OSError, ValueError):
        raise StormdrawError(
            f"{path}: cannot be read as a diagnosis; delete it to repeat the diagnosis"
        ) from None
    if "model" not in diagnosis.attrs or ("crps" not in diagnosis and "gap" not in diagnosis.attrs):
        raise StormdrawError(f"{path}: holds no diagnosis; delete it to repeat the diagnosis")
    return diagnosis


def names_of(diagnosis: xr.Dataset) -> list[str]:
    """The diagnosed variables, in the order of the state."""
    return [str(name) for name in diagnosis["variable"].values]


def sample_of(diagnosis: xr.Dataset) -> str:
    """The hours and members that the diagnosis rests on, in words."""
    pairs = plural(len(str(diagnosis.attrs["initial_times"]).split()), "pair")
    members = plural(int(diagnosis.attrs["members"]), "member")
    if diagnosis.attrs["period"] == "training":
        hours = "hours at the end of the training period, which the model has seen"
    else:
        hours = "hours of the validation period"
    return f"{pairs} of {hours}; {members} each, sampled by {diagnosis.attrs['sampling']}"


def has_shuffled(diagnosis: xr.Dataset) -> bool:
    """Whether the model was also given the condition of another case."""
    return bool(np.isfinite(diagnosis["crps"].sel(condition="shuffled")).all())


def diagnosis_tables(path: str | Path) -> list[Table]:
    """The diagnosis as captioned tables of (label, value) pairs, none if it holds no data."""
    diagnosis = read_diagnosis(path)
    if "gap" in diagnosis.attrs:
        return []
    return [
        (
            "fair CRPS at 1 h → with the condition of another case; " + sample_of(diagnosis),
            [(name, _condition_text(diagnosis, name)) for name in names_of(diagnosis)],
        ),
        (
            "share of impossible points in members as drawn → after bounds are applied",
            [(name, _impossible_text(diagnosis, name)) for name in names_of(diagnosis)],
        ),
    ]


def _condition_text(diagnosis: xr.Dataset, name: str) -> str:
    right, shuffled = (float(value) for value in diagnosis["crps"].sel(variable=name))
    if not np.isfinite(right):
        return "not a number: the model diverged"
    if not np.isfinite(shuffled):
        return f"{digits(right)} {units_text(name)}; there is no other case"
    ratio = f", {digits(shuffled / right)} times" if right > 0 else ""
    return f"{digits(right)} → {digits(shuffled)} {units_text(name)}{ratio}"


def _impossible_text(diagnosis: xr.Dataset, name: str) -> str:
    share = diagnosis["impossible_share"].sel(variable=name)
    drawn, bounded = (
        f"{digits(100 * float(share.sel(stage=stage)))}{NARROW}%" for stage in ("drawn", "bounded")
    )
    return f"{drawn} → {bounded}"
