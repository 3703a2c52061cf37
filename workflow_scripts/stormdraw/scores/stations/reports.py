"""What stations reported at the valid times of a case."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from stormdraw.archive.stations.table import read_stations, variables_of
from stormdraw.times import hours


class Reports:
    """The reports at `init` + each lead (h). `paths` are tables of days.

    `stations` are all that report at any of these times, by name, with `station`, `latitude`,
    `longitude` and `elevation`. `variables` are those of the tables.

    Raises StormdrawError as `read_stations` does.
    """

    def __init__(self, paths: Sequence[Path], init: datetime, leads: Sequence[int]) -> None:
        table = read_stations(paths)
        self._init = init
        valid = [pd.Timestamp(init + hours(lead)) for lead in leads]
        self._table = table[table["valid"].isin(valid)]
        places = self._table.drop_duplicates("station").sort_values("station")
        columns = ["station", "latitude", "longitude", "elevation"]
        self.stations = places[columns].reset_index(drop=True)
        self.variables = variables_of(table)

    def at(self, name: str, lead: int, stations: list[str]) -> np.ndarray:
        """What these stations report of a variable at a lead, float32 (station,); NaN if nothing.

        Winds are along the compass.
        """
        rows = self._table[self._table["valid"] == pd.Timestamp(self._init + hours(lead))]
        return rows.set_index("station")[name].reindex(stations).to_numpy(np.float32)
