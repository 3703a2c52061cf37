"""The score files a report is made from, pooled once for all figures."""

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from stormdraw.scores.pooled import pooled_tables


class ScoreFiles(dict[str, list[Path]]):
    """Files of sufficient statistics by system, one a case.

    Reading and pooling them takes most of the time of a drawing, so that it is done once.
    """

    @classmethod
    def of(cls, paths: Mapping[str, Sequence[str | Path]]) -> "ScoreFiles":
        """The same if it is one already."""
        if isinstance(paths, cls):
            return paths
        return cls({system: [Path(path) for path in own] for system, own in paths.items()})

    @functools.cached_property
    def tables(self) -> dict[tuple[str, str], xr.Dataset]:
        """Sums and tables of each (variable, system), over all cases and leads.

        Raises StormdrawError if the systems cannot be compared.
        """
        return pooled_tables(self) if self else {}

    def once(self, read: Callable[["ScoreFiles"], Any]) -> Any:
        """What `read` makes of the files; it is called the first time only."""
        if read not in self._read:
            self._read[read] = read(self)
        return self._read[read]

    @functools.cached_property
    def _read(self) -> dict[Callable, Any]:
        return {}
