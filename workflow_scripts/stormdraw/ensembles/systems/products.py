"""The published mean and spread of the reference ensemble, scored as a Gaussian."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import xarray as xr

from stormdraw.ensembles.forecasts import require_leads
from stormdraw.ensembles.reach import ReferenceProducts
from stormdraw.ensembles.system import CaseToMake, Reference
from stormdraw.fields.netcdf import (
    init_coordinate,
    lead_coordinate,
    variable_attributes,
    written_in_parts,
)
from stormdraw.grids import Grid
from stormdraw.membership import product_variables, published_members
from stormdraw.provenance import attributes

if TYPE_CHECKING:
    from stormdraw.ensembles.system import Models
    from stormdraw.settings import Settings


class ProductsSystem(Reference):
    """The published mean and spread of the reference ensemble, scored as a Gaussian."""

    kind: Literal["products"]
    has_members = False

    @property
    def forecasts(self) -> ReferenceProducts:
        """The reference's mean and spread."""
        return ReferenceProducts()

    def variables(self, run: Settings, models: Models) -> list[str]:
        """The published variables, including wind speed."""
        return product_variables(run.variables)

    def most_members(self, run: Settings) -> int:
        """None."""
        return 0

    def caveat(self, run: Settings) -> str:
        """A Gaussian has no floor."""
        return (
            "A reference known by mean and spread is scored as a Gaussian, which cannot be right "
            "for variables with a floor or a long tail (CAPE, CIN, wind speed)."
        )

    def write(self, made: CaseToMake) -> None:
        """`<variable>_mean` and `<variable>_spread`, each (lead, y, x).

        The attribute `members_by_lead` tells of how many members they are.
        """
        case = made.case
        description: dict[str, Any] = attributes(
            f"Ensemble {case.system}", f"stormdraw method {case.method}", dict(made.settings)
        )
        description |= {"system": case.system, "method": case.method, "distribution": "gaussian"}
        reference = made.run.archive.reference
        if reference is not None:
            description["members_by_lead"] = [
                published_members(reference, case.init, lead) for lead in case.leads
            ]
        parts = ("mean", "spread")
        names = {f"{name}_{part}": name for name in case.variables for part in parts}
        leading = {"lead": lead_coordinate(case.leads), "init": init_coordinate(case.init)}
        with (
            xr.open_dataset(made.forecasts, engine="netcdf4") as dataset,
            written_in_parts(made.output, Grid.of(dataset), leading, names, description) as file,
        ):
            require_leads(dataset, case.leads, made.forecasts)
            for name, row in names.items():
                file[name][:] = dataset[name].sel(lead=list(case.leads)).values
                statistic = name.rsplit("_", 1)[1]
                long_name = variable_attributes(row)["long_name"]
                file[name].setncattr("long_name", f"ensemble {statistic} of {long_name}")


SYSTEM = ProductsSystem
