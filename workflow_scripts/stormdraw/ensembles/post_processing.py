"""Post-processing of a system's ensembles: pairs of ensemble and truth, the fit, calibrated cases.

EMOS is fitted to the pairs of validation cases (`write_pairs`): the mean, variance and fair CRPS of
the raw ensemble and the truth, at some points of each variable and lead. The coefficients are
written as JSON (`fit_pairs`).
"""

import itertools
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from stormdraw.ensembles.copula import AROUND, couple, moments
from stormdraw.ensembles.emos import Coefficients, fit, mean_crps
from stormdraw.ensembles.fair_crps import fair_crps
from stormdraw.ensembles.files import Case, ensemble_file
from stormdraw.ensembles.marginals import Marginal
from stormdraw.ensembles.system import CaseToMake
from stormdraw.errors import StormdrawError
from stormdraw.fields.netcdf import leads_of
from stormdraw.fields.states import StateReader, absent_times
from stormdraw.files import replacing, write_text
from stormdraw.grids import Grid
from stormdraw.seeds import generator_for
from stormdraw.times import hours
from stormdraw.variables import variable

# About this many points of each field are used; neighbouring points differ little.
_POINTS = 10_000
# With fewer validation cases, a lead is fitted together with leads that are near it.
_CASES_ENOUGH = 15
_NEAR_HOURS = 2
# How many values of a variable are calibrated at once, in double precision.
_AT_ONCE = 3_000_000

_QUANTITIES = ("mean", "variance", "crps", "observed")

# The coefficients of each variable by lead in hours; None where no validation case has values.
Fitted = dict[str, dict[int, Coefficients | None]]


def write_pairs(ensemble: Path, truth: Sequence[Path], case: Case, output: Path) -> None:
    """Write a validation case's pairs of ensemble and truth: (quantity, variable, lead, point).

    The quantities are the mean, variance and fair CRPS of the ensemble, and the observed value, in
    the units of the fit. All are missing at a point that lacks the truth or has fewer than two
    members. `truth` are the files of fields of the valid times.
    """
    reader, absent = StateReader(truth, case.variables), absent_times(truth)
    with xr.open_dataset(ensemble, engine="netcdf4", decode_timedelta=False) as dataset:
        shape = (dataset.sizes["y"], dataset.sizes["x"])
        step = max(1, round((shape[0] * shape[1] / _POINTS) ** 0.5))
        thin = (slice(None, None, step), slice(None, None, step))
        count = len(range(0, shape[0], step)) * len(range(0, shape[1], step))
        sizes = (len(_QUANTITIES), len(case.variables), len(case.leads), count)
        pairs = np.full(sizes, np.nan, np.float32)
        for j, lead in enumerate(case.leads):
            valid = case.init + hours(lead)
            if valid in absent:
                continue
            observed = reader.read(valid)
            for v, name in enumerate(case.variables):
                members = dataset[name].isel(lead=j)[(slice(None), *thin)].values
                pairs[:, v, j] = _pairs(Marginal(variable(name)), members, observed[v][thin])
    found = xr.Dataset(
        {"pairs": (("quantity", "variable", "lead", "point"), pairs)},
        coords={
            "quantity": list(_QUANTITIES),
            "variable": list(case.variables),
            "lead": list(case.leads),
        },
    )
    with replacing(output) as temporary:
        found.to_netcdf(temporary, engine="netcdf4")


def _pairs(marginal: Marginal, members: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """The quantities of one field, (quantity, point)."""
    raw = marginal.to_fit(members.reshape(len(members), -1))
    truth = marginal.to_fit(observed.ravel())
    mean, variance, count = moments(raw)
    found = np.stack([mean, variance, fair_crps(raw, truth), truth])
    found[:, (count < 2) | ~np.isfinite(truth)] = np.nan
    return found


def fit_pairs(system: str, paths: Sequence[Path], cases: Sequence[str], output: Path) -> None:
    """Write the coefficients of a system by variable and lead, from the pairs of its `cases`.

    The file also has the mean CRPS over the same points, of the raw ensembles (fair) and of the
    fitted distributions. With fewer than 15 cases, a lead is fitted together with leads up to two
    hours earlier or later. Raises StormdrawError if no case has any value.
    """
    opened = [xr.load_dataset(path, engine="netcdf4")["pairs"] for path in paths]
    content: dict[str, Any] = {"system": system, "cases": list(cases), "variables": {}}
    leads = leads_of(opened[0])
    for name in map(str, opened[0]["variable"].values):
        marginal = Marginal(variable(name))
        # (lead, case, quantity, point)
        pairs = np.stack(
            [one.sel(variable=name).transpose("lead", ...).values for one in opened], 1
        )
        content["variables"][name] = {
            "distribution": marginal.family.name,
            "transform": marginal.row.transform,
            "leads": {lead: _fit_lead(marginal, pairs, leads, lead) for lead in leads},
        }
    fitted = (lead for row in content["variables"].values() for lead in row["leads"].values())
    if not any(entry["cases"] for entry in fitted):
        raise StormdrawError(
            f"system {system}: none of its validation cases ({', '.join(cases)}) has a value of "
            "both the ensemble and the truth; choose another periods.validation"
        )
    write_text(output, json.dumps(content, indent=2) + "\n")


def _fit_lead(
    marginal: Marginal, pairs: np.ndarray, leads: Sequence[int], lead: int
) -> dict[str, Any]:
    """The entry of a lead in the file of coefficients; pairs (lead, case, quantity, point)."""
    cases = np.isfinite(pairs[:, :, 0]).any(axis=-1)
    own = leads.index(lead)
    chosen = [own]
    if cases[own].sum() < _CASES_ENOUGH:
        chosen = [j for j, other in enumerate(leads) if abs(other - lead) <= _NEAR_HOURS]
    mean, variance, _, observed = _there(pairs[chosen])
    if not cases[own].any():
        return {"cases": 0, "points": 0, "coefficients": None}
    coefficients = fit(marginal, mean, variance, observed)
    mean, variance, raw, observed = _there(pairs[[own]])
    return {
        "cases": int(cases[own].sum()),
        "points": len(observed),
        "fitted_with_leads": [leads[j] for j in chosen],
        "crps_raw": float(raw.mean()),
        "crps_fitted": mean_crps(marginal, coefficients, mean, variance, observed),
        "coefficients": asdict(coefficients),
    }


def _there(pairs: np.ndarray) -> np.ndarray:
    """Complete pairs of (lead, case, quantity, point), in double precision (quantity, -1)."""
    flat = np.moveaxis(pairs, 2, 0).reshape(len(_QUANTITIES), -1).astype(np.float64)
    return flat[:, np.isfinite(flat).all(axis=0)]


def read_coefficients(path: Path) -> Fitted:
    """The coefficients of each variable by lead in hours.

    None where no validation case has a value. Raises StormdrawError if the file does not hold
    coefficients.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))["variables"]
        return {
            name: {
                int(lead): found["coefficients"] and Coefficients(**found["coefficients"])
                for lead, found in row["leads"].items()
            }
            for name, row in content.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise StormdrawError(
            f"{path}: no coefficients that can be read; delete it to fit them anew"
        ) from None


def write_calibrated(made: CaseToMake, chosen: Collection[str]) -> None:
    """Write a case with calibrated members, (member, lead, y, x), in the order of the raw ones.

    `made.ensembles` is the raw ensemble, and `made.coefficients` the file of what was fitted. The
    `chosen` variables are calibrated, the others stay raw. A dew point above the temperature is
    lowered to it. A few rows of all members are in memory at a time.

    Raises StormdrawError if the coefficients are of other variables or leads, or if nothing was
    fitted for a variable and lead that the raw ensemble has.
    """
    case, fitted = made.case, read_coefficients(made.coefficients)
    _require(fitted, case, made.coefficients)
    (ensemble,) = made.ensembles
    with xr.open_dataset(ensemble, engine="netcdf4", decode_timedelta=False) as raw:
        members = raw["member"].values.tolist()
        grid, notes = Grid.of(raw), _notes(raw)
        order = generator_for(
            made.settings["seed"], case.system, f"{case.init:%Y%m%d%H}", "order"
        ).permutation(len(members))
        to = (made.output, grid, case, members, made.settings, notes)
        with ensemble_file(*to, packed=True) as put:
            height = max(1, _AT_ONCE // (len(members) * grid.shape[1]))
            for j, start in itertools.product(
                range(len(case.leads)), range(0, grid.shape[0], height)
            ):
                rows = slice(start, min(start + height, grid.shape[0]))
                block = {
                    name: _calibrated(raw, name, j, rows, fitted[name][case.leads[j]], order)
                    if name in chosen
                    else raw[name].isel(lead=j, y=rows).values
                    for name in case.variables
                }
                if {"T2M", "D2M"} <= set(block):
                    block["D2M"] = np.minimum(block["D2M"], block["T2M"])
                put(slice(None), j, np.stack(list(block.values())), rows)


def _calibrated(
    raw: xr.Dataset,
    name: str,
    lead: int,
    rows: slice,
    coefficients: Coefficients | None,
    order: np.ndarray,
) -> np.ndarray:
    """Rows of calibrated members at lead number `lead`, float32 (member, y, x)."""
    first = max(0, rows.start - AROUND)
    members = raw[name].isel(lead=lead, y=slice(first, rows.stop + AROUND)).values
    own = slice(rows.start - first, rows.stop - first)
    if coefficients is None:
        if np.isfinite(members).any():
            raise StormdrawError(
                f"{name} at {raw['lead'].values[lead]} h: no validation case has a value of both "
                "the ensemble and the truth, and so there is nothing to calibrate it by; choose "
                "another periods.validation, or leave the system, the variable or the lead out"
            )
        return np.full_like(members[:, own], np.nan)
    return couple(members, Marginal(variable(name)), coefficients, order, own).astype(np.float32)


def _notes(raw: xr.Dataset) -> dict[str, Any]:
    """The attributes of the raw ensemble that also apply to the calibrated one."""
    kept = ("missing", "absent_members")
    return {name: raw.attrs[name] for name in kept if name in raw.attrs}


def _require(fitted: Fitted, case: Case, path: Path) -> None:
    for name in case.variables:
        lacking = [lead for lead in case.leads if lead not in fitted.get(name, {})]
        if lacking:
            raise StormdrawError(
                f"{path}: has no coefficients of {name} at {lacking[0]} h; delete it to fit them "
                "anew"
            )
