"""Of several reports an hour, the one that counts for the full hour."""

from datetime import timedelta

import pandas as pd

from stormdraw.variables import VARIABLES


def at_full_hours(reports: pd.DataFrame, tolerance: timedelta) -> pd.DataFrame:
    """A row a station and full hour, `valid`: the report nearest to it, at most `tolerance` away.

    Of two that are equally far the earlier one is taken, and of two of the same minute the later in
    the file, which is a correction. A sum over the last hour is the largest that was reported up to
    the hour: gauges count from the routine report on, so a special report soon after it has the
    sum of minutes only. `tolerance` is less than half an hour.
    """
    table = reports.drop_duplicates(["station", "reported"], keep="last").copy()
    table["valid"] = table["reported"].dt.round("h")
    table["_distance"] = (table["reported"] - table["valid"]).abs()
    table = table[table["_distance"] <= tolerance]
    nearest = table.sort_values(["valid", "station", "_distance", "reported"], kind="stable")
    nearest = nearest.drop_duplicates(["valid", "station"]).drop(columns="_distance")
    for name in sums(reports):
        before = table[table["reported"] <= table["valid"]]
        largest = before.groupby(["valid", "station"])[name].max().rename(name)
        nearest = nearest.drop(columns=name).join(largest, on=["valid", "station"])
    return nearest.reset_index(drop=True)


def sums(table: pd.DataFrame) -> list[str]:
    """The columns that are sums over the last hour."""
    return [
        name
        for name, row in VARIABLES.items()
        if name in table and row.grib.statistic == "accumulation"
    ]
