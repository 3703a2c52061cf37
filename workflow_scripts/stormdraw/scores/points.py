"""The common points of a case: those that no reference, baseline or ensemble of others lacks.

results/points/{init}.nc holds the distinct masks `points` (number, y, x), 1 where a point counts,
and in `mask` (variable, lead) the number of the mask that applies. Usually there is a single mask.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.fields.netcdf import leads_of
from stormdraw.files import replacing
from stormdraw.scores.ensemble import ensemble_variables, open_ensemble, read_forecast


def write_points(
    ensemble_paths: Sequence[Path],
    leads: Sequence[int],
    output: Path,
    may_be_missing: bool = False,
) -> None:
    """Write the points (y, x) that all of these ensembles of a case have, by variable and lead.

    An ensemble without a variable does not affect its points. One that lacks a lead leaves no
    point there.

    Raises StormdrawError if an ensemble has no point of a variable at any lead, unless it
    `may_be_missing`, the ensemble's attribute `missing` says why, or `missing_variables` names it.
    """
    bits: dict[tuple[str, int], np.ndarray] = {}
    shape = (0, 0)
    for path in ensemble_paths:
        with open_ensemble(path) as ensemble:
            shape = (ensemble.sizes["y"], ensemble.sizes["x"])
            said = ensemble.attrs.get("missing_variables", "").split()
            stated = may_be_missing or "missing" in ensemble.attrs
            for name in ensemble_variables(ensemble):
                masks = [np.packbits(read_forecast(ensemble, name, lead).valid) for lead in leads]
                if not (np.any(masks) or stated or name in said):
                    raise StormdrawError(
                        f"{path}: {name}: the members are finite at no point of any lead; check "
                        "whether the file is empty"
                    )
                for lead, mask in zip(leads, masks, strict=True):
                    bits[name, lead] = mask & bits.get((name, lead), mask)
    _write(bits, shape, leads, output)


def _write(
    bits: Mapping[tuple[str, int], np.ndarray],
    shape: tuple[int, int],
    leads: Sequence[int],
    output: Path,
) -> None:
    """Write each distinct mask once; `bits` are packed masks."""
    names = list(dict.fromkeys(name for name, _ in bits))
    masks = list(dict.fromkeys(mask.tobytes() for mask in bits.values()))
    which = [[masks.index(bits[name, lead].tobytes()) for lead in leads] for name in names]
    points = np.zeros((len(masks), *shape), np.uint8)
    for mask, content in zip(points, masks, strict=True):
        packed = np.frombuffer(content, np.uint8)
        mask[:] = np.unpackbits(packed, count=mask.size).reshape(shape)
    dataset = xr.Dataset(
        {
            "mask": (("variable", "lead"), np.array(which, np.int32).reshape(-1, len(leads))),
            "points": (("number", "y", "x"), points),
        },
        coords={
            "variable": np.array(names, dtype=object),
            "lead": ("lead", np.array(leads, np.int32), {"units": "h"}),
        },
        # Without a time stamp equal points give equal bytes.
        attrs={"Conventions": "CF-1.11", "title": "Points that no reference or baseline lacks"},
    )
    encoding = {"points": {"zlib": True, "chunksizes": (1, *shape)}} if masks else {}
    with replacing(output) as temporary:
        dataset.to_netcdf(temporary, engine="netcdf4", encoding=encoding)


class CommonPoints:
    """The points in a file of `write_points`, and its `leads` in hours."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as dataset:
            which = dataset["mask"].load()
        self.leads = leads_of(which)
        self._which = {
            (str(name), lead): int(which.sel(variable=name, lead=lead))
            for name in which["variable"].values
            for lead in self.leads
        }
        self._last: tuple[int, np.ndarray] = (-1, np.empty(0))

    def at(self, name: str, lead: int) -> np.ndarray | None:
        """Whether each point counts, bool (y, x); None (all count) for an unknown variable."""
        if (name, lead) not in self._which:
            return None
        place = self._which[name, lead]
        if place != self._last[0]:
            with xr.open_dataset(self._path, engine="netcdf4") as dataset:
                self._last = (place, dataset["points"][place].values.astype(bool))
        return self._last[1]
