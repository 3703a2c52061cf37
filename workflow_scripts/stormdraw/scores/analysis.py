"""The scores against the analysis, of variables that have another truth."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import xarray as xr

from stormdraw.scores.settings import Scores
from stormdraw.scores.summary import summarise


def against_analysis(
    paths_by_system: Mapping[str, Sequence[Path]],
    scores: Scores,
    run_seed: int,
    standards: Sequence[str] = (),
) -> pd.DataFrame:
    """The table of `summarise`, without the systems that have none of these variables.

    There is no skill of such a system.
    """
    having = {name: paths for name, paths in paths_by_system.items() if _has_variables(paths[0])}
    if scores.reference not in having:
        scores = scores.model_copy(update={"reference": None})
    return summarise(having, scores, run_seed, [name for name in standards if name in having])


def _has_variables(path: Path) -> bool:
    with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as case:
        return case.sizes["variable"] > 0
