"""Tables of all cases and leads together, for diagrams."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from stormdraw.scores import registry
from stormdraw.scores.comparison import load_system, load_systems, variables
from stormdraw.scores.sums import cut_to_size, events_of

DAILY = "daily_"


def pooled_tables(
    paths_by_system: Mapping[str, Sequence[Path]],
    only: str | None = None,
) -> dict[tuple[str, str], xr.Dataset]:
    """The sums and tables of each (variable, system), over all cases and leads.

    `only` leaves out all variables but that one. One system's tables are in memory at a time.

    Tables of ensembles of different sizes cannot be added: fields with the most frequent number of
    members are summed (the larger of two equally frequent ones). A field without a point that
    counts is left out. The attributes `members`, `fields` and `all_fields` tell that number, how
    many fields (a case at a lead) have it, and how many there are. A name that starts with DAILY is
    the same sum for each initial day, (day, ...).

    Raises StormdrawError as `load_systems` does.
    """
    pooled = {}
    for name, compared in load_systems(paths_by_system).items():
        wanted = [own for own in variables(compared) if only in (None, own)]
        if wanted:
            system = load_system(name, paths_by_system[name], tables=registry.tables(), only=wanted)
            # Only there is it compared with the others.
            system["points"] = compared["points"].sel(variable=wanted)
            for variable in wanted:
                pooled[variable, name] = _pool(system.sel(variable=variable))
    return pooled


def _pool(system: xr.Dataset) -> xr.Dataset:
    fields = system.stack(field=("init", "lead"))
    fields = fields.isel(field=np.flatnonzero(fields["points"].values > 0))
    members = fields["members"].values
    counted = np.bincount(members, minlength=1)
    frequent = int(np.flatnonzero(counted == counted.max())[-1])
    chosen = fields.isel(field=np.flatnonzero(members == frequent))
    names = ["weight_sum", *(name for name in registry.sums_of_scores() if name in chosen)]
    summed = chosen[names].sum("field")
    if chosen.sizes["field"]:
        day = chosen["init"].values.astype("datetime64[D]").astype(np.int64)
        alone = chosen[names].drop_vars(["field", "init", "lead"])
        daily = alone.groupby(xr.DataArray(day, dims="field", name="day")).sum()
        summed = summed.assign({f"{DAILY}{name}": daily[name] for name in names})
    if "event" in chosen:
        events = events_of(chosen)
        summed = summed.isel(threshold=slice(len(events)))
        summed["event"] = ("threshold", np.array(events, object))
    summed = cut_to_size(summed, frequent)
    return summed.assign_attrs(
        members=frequent, fields=chosen.sizes["field"], all_fields=fields.sizes["field"]
    )
