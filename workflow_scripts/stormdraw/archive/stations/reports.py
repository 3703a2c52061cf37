"""Tables of reports as their makers write them, CSV or Parquet, in the units of our variables.

Columns of what comes out: `station` and `network` (texts), `reported` (UTC), `longitude` (-180 to
180), `latitude` and `elevation` (NaN if unknown), and the quantities of the table, wind as U10, V10
and WIND10.
"""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from stormdraw.archive.stations.dropped import Dropped
from stormdraw.archive.stations.own_files import ENCODING, require_columns
from stormdraw.archive.stations.settings import (
    WIND_DIRECTION,
    WIND_SPEED,
    Column,
    target_units,
)
from stormdraw.archive.stations.winds import components
from stormdraw.errors import StormdrawError
from stormdraw.units import convert

# As texts stand for no value: IEM writes one of the first three, as its caller wishes.
_MISSING = ("M", "null", "", "NaN", "nan", "None", "NA")
# A trace of rain is less than a gauge can measure.
_TRACE = "T"
# From below the Dead Sea to above Everest, in m. Many lists say -999 of an unknown elevation.
_ELEVATIONS = -450.0, 9000.0


def read_reports(
    path: Path, columns: Mapping[str, Column], dropped: Dropped, network: str = ""
) -> pd.DataFrame:
    """The reports of a file, in its order; `network` is that of all, where no column says it.

    What is no number where there should be one, and reports without a position, go to `dropped`.
    Raises StormdrawError if the file cannot be read, lacks a column, or has a time that is none.
    """
    raw = _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    require_columns(path, raw.columns, columns)
    table = pd.DataFrame({"station": _texts(raw[columns["station"].name])})
    table["network"] = _texts(raw[columns["network"].name]) if "network" in columns else network
    table["reported"] = _times(raw[columns["valid"].name], path)
    for key, column in columns.items():
        units = target_units(key)
        if units is None:
            continue
        texts = raw[column.name]
        numbers = _numbers(texts)
        wrong = numbers.isna() & ~_missing(texts)
        dropped.add(table[wrong], key, texts[wrong], "unreadable", time="reported")
        table[key] = convert(numbers.to_numpy(np.float64), str(column.units), units)
    if "elevation" not in table:
        table["elevation"] = np.nan
    return _with_wind(_with_positions(table, dropped), dropped)


def _read_csv(path: Path) -> pd.DataFrame:
    """A CSV as texts, without lines that start with `#`; a line with too few values is an error."""
    try:
        with open(path, encoding=ENCODING, newline="") as stream:
            text = "".join(line for line in stream if not line.startswith("#"))
        names = next(csv.reader([text.partition("\n")[0]]), [])
        as_texts = pa.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
        table = pa.csv.read_csv(io.BytesIO(text.encode()), convert_options=as_texts)
    except (OSError, UnicodeDecodeError, pa.ArrowInvalid) as error:
        said = " ".join(str(error).split())
        raise StormdrawError(f"{path}: cannot be read as CSV: {said}") from None
    return table.to_pandas()


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise StormdrawError(f"{path}: not Parquet: {' '.join(str(error).split())}") from None


def _texts(column: pd.Series) -> pd.Series:
    return column.astype(object).where(column.notna(), "").astype(str).str.strip()


def _missing(column: pd.Series) -> pd.Series:
    return column.isna() | _texts(column).isin(_MISSING)


def _numbers(column: pd.Series) -> pd.Series:
    """Numbers of a column, NaN where there is none."""
    if pd.api.types.is_numeric_dtype(column):
        numbers = column.astype(np.float64)
    else:
        texts = _texts(column).replace(_TRACE, "0").replace(dict.fromkeys(_MISSING, "nan"))
        numbers = pd.to_numeric(texts, errors="coerce")
    return numbers.where(np.isfinite(numbers))


def _times(column: pd.Series, path: Path) -> pd.Series:
    """Times in UTC, without a zone. Raises StormdrawError for the first that is none."""
    if pd.api.types.is_datetime64_any_dtype(column):
        times = pd.to_datetime(column, utc=True)
    elif pd.api.types.is_numeric_dtype(column):
        raise StormdrawError(
            f"{path}: {column.name} has numbers, not times; write times as 2018-07-22T00:53"
        )
    else:
        times = pd.to_datetime(column, utc=True, errors="coerce", format="ISO8601")
    wrong = times.isna()
    if wrong.any():
        found = column[wrong].iloc[0]
        raise StormdrawError(
            f"{path}: {column.name}: {found!r} is not a time; write it as 2018-07-22T00:53, in UTC"
        )
    return times.dt.tz_localize(None).astype("datetime64[ns]")


def _with_positions(table: pd.DataFrame, dropped: Dropped) -> pd.DataFrame:
    """The reports with a position on Earth and a name, longitudes from -180 to 180.

    An elevation that is none on Earth is unknown.
    """
    there = table["latitude"].between(-90, 90) & table["longitude"].between(-180, 360)
    for key in ("latitude", "longitude"):
        dropped.add(table[~there], key, table.loc[~there, key], "no_position", time="reported")
    named = table["station"] != ""
    dropped.add(table[~named], "station", table.loc[~named, "station"], "no_name", time="reported")
    height = table["elevation"]
    wrong = height.notna() & ~height.between(*_ELEVATIONS)
    dropped.add(table[wrong], "elevation", height[wrong], "gross_limits", time="reported")
    table["elevation"] = height.mask(wrong)
    table = table[there & named].copy()
    table["longitude"] = (table["longitude"] + 180.0) % 360.0 - 180.0
    return table


def _with_wind(table: pd.DataFrame, dropped: Dropped) -> pd.DataFrame:
    """The reports with wind as components and speed, where they had speed and direction."""
    if WIND_SPEED not in table:
        if "U10" in table and "WIND10" not in table:
            table["WIND10"] = np.hypot(table["U10"], table["V10"])
        return table
    speed = table.pop(WIND_SPEED)
    direction = table.pop(WIND_DIRECTION)
    for key, values, wrong in (
        (WIND_SPEED, speed, speed < 0),
        (WIND_DIRECTION, direction, (direction < 0) | (direction > 360)),
    ):
        dropped.add(table[wrong], key, values[wrong], "gross_limits", time="reported")
        values[wrong] = np.nan
    table["U10"], table["V10"] = components(speed.to_numpy(), direction.to_numpy())
    table["WIND10"] = speed
    return table
