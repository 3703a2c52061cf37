"""The truth that forecasts are compared with."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from stormdraw.errors import StormdrawError
from stormdraw.fields.day_files import day_file
from stormdraw.fields.states import absent_times, locate_times
from stormdraw.times import hours
from stormdraw.variables import PARTS


class Truth:
    """The truth at the valid times `init` + each lead (h). Fields are read on demand.

    `paths` are files of fields with dims (time, y, x) on one `grid`. A valid time that is recorded
    as absent from the archive is missing at all points.

    Raises StormdrawError if a valid time is in none of the files, or if their grids differ.
    """

    def __init__(self, paths: Sequence[Path], init: datetime, leads: Sequence[int]) -> None:
        self.init = init
        self.grid = day_file(paths[0]).grid
        self._where = locate_times(paths)
        known = self._where.keys() | absent_times(paths)
        for lead in leads:
            if init + hours(lead) not in known:
                raise StormdrawError(
                    f"{', '.join(map(str, paths))}: no analysis valid at "
                    f"{init + hours(lead):%Y-%m-%d %H} UTC, {lead} h after "
                    f"{init:%Y-%m-%d %H} UTC; fetch that valid time or leave out the lead"
                )

    def field(self, name: str, lead: int) -> np.ndarray:
        """A variable at a lead, float32 (y, x). WIND10 is that of the file, or of U10 and V10.

        Raises StormdrawError if the file lacks the variable.
        """
        valid = self.init + hours(lead)
        if valid not in self._where:
            return np.full(self.grid.shape, np.nan, np.float32)
        path, index = self._where[valid]
        file = day_file(path)
        if name in PARTS and name not in file.names:
            return np.hypot(*file.read(PARTS[name], index))
        return file.read((name,), index)[0]
