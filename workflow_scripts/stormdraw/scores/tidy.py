"""Every score in one tidy table, region by region."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from stormdraw.files import replacing
from stormdraw.scores.comparison import load_systems
from stormdraw.scores.intervals import days_of
from stormdraw.scores.settings import WHOLE_DOMAIN, Scores
from stormdraw.scores.summary import summarise


def tidy_scores(
    paths_by_system: Mapping[str, Sequence[Path]],
    scores: Scores,
    standards: Sequence[str],
    run_seed: int,
    domain: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The columns of the summary, with `region` after the lead and `days` after the cases.

    `days` is the number of initial days. `domain` is the summary of the whole
    domain, if it is there already.
    """
    inits = next(iter(load_systems(paths_by_system).values()))["init"].values
    tables = []
    for region in (WHOLE_DOMAIN, *scores.regions):
        if region == WHOLE_DOMAIN and domain is not None:
            table = domain.copy()
        else:
            table = summarise(
                paths_by_system,
                scores.reference,
                scores.bootstrap_samples,
                scores.confidence,
                run_seed,
                standards,
                scores.neighbourhoods,
                region,
            )
        table.insert(3, "region", region)
        table.insert(int(table.columns.get_loc("cases")) + 1, "days", len(days_of(inits)))  # type: ignore[arg-type]
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def write_tidy(table: pd.DataFrame, path: Path) -> None:
    """Write the table as Parquet; equal tables give equal bytes."""
    with replacing(path) as temporary:
        table.to_parquet(temporary, engine="pyarrow", index=False)
