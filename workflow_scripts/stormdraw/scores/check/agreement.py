"""The table of our scores beside those of other libraries: `results/scores/check.csv`."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from stormdraw.errors import StormdrawError
from stormdraw.files import replacing
from stormdraw.scores.parameters import PARAMETERS
from stormdraw.scores.settings import Scores
from stormdraw.scores.summary import read_table, summarise

logger = logging.getLogger(__name__)

# The largest relative difference of two values of one score.
TOLERANCE = 1e-5

COLUMNS = (
    *("system", "init", "variable", "lead_hours", "metric", *PARAMETERS),
    *("library", "starts_from", "sample", "ours", "theirs", "relative_difference", "relative_to"),
)
_KEY = ["variable", "lead_hours", "metric", "threshold"]
_NUMBERS = ("width", "probability", "ours", "theirs", "relative_difference", "scale")


def write_check(
    opinions: Mapping[str, Path],
    statistics: Mapping[str, Path],
    scores: Scores,
    run_seed: int,
    output: Path,
) -> pd.DataFrame:
    """Compare, by system, the scores in `opinions` with what the summary says of the same case.

    `statistics` are the files of sums of these cases. Writes one row for each score of
    `stormdraw.scores.check.opinion`, with COLUMNS, and returns them.

    Raises StormdrawError that names the row with the largest difference if that is more than
    TOLERANCE, or if a score is missing on one side; the log then has all such rows.
    """
    tables = []
    for system, path in opinions.items():
        theirs = read_table(path, _NUMBERS)
        of_case = {system: [statistics[system]]}
        # Skill against the others is made of these scores.
        ours = summarise(of_case, scores.model_copy(update={"reference": None}), run_seed)
        joined = theirs.merge(ours[[*_KEY, "value"]], on=_KEY, how="left")
        tables.append(joined.rename(columns={"value": "ours"}))
    table = pd.concat(tables, ignore_index=True)
    apart = (table["ours"] - table["theirs"]).abs()
    relative = apart / table["scale"].abs()
    # Of two values that are both 0, and of one that is missing.
    relative = relative.where(apart != 0.0, 0.0).fillna(np.inf)
    table = table.assign(relative_difference=relative)
    _require_agreement(table, statistics)
    table = table[list(COLUMNS)]
    with replacing(output) as temporary:
        table.to_csv(temporary, index=False, float_format="%.9g", lineterminator="\n")
    return table


def read_check(path: Path) -> pd.DataFrame:
    """The table that `write_check` wrote."""
    return read_table(path, _NUMBERS)


def _require_agreement(table: pd.DataFrame, statistics: Mapping[str, Path]) -> None:
    wrong = table[~(table["relative_difference"] <= TOLERANCE)]
    if not len(wrong):
        return
    wrong = wrong.sort_values("relative_difference", ascending=False, kind="stable")
    for line in wrong[list(COLUMNS)].to_csv(index=False, float_format="%.9g").splitlines():
        logger.error("%s", line)
    row = wrong.iloc[0]
    more = f" and {len(wrong) - 1} more rows" if len(wrong) > 1 else ""
    parameter = f" {row['threshold']}" if row["threshold"] else ""
    raise StormdrawError(
        f"{statistics[row['system']]}: {row['variable']} {row['metric']}{parameter} at "
        f"{row['lead_hours']} h is {row['ours']:.9g}, but {row['theirs']:.9g} by {row['library']} "
        f"from {row['starts_from']}: a relative difference of {row['relative_difference']:.2g}, "
        f"more than {TOLERANCE:g}{more} (all in the log); trust no score of this run: install "
        "what envs/requirements.txt pins and run again, and if they still differ, report it"
    )
