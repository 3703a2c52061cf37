"""The reports of a day at full hours: `results/archive/stations/{date}.parquet`.

One row a station and full hour, by time and station. Numbers are NaN where nothing was reported,
or where a check dropped it.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from stormdraw.archive.stations.settings import STATION_VARIABLES
from stormdraw.errors import StormdrawError
from stormdraw.files import replacing
from stormdraw.provenance import attributes

__all__ = ["IDENTITY", "STATION_VARIABLES", "read_stations", "variables_of", "write_stations"]

# Of each row, with their types in the file. Times are UTC: `valid` is the full hour, `reported` the
# report's own time. Degrees, longitudes from -180 to 180, and metres, which may be NaN.
IDENTITY = {
    "station": pa.string(),
    "network": pa.string(),
    "valid": pa.timestamp("ns"),
    "reported": pa.timestamp("ns"),
    "latitude": pa.float64(),
    "longitude": pa.float64(),
    "elevation": pa.float64(),
}


def schema(variables: Sequence[str]) -> pa.Schema:
    """The columns of a file: those of `IDENTITY`, and a number for each variable."""
    return pa.schema([*IDENTITY.items(), *((name, pa.float64()) for name in variables)])


def no_reports(variables: Sequence[str]) -> pd.DataFrame:
    """A table of no rows."""
    return schema(variables).empty_table().to_pandas()


def variables_of(table: pd.DataFrame) -> list[str]:
    """The variables of a table of reports."""
    return [str(name) for name in table.columns if name not in IDENTITY]


def write_stations(
    path: str | Path,
    table: pd.DataFrame,
    variables: Sequence[str],
    title: str,
    source: str,
    settings: Mapping[str, Any],
) -> None:
    """Write reports as Parquet, atomically, with the provenance of our NetCDF as metadata.

    `table` has the columns of `schema(variables)` in any order; it may be empty. Raises ValueError
    if a station has two rows for an hour.
    """
    if table.duplicated(["valid", "station"]).any():
        raise ValueError("a station has two rows for an hour")
    columns = schema(variables)
    ordered = table.sort_values(["valid", "station"])[columns.names]
    arrays = pa.Table.from_pandas(ordered, schema=columns, preserve_index=False)
    arrays = arrays.replace_schema_metadata(attributes(title, source, settings))
    with replacing(path) as temporary:
        pq.write_table(arrays, temporary)


def read_stations(paths: Iterable[str | Path]) -> pd.DataFrame:
    """The rows of some files, in their order; a variable that only one file has is NaN elsewhere.

    Raises StormdrawError if a file is absent or is not such a table, or if there is no file.
    """
    tables = [_read(Path(path)) for path in paths]
    if not tables:
        raise StormdrawError("no file of station reports was given")
    names = list(dict.fromkeys(name for table in tables for name in table.schema.names))
    columns = schema([name for name in names if name not in IDENTITY])
    return pa.concat_tables(tables, promote_options="default").select(columns.names).to_pandas()


def _read(path: Path) -> pa.Table:
    try:
        table = pq.read_table(path)
    except FileNotFoundError:
        raise StormdrawError(f"{path}: no such file; make it with the workflow") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise StormdrawError(
            f"{path}: not a table of station reports: {' '.join(str(error).split())}; delete it "
            "and run again"
        ) from None
    expected = schema([name for name in table.schema.names if name not in IDENTITY])
    found = {field.name: field.type for field in table.schema}
    wrong = [field.name for field in expected if found.get(field.name) != field.type]
    if wrong:
        raise StormdrawError(
            f"{path}: not a table of station reports: {', '.join(wrong)} should be "
            f"{', '.join(str(expected.field(name).type) for name in wrong)}; delete it and run "
            "again"
        )
    return table.replace_schema_metadata(None)
