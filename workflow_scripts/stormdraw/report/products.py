"""Products of an ensemble: one NetCDF file and five GRIB2 files for each case.

results/report/products_of/{system}/{init}.nc holds these fields (lead, y, x) of each variable:
`{name}_mean`, `{name}_spread` (standard deviation, ddof 1), `{name}_pmm` (probability-matched
mean), `{name}_lpmm` (local probability-matched mean) and, for each threshold that is a value,
`{name}_probability_{threshold}`: the percentage of members with the event, such as
`REFC_probability_30` (at least 30 dBZ) or `VIS_probability_at_most_1000`. The GRIB2 files hold the
same fields, one kind in each file, as HREF does: mean, sprd, pmmn, lpmm, prob. Each has an
inventory (.idx), in which Herbie finds its messages.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import netCDF4
import numpy as np
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.fields.netcdf import init_coordinate, lead_coordinate, leads_of, written_in_parts
from stormdraw.files import replacing, write_text
from stormdraw.grids import Grid
from stormdraw.provenance import attributes
from stormdraw.report.grib_products import Message, encode, inventory_columns
from stormdraw.scores.ensemble import (
    ensemble_variables,
    initial_time,
    open_ensemble,
    read_forecast,
)
from stormdraw.scores.statistics.local_probability_matched_mean import (
    local_probability_matched_mean,
)
from stormdraw.scores.statistics.probability_matched_mean import probability_matched_mean
from stormdraw.scores.threshold import Limit, Threshold
from stormdraw.variables import variable

KINDS = ("mean", "spread", "matched", "local", "probability")

_CELL_METHODS = {"mean": "realization: mean", "spread": "realization: standard_deviation"}


@dataclass(frozen=True)
class Product:
    """One product of a variable: its name in the NetCDF file and its GRIB2 message."""

    label: str
    long_name: str
    message: Message


def write_products(
    ensemble_path: Path,
    thresholds: Mapping[str, Sequence[Threshold]],
    patch: int,
    netcdf: str | Path,
    gribs: Mapping[str, str | Path],
) -> None:
    """Write the products of an ensemble. `gribs` maps each of KINDS to its file.

    Each GRIB2 file gets an inventory of the same name with `.idx` appended. `thresholds` are the
    thresholds of the probabilities, by variable; none is a percentile. `patch` is the width, in
    grid points, of the patches of the local probability-matched mean.

    Raises StormdrawError if the ensemble has no members.
    """
    with open_ensemble(ensemble_path) as ensemble:
        system = str(ensemble.attrs["system"])
        names = [name for name in ensemble_variables(ensemble) if name in ensemble]
        if not names:
            raise StormdrawError(
                f"{ensemble_path}: no members, which products need; name another system in "
                "report.products_of"
            )
        members = ensemble.sizes["member"]
        products = {name: products_of(name, members, thresholds) for name in names}
        given = {name: [one.given for one in own] for name, own in thresholds.items()}
        notes = attributes(
            f"Products of the ensemble {system}",
            f"stormdraw system {system}",
            {"thresholds": given, "local_patch": patch},
        )
        inventories = _write(ensemble, products, patch, netcdf, gribs, notes)
    for kind, lines in inventories.items():
        write_text(f"{gribs[kind]}.idx", "".join(lines))


def products_of(
    name: str, members: int, thresholds: Mapping[str, Sequence[Threshold]]
) -> list[Product]:
    """The products of a variable: mean, spread, matched means and a probability per threshold."""
    own_thresholds = thresholds.get(name, [])
    return [
        Product(f"{name}_mean", "ensemble mean", Message(name, "mean", members)),
        Product(f"{name}_spread", "ensemble spread", Message(name, "spread", members)),
        Product(f"{name}_pmm", "probability-matched mean", Message(name, "matched", members)),
        Product(f"{name}_lpmm", "local probability-matched mean", Message(name, "local", members)),
        *(
            Product(
                f"{name}_probability_{_in_names(threshold)}",
                f"share of members of {threshold.words(variable(name).units)}",
                Message(name, "probability", members, threshold, number, len(own_thresholds)),
            )
            for number, threshold in enumerate(own_thresholds, start=1)
        ),
    ]


def _in_names(threshold: Threshold) -> str:
    """30, minus_50, at_most_1000."""
    return threshold.text.replace("<=", "at_most_").replace("-", "minus_")


def compute(members: np.ndarray, message: Message, patch: int) -> np.ndarray:
    """Compute a product (y, x) from members (member, y, x); NaN where any member is missing.

    `patch` is the width, in grid points, of the patches of the local probability-matched mean.
    """
    valid = np.isfinite(members).all(axis=0)
    if message.kind == "mean":
        values = members.mean(axis=0, dtype=np.float64)
    elif message.kind == "spread":
        values = _spread(members)
    elif message.kind == "matched":
        flat = members.reshape(len(members), -1)
        values = probability_matched_mean(flat, valid.ravel()).reshape(valid.shape)
    elif message.kind == "local":
        values = local_probability_matched_mean(members, valid, patch)
    else:
        limit = Limit(message.threshold, message.threshold.number)
        values = 100.0 * sum(limit.reached(member) for member in members) / len(members)
    return np.where(valid, values, np.nan).astype(np.float32)


def _spread(members: np.ndarray) -> np.ndarray:
    """Standard deviation (y, x) in double precision, without a double-precision copy of members."""
    mean = members.mean(axis=0, dtype=np.float64)
    squares = np.zeros(mean.shape)
    for member in members:
        squares += (member - mean) ** 2
    return np.sqrt(squares / max(len(members) - 1, 1))


def _write(
    ensemble: xr.Dataset,
    products: Mapping[str, Sequence[Product]],
    patch: int,
    netcdf: str | Path,
    gribs: Mapping[str, str | Path],
    notes: dict[str, str],
) -> dict[str, list[str]]:
    """Write all files. Return the lines of each GRIB2 file's inventory, by kind."""
    grid = Grid.of(ensemble)
    init = initial_time(ensemble)
    leads = leads_of(ensemble)
    leading = {"lead": lead_coordinate(leads), "init": init_coordinate(init)}
    labels = {product.label: name for name, of_name in products.items() for product in of_name}
    inventories: dict[str, list[str]] = {kind: [] for kind in KINDS}
    with (
        _streams(gribs) as streams,
        written_in_parts(Path(netcdf), grid, leading, labels, notes) as written,
    ):
        for name, of_name in products.items():
            for product in of_name:
                _describe(written[product.label], product)
            for index, lead in enumerate(leads):
                members = read_forecast(ensemble, name, lead).members
                for product in of_name:
                    values = np.full(grid.shape, np.nan, np.float32)
                    if members is not None and len(members):
                        values = compute(members, product.message, patch)
                    written[product.label][index] = values
                    stream = streams[product.message.kind]
                    lines = inventories[product.message.kind]
                    columns = inventory_columns(product.message, init, lead)
                    lines.append(f"{len(lines) + 1}:{stream.tell()}:{columns}\n")
                    stream.write(encode(product.message, grid, init, lead, values))
    return inventories


def _describe(created: netCDF4.Variable, product: Product) -> None:
    attributes_of = {"long_name": f"{created.long_name}: {product.long_name}"}
    if product.message.kind in _CELL_METHODS:
        # After that over time of an hourly sum or maximum.
        earlier = getattr(created, "cell_methods", "")
        attributes_of["cell_methods"] = f"{earlier} {_CELL_METHODS[product.message.kind]}".strip()
    if product.message.kind == "probability":
        attributes_of["units"] = "%"
    if product.message.kind in ("probability", "spread") and "standard_name" in created.ncattrs():
        # A probability or a standard deviation is not the quantity that the standard name means.
        created.delncattr("standard_name")
    created.setncatts(attributes_of)


@contextlib.contextmanager
def _streams(gribs: Mapping[str, str | Path]) -> Iterator[dict[str, BinaryIO]]:
    """Open all GRIB2 files under temporary names; rename them when the block succeeds."""
    with contextlib.ExitStack() as stack:
        opened: dict[str, BinaryIO] = {}
        for kind in KINDS:
            temporary = stack.enter_context(replacing(gribs[kind]))
            opened[kind] = stack.enter_context(open(temporary, "wb"))
        yield opened
