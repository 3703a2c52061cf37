"""What is asked of files of others, and what is found in them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from stormdraw.curvilinear import SourceGrid
from stormdraw.external.paths import PathTemplate
from stormdraw.external.settings import ExternalFiles, Format, Layout


@dataclass(frozen=True)
class Case:
    """The files of one initial time, or of one valid time of an analysis.

    `name` is that of the system, which paths may hold.
    """

    files: ExternalFiles
    name: str
    init: datetime
    analysis: bool = False

    @property
    def layout(self) -> Layout:
        return self.files.layout

    @property
    def format(self) -> Format:
        return self.files.format

    @property
    def template(self) -> PathTemplate:
        return PathTemplate(self.files.path)

    def path_tells(self, role: str) -> bool:
        """Whether the path says the initial time or the lead of what is in a file.

        A path with the day alone may be that of a file with several times.
        """
        told = self.template.told
        if self.analysis:
            return bool({"init", "valid"} & told)
        if role == "init":
            return "init" in told or {"valid", "lead"} <= told
        return "lead" in told or {"valid", "init"} <= told


@dataclass(frozen=True)
class ExternalField:
    """A field in a file, on its own grid, in its own units.

    `read` reads its values (y, x), rows from south to north; NaN where missing.
    `grid_relative_winds` is None if the file does not say.
    """

    grid: SourceGrid
    read: Callable[[], np.ndarray]
    units: str
    grid_relative_winds: bool | None
