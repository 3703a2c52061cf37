"""The GRIB messages of a manifest as fields on their own grid."""

import functools
import hashlib
import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import eccodes
import numpy as np

from stormdraw.archive.manifest import ManifestRow, read_manifest
from stormdraw.errors import StormdrawError
from stormdraw.fields.source_fields import SourceField
from stormdraw.grid_headers import in_map_order, read_grid
from stormdraw.grids import Grid
from stormdraw.messages import grid_relative_winds, opened
from stormdraw.times import hours

# What ecCodes is told to put where there is no value: larger than any, and exact in float32.
_MISSING = 2.0**100

# Decodes fields that belong together, when it is called.
Read = Callable[[], Sequence[SourceField]]


@dataclass(frozen=True)
class Listed:
    """The rows of a manifest that are about one file, by variable. Some may be absent."""

    valid: datetime
    rows: dict[str, ManifestRow]

    def absent(self) -> list[str]:
        """The variables that are not there."""
        return [name for name, row in self.rows.items() if not row.there]

    def any_of(self, names: Collection[str]) -> bool:
        """Whether one of these variables is there."""
        return any(row.there for name, row in self.rows.items() if name in names)


class Messages:
    """What a manifest lists, and the messages beside it."""

    def __init__(self, manifest_path: Path) -> None:
        self.path = manifest_path
        self.folder = manifest_path.parent
        self.table = read_manifest(manifest_path)
        self._files: dict[tuple[str, str, datetime, int], dict[str, ManifestRow]] = {}
        for row in itertools.starmap(ManifestRow, self.table.itertuples(index=False)):
            key = (row.member, row.statistic, row.init, row.lead)
            self._files.setdefault(key, {})[row.variable] = row

    def file(self, init: datetime, lead: int, member: str = "", statistic: str = "") -> Listed:
        """What is listed of the forecast for `lead` hours after `init`, by its own clock."""
        rows = self._files.get((member, statistic, init, lead), {})
        return Listed(init + hours(lead), rows)

    def by_valid_time(self) -> list[Listed]:
        """All that is listed, in order: for sources that have one field of a variable at a time."""
        merged: dict[datetime, dict[str, ManifestRow]] = {}
        for (_, _, init, lead), rows in self._files.items():
            merged.setdefault(init + hours(lead), {}).update(rows)
        return [Listed(valid, merged[valid]) for valid in sorted(merged)]

    def first_grid(self, among: Sequence[Listed]) -> Grid | None:
        """The grid of the first message that is there; None if there is none."""
        for listed in among:
            for row in listed.rows.values():
                if row.there:
                    with opened(self._bytes(row)) as handle:
                        return read_grid(handle)
        return None

    def reading(
        self, listed: Listed, names: Sequence[str], grid: Grid | None = None
    ) -> Read | None:
        """What decodes these variables, None if one is absent or nothing is listed.

        Called, it raises StormdrawError for bytes that changed since they were fetched, and for a
        grid other than `grid` if one is given. Raises StormdrawError if others are listed only.
        """
        lacking = [name for name in names if name not in listed.rows]
        if lacking and listed.rows:
            raise StormdrawError(
                f"{self.path}: has no {', '.join(lacking)} at {listed.valid:%Y-%m-%d %H} UTC; "
                "delete it and run again"
            )
        if lacking or set(names) & set(listed.absent()):
            return None
        return functools.partial(self._read, [listed.rows[name] for name in names], grid)

    def _read(self, rows: Sequence[ManifestRow], grid: Grid | None) -> list[SourceField]:
        fields = [self._decode(row) for row in rows]
        for field, row in zip(fields, rows, strict=True):
            if grid is not None and not field.grid.matches(grid):
                valid = row.init + hours(row.lead)
                raise StormdrawError(
                    f"{self.folder}: the grid at {valid:%H} UTC differs from the day's first"
                )
        return fields

    def _decode(self, row: ManifestRow) -> SourceField:
        with opened(self._bytes(row)) as handle:
            return SourceField(
                row.variable,
                decode(handle),
                read_grid(handle),
                str(self.folder / row.file),
                grid_relative_winds(handle),
            )

    def _bytes(self, row: ManifestRow) -> bytes:
        """A message, if it still is the one that was fetched."""
        path, again = self.folder / row.file, f"delete {self.folder} and run again to fetch it anew"
        try:
            with open(path, "rb") as stream:
                stream.seek(row.offset)
                message = stream.read(row.bytes)
        except FileNotFoundError:
            raise StormdrawError(f"{path}: gone since it was fetched; {again}") from None
        if hashlib.sha256(message).hexdigest() != row.sha256:
            raise StormdrawError(
                f"{path}: the {row.variable} message at byte {row.offset} is not the one that was "
                f"fetched; {again}"
            )
        return message


def decode(handle: int) -> np.ndarray:
    """A message's values as float32 (y, x), rows from south to north, NaN where there is none."""
    eccodes.codes_set(handle, "missingValue", _MISSING)
    # In double precision and then rounded: ecCodes takes longer to give float32 by itself.
    values = eccodes.codes_get_array(handle, "values", ktype=float).astype(np.float32)
    # With or without a bitmap: complex packing has a code of its own for missing points.
    if values.max() >= _MISSING:
        values[values >= _MISSING] = np.nan
    return in_map_order(handle, values)
