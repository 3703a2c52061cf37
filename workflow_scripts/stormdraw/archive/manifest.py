"""The manifest of a day: one row for each message that was fetched or is absent."""

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Literal

import pandas as pd

from stormdraw.errors import StormdrawError
from stormdraw.files import replacing
from stormdraw.times import INIT_FORMAT, format_init

Status = Literal["ok", "absent", "older_run", "excluded"]
OK: Status = "ok"
# At no source without a fault.
ABSENT: Status = "absent"
# Replaced by a longer forecast of an earlier run, valid at the same time.
OLDER_RUN: Status = "older_run"
# Excluded by the configuration, whether it exists or not.
EXCLUDED: Status = "excluded"
_THERE = (OK, OLDER_RUN)


@dataclass(frozen=True)
class ManifestRow:
    """One message.

    `file` is relative to the manifest's folder. `init` and `lead` (hours) are those of the file.
    `statistic` is `mean` or `spread` for a product of an ensemble, else empty. `sha256` is that of
    the message's bytes; `origin` is the URL or path it came from, or where it was looked for.
    `reason` says what was wrong with the wanted file or message, unless the status is `ok`.
    `seconds_after` is how long after its valid time the field is.
    """

    file: str
    variable: str
    member: str
    init: datetime
    lead: int
    statistic: str
    offset: int
    bytes: int
    sha256: str
    origin: str
    status: Status
    reason: str = ""
    seconds_after: int = 0

    @property
    def there(self) -> bool:
        """Whether the message exists."""
        return self.status in _THERE


COLUMNS = tuple(field.name for field in fields(ManifestRow))
_NUMBERS = ("lead", "offset", "bytes", "seconds_after")


def write_manifest(path: str | Path, rows: list[ManifestRow]) -> None:
    """Write the rows as CSV, atomically."""
    table = pd.DataFrame([asdict(row) for row in rows], columns=list(COLUMNS))
    table["init"] = [format_init(row.init) for row in rows]
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False)


def read_manifest(path: str | Path) -> pd.DataFrame:
    """The rows of a manifest: `init` as a time, numbers as integers, the rest as text.

    Raises StormdrawError if the file does not exist or is not a manifest.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise StormdrawError(f"{path}: no such file; fetch the day first") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise StormdrawError(f"{path}: not a manifest: {' '.join(str(error).split())}") from None
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise StormdrawError(
            f"{path}: not a manifest, no column {', '.join(missing)}; delete it and run again"
        )
    try:
        table["init"] = pd.to_datetime(table["init"], format=INIT_FORMAT)
        for name in _NUMBERS:
            table[name] = table[name].astype(int)
    except ValueError as error:
        raise StormdrawError(
            f"{path}: not a manifest: {' '.join(str(error).split())}; delete it and run again"
        ) from None
    return table[list(COLUMNS)]
