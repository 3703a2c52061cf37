"""Products of an ensemble: one NetCDF file, and one GRIB2 file of each kind, for each case.

results/report/products_of/{system}/{init}.nc holds every `stormdraw.report.product.Product` of each
variable as a field (lead, y, x). The GRIB2 files hold the same fields, one kind in each file, as
HREF does. Each has an inventory (.idx), in which Herbie finds its messages.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
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
from stormdraw.report.grib_products import encode, inventory_columns
from stormdraw.report.product import Product, kinds, products_of
from stormdraw.scores.ensemble import (
    ensemble_variables,
    initial_time,
    open_ensemble,
    read_forecast,
)
from stormdraw.scores.threshold import Threshold


def write_products(
    ensemble_path: Path,
    thresholds: Mapping[str, Sequence[Threshold]],
    patch: int,
    netcdf: str | Path,
    gribs: Mapping[str, str | Path],
) -> None:
    """Write the products of an ensemble. `gribs` maps each kind to its file.

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
        products = {name: products_of(name, members, thresholds.get(name, [])) for name in names}
        given = {name: [one.given for one in own] for name, own in thresholds.items()}
        notes = attributes(
            f"Products of the ensemble {system}",
            f"stormdraw system {system}",
            {"thresholds": given, "local_patch": patch},
        )
        inventories = _write(ensemble, products, patch, netcdf, gribs, notes)
    for kind, lines in inventories.items():
        write_text(f"{gribs[kind]}.idx", "".join(lines))


def compute(members: np.ndarray, product: Product, patch: int) -> np.ndarray:
    """Compute a product (y, x) from members (member, y, x); NaN where any member is missing.

    `patch` is the width, in grid points, of the patches of a local product.
    """
    valid = np.isfinite(members).all(axis=0)
    values = product.compute(members, valid, patch)
    return np.where(valid, values, np.nan).astype(np.float32)


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
    labels = {one.in_netcdf: name for name, of_name in products.items() for one in of_name}
    inventories: dict[str, list[str]] = {kind: [] for kind in gribs}
    with (
        _streams(gribs) as streams,
        written_in_parts(Path(netcdf), grid, leading, labels, notes) as written,
    ):
        for name, of_name in products.items():
            for product in of_name:
                _describe(written[product.in_netcdf], product)
            for index, lead in enumerate(leads):
                members = read_forecast(ensemble, name, lead).members
                for product in of_name:
                    values = np.full(grid.shape, np.nan, np.float32)
                    if members is not None and len(members):
                        values = compute(members, product, patch)
                    written[product.in_netcdf][index] = values
                    stream, lines = streams[product.kind()], inventories[product.kind()]
                    columns = inventory_columns(product, init, lead)
                    lines.append(f"{len(lines) + 1}:{stream.tell()}:{columns}\n")
                    stream.write(encode(product, grid, init, lead, values))
    return inventories


def _describe(created: netCDF4.Variable, product: Product) -> None:
    attributes_of = {"long_name": f"{created.long_name}: {product.long_name}"}
    if product.cell_method is not None:
        # After that over time of an hourly sum or maximum.
        earlier = getattr(created, "cell_methods", "")
        attributes_of["cell_methods"] = f"{earlier} {product.cell_method}".strip()
    if product.units is not None:
        attributes_of["units"] = product.units
    if not product.same_quantity and "standard_name" in created.ncattrs():
        created.delncattr("standard_name")
    created.setncatts(attributes_of)


@contextlib.contextmanager
def _streams(gribs: Mapping[str, str | Path]) -> Iterator[dict[str, BinaryIO]]:
    """Open all GRIB2 files under temporary names; rename them when the block succeeds."""
    with contextlib.ExitStack() as stack:
        opened: dict[str, BinaryIO] = {}
        for kind in kinds():
            temporary = stack.enter_context(replacing(gribs[kind]))
            opened[kind] = stack.enter_context(open(temporary, "wb"))
        yield opened
