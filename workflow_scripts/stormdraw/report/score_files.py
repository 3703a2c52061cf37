"""The score files a report is made from, pooled once for all figures."""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

import xarray as xr

from stormdraw.scores.pooled import pooled_tables


class ScoreFiles(dict[str, list[Path]]):
    """Files of sufficient statistics by system, one a case; pooling them takes most of a drawing's
    time, so that it is done once."""

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
