"""What was dropped from reports, and why: `results/archive/stations/quality/{date}.csv`."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from stormdraw.errors import StormdrawError
from stormdraw.files import replacing

COLUMNS = ("station", "valid", "variable", "value", "reason")


class Dropped:
    """A list of dropped values: station, hour, variable, value, reason."""

    def __init__(self) -> None:
        self._parts: list[pd.DataFrame] = []

    def add(
        self,
        rows: pd.DataFrame,
        variable: str,
        values: Sequence[object] | pd.Series,
        reason: str,
        time: str = "valid",
    ) -> None:
        """One entry for each of some rows of a table; `time` is the column of their time."""
        self._parts.append(
            pd.DataFrame(
                {
                    "station": rows["station"].to_numpy(),
                    "valid": rows[time].dt.round("h").to_numpy(),
                    "variable": variable,
                    "value": [str(value) for value in values],
                    "reason": reason,
                }
            )
        )

    def table(self) -> pd.DataFrame:
        """All entries, by hour, station and variable."""
        if not self._parts:
            return pd.DataFrame(columns=list(COLUMNS))
        table = pd.concat(self._parts, ignore_index=True)
        return table.sort_values(["valid", "station", "variable"], kind="stable")

    def write(self, path: Path, hours: Sequence[object]) -> None:
        """Write the entries of some hours as CSV, atomically."""
        table = self.table()
        with replacing(path) as temporary:
            table[table["valid"].isin(list(hours))].to_csv(temporary, index=False)


def dropped_by_reason(paths: Iterable[Path]) -> Counter[str]:
    """How many values were dropped for each reason, by files that `Dropped` wrote.

    Raises StormdrawError if a file is not one of these.
    """
    found: Counter[str] = Counter()
    for path in paths:
        try:
            found.update(pd.read_csv(path, usecols=["reason"], dtype=str)["reason"])
        except (OSError, ValueError) as error:
            said = " ".join(str(error).split())
            raise StormdrawError(
                f"{path}: not a list of dropped values ({said}); delete it and run again"
            ) from None
    return found
