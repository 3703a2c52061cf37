"""The GRIB messages of a manifest as fields on their own grid."""

import functools
import hashlib
import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from stormdraw.archive.manifest import ManifestRow, read_manifest
from stormdraw.errors import StormdrawError
from stormdraw.fields.source_fields import SourceField
from stormdraw.grib_values import decode
from stormdraw.grid_headers import read_grid
from stormdraw.grids import Grid
from stormdraw.messages import grid_relative_winds, opened
from stormdraw.times import hours

# A function that decodes fields that belong together.
Read = Callable[[], Sequence[SourceField]]


@dataclass(frozen=True)
class ListedFile:
    """The rows of a manifest for one file, by variable. Some may be absent."""

    valid: datetime
    rows: dict[str, ManifestRow]

    def absent(self) -> list[str]:
        """The variables that are absent."""
        return [name for name, row in self.rows.items() if not row.there]

    def any_of(self, names: Collection[str]) -> bool:
        """Whether one of these variables exists."""
        return any(row.there for name, row in self.rows.items() if name in names)


class Messages:
    """The messages that a manifest lists."""

    def __init__(self, manifest_path: Path) -> None:
        self.path = manifest_path
        self.folder = manifest_path.parent
        self.table = read_manifest(manifest_path)
        self._files: dict[tuple[str, str, datetime, int], dict[str, ManifestRow]] = {}
        for row in itertools.starmap(ManifestRow, self.table.itertuples(index=False)):
            key = (row.member, row.statistic, row.init, row.lead)
            self._files.setdefault(key, {})[row.variable] = row

    def file(self, init: datetime, lead: int, member: str = "", statistic: str = "") -> ListedFile:
        """The listed forecast for `lead` hours from `init`, the file's own times."""
        rows = self._files.get((member, statistic, init, lead), {})
        return ListedFile(init + hours(lead), rows)

    def by_valid_time(self) -> list[ListedFile]:
        """All listed files in order, for sources with one field of a variable at a time."""
        merged: dict[datetime, dict[str, ManifestRow]] = {}
        for (_, _, init, lead), rows in self._files.items():
            merged.setdefault(init + hours(lead), {}).update(rows)
        return [ListedFile(valid, merged[valid]) for valid in sorted(merged)]

    def first_grid(
        self, among: Sequence[ListedFile], names: Collection[str] | None = None
    ) -> Grid | None:
        """The grid of the first message (of some variables) that exists; None if there is none."""
        for listed in among:
            for name, row in listed.rows.items():
                if row.there and (names is None or name in names):
                    with opened(self._bytes(row)) as handle:
                        return read_grid(handle)
        return None

    def reading(
        self, listed: ListedFile, names: Sequence[str], grid: Grid | None = None
    ) -> Read | None:
        """A function that decodes these variables; None if one is absent or nothing is listed.

        The function raises StormdrawError for bytes that changed since they were fetched, and for a
        grid other than `grid` if one is given. This method raises StormdrawError if only other
        variables are listed.
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
        """A message, if it is still the one that was fetched."""
        path, again = self.folder / row.file, f"delete {self.folder} and run again to fetch it"
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
