"""The truth of a case from its GRIB2 messages on, or from its NetCDF if it has another grid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.fields.settings import Fields
from stormdraw.scores.check.by_cfgrib import (
    along_grid,
    describe,
    eastwards_and_northwards,
    on_target,
    read_field,
)
from stormdraw.times import format_init
from stormdraw.variables import PARTS, other_components, variable

_THERE = ("ok", "older_run")
_OTHER_GRID = "NetCDF of the truth, which is not GRIB2 on the base model's grid"
_OTHER_ORDER = "NetCDF of the truth, whose rows are not stored from south to north"
_COMPASS = "NetCDF of the truth, whose wind components follow the compass"


@dataclass(frozen=True)
class Origin:
    """Where the messages of a variable's truth are.

    `manifests` list them; `on_grid` says whether they are on the grid that the target is cut from.
    `no_echo` is the reflectivity where there is no echo in dBZ, if its model writes one.
    """

    manifests: Sequence[Path]
    on_grid: bool
    no_echo: float | None = None


class TruthOfCase:
    """The truth at `init` + lead hours on the grid of `like`, an ensemble as xarray opens it.

    `origins` are by variable; `netcdf` are the files of the truth that the workflow scores against.
    """

    def __init__(
        self,
        origins: Mapping[str, Origin],
        netcdf: Sequence[Path],
        init: datetime,
        like: xr.Dataset,
        fields: Fields,
    ) -> None:
        self._origins = origins
        self._netcdf = netcdf
        self._init = init
        self._like = like
        self._fields = fields
        self._listed: dict[Path, pd.DataFrame] = {}

    def field(self, name: str, lead: int) -> tuple[np.ndarray, str]:
        """A variable at a lead, float32 (y, x), and where that starts from, in words.

        NaN everywhere if the archive lacks it. Raises StormdrawError if a file lacks what it should
        have, and as `read_field` and `on_target` do.
        """
        # A run of a truth of others may have the speed alone, and then it is a variable of its own.
        parts = (name,) if name in self._origins else PARTS[name]
        fields, starts = zip(*(self._part(part, lead) for part in parts), strict=True)
        together = fields[0] if len(fields) == 1 else np.hypot(*fields)
        return together, starts[0]

    def _part(self, name: str, lead: int) -> tuple[np.ndarray, str]:
        valid = self._init + timedelta(hours=lead)
        origin = self._origins[name]
        if not origin.on_grid:
            return self._from_netcdf(name, valid), _OTHER_GRID
        path = self._message_file(name, valid)
        if path is None:
            return np.full(self._like["latitude"].shape, np.nan, np.float32), describe(self._fields)
        row = variable(name)
        field = read_field(path, row, valid)
        if not eastwards_and_northwards(field):
            return self._from_netcdf(name, valid), _OTHER_ORDER
        if name in other_components() and not along_grid(field):
            return self._from_netcdf(name, valid), _COMPASS
        placed = on_target(field, row, self._fields, origin.no_echo, self._like)
        return placed.values, describe(self._fields)

    def _message_file(self, name: str, valid: datetime) -> Path | None:
        """The file with the message of a variable at a time; None if the archive lacks it.

        Of a vector there is nothing if one component is absent.
        """
        rows = [self._row(part, valid) for part in (name, other_components().get(name, name))]
        if any(status not in _THERE for _, status in rows):
            return None
        return rows[0][0]

    def _row(self, name: str, valid: datetime) -> tuple[Path, str]:
        for manifest in self._origins[name].manifests:
            table = self._table(manifest)
            found = table[(table["variable"] == name) & (table["valid"] == valid)]
            if len(found):
                return manifest.parent / found["file"].iloc[0], found["status"].iloc[0]
        raise StormdrawError(
            f"{', '.join(map(str, self._origins[name].manifests))}: no {name} valid at "
            f"{valid:%Y-%m-%d %H} UTC; delete it and run again"
        )

    def _table(self, manifest: Path) -> pd.DataFrame:
        if manifest not in self._listed:
            table = pd.read_csv(manifest, dtype=str, keep_default_na=False)
            starts = pd.to_datetime(table["init"], format="%Y%m%d%H")
            table["valid"] = starts + pd.to_timedelta(table["lead"].astype(int), unit="h")
            self._listed[manifest] = table
        return self._listed[manifest]

    def _from_netcdf(self, name: str, valid: datetime) -> np.ndarray:
        for path in self._netcdf:
            with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as day:
                if np.datetime64(valid, "ns") in day["time"].values:
                    return day[name].sel(time=valid).load().values.astype(np.float32)
                if format_init(valid) in day.attrs.get("absent_times", "").split():
                    return np.full(self._like["latitude"].shape, np.nan, np.float32)
        raise StormdrawError(
            f"{', '.join(map(str, self._netcdf))}: no truth at {valid:%Y-%m-%d %H} UTC; delete the "
            "file of that day and run again"
        )
