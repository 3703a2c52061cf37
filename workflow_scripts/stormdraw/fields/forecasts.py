"""Forecasts of a case on the target grid: `results/fields/{source}/{init}.nc`.

These are members of a reference ensemble, its published mean and spread, and the base
model's own runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import xarray as xr

from stormdraw.archive.base_model import no_echo
from stormdraw.errors import StormdrawError
from stormdraw.fields.decoding import Messages
from stormdraw.fields.netcdf import init_coordinate, lead_coordinate
from stormdraw.fields.target import Checks, Target
from stormdraw.fields.writing import Content, Destination, Piece, read_together, write_fields
from stormdraw.membership import Member
from stormdraw.times import hours


@dataclass(frozen=True)
class Cycle:
    """The wanted forecasts of a case: these variables at `leads` hours after `init`."""

    init: datetime
    leads: Sequence[int]
    variables: Sequence[str]

    def leading(self) -> dict[str, xr.DataArray]:
        """The coordinates that all forecast files have."""
        return {"lead": lead_coordinate(self.leads), "init": init_coordinate(self.init)}


def regrid_members(
    manifest_path: Path,
    cycle: Cycle,
    members: Sequence[Member],
    ensemble: str,
    target: Target,
    destination: Destination,
) -> None:
    """Write each variable of the members of an `ensemble`, (member, lead, y, x).

    A variable that is absent from the archive for a member at a lead is missing there.
    """
    messages = Messages(manifest_path)
    pieces = [
        piece
        for k, member in enumerate(members)
        for piece in _pieces(messages, cycle, member, destination, (k,))
    ]
    names = xr.DataArray(
        [member.name for member in members],
        dims="member",
        attrs={"standard_name": "realization", "long_name": "model and age of its run"},
    )
    content = Content(
        f"Members of {ensemble} on the target grid",
        f"{ensemble} member files for the cycle {cycle.init:%Y-%m-%d %H} UTC",
        {name: name for name in cycle.variables},
        {"member": names, **cycle.leading()},
    )
    write_fields(content, pieces, target, destination)


def regrid_forecast(
    manifest_path: Path,
    cycle: Cycle,
    run: Member,
    model: str,
    target: Target,
    destination: Destination,
) -> None:
    """Write each variable of a run of the base model, called `model`, (lead, y, x).

    Variables that are absent from the archive are missing, even if all are.
    """
    pieces = _pieces(Messages(manifest_path), cycle, run, destination)
    content = Content(
        f"{model}'s forecast on the target grid",
        f"{model} run of {cycle.init - hours(run.age):%Y-%m-%d %H} UTC",
        {name: name for name in cycle.variables},
        cycle.leading(),
    )
    write_fields(content, pieces, target, destination)


def regrid_products(
    manifest_path: Path, cycle: Cycle, reference: str, target: Target, destination: Destination
) -> None:
    """Write `<variable>_mean` and `<variable>_spread`, each (lead, y, x), of `href` or `refs`.

    Variables that are absent from the archive are missing. Only means are checked against the
    bounds of the variables. Raises StormdrawError for a product that the manifest does not list.
    """
    messages = Messages(manifest_path)
    pieces = []
    for j, lead in enumerate(cycle.leads):
        for statistic in ("mean", "spread"):
            listed = messages.file(cycle.init, lead, statistic=statistic)
            if not listed.rows:
                raise StormdrawError(
                    f"{manifest_path}: has no {statistic} for {cycle.init:%Y-%m-%d %H} UTC + "
                    f"{lead} h"
                )
            checks = Checks(
                listed.valid, destination.fields.suspicious, statistic, statistic == "mean"
            )
            pieces += [
                Piece((j,), group, checks, messages.reading(listed, group), f"_{statistic}")
                for group in read_together(cycle.variables)
            ]
    content = Content(
        "Mean and spread of the reference ensemble on the target grid",
        f"{reference.upper()} product files of the cycle {cycle.init:%Y-%m-%d %H} UTC",
        {f"{name}{ending}": name for name in cycle.variables for ending in ("_mean", "_spread")},
        cycle.leading(),
    )
    write_fields(content, pieces, target, destination)


def _pieces(
    messages: Messages,
    cycle: Cycle,
    member: Member,
    destination: Destination,
    index: tuple[int, ...] = (),
) -> list[Piece]:
    """All leads of a member, whose own run started before the case and has its own leads."""
    pieces = []
    for j, lead in enumerate(cycle.leads):
        start = cycle.init - hours(member.age)
        listed = messages.file(start, member.own_lead(lead), member.name)
        checks = Checks(
            cycle.init + hours(lead),
            destination.fields.suspicious,
            member.name,
            no_echo=no_echo(member.model),
        )
        pieces += [
            Piece((*index, j), group, checks, messages.reading(listed, group))
            for group in read_together(cycle.variables)
        ]
    return pieces
