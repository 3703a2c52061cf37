"""Is a system better than the reference, worse, or is there no telling?"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from stormdraw.errors import StormdrawError
from stormdraw.scores.bootstrap import MINIMUM_DAYS, days, interval, resamplings
from stormdraw.scores.comparison import leads, load_systems, variables
from stormdraw.scores.metrics import metrics, shared_crps, sums_over_cases

COLUMNS = (
    "system",
    "reference",
    "variable",
    "lead_hours",
    "metric",
    "members",
    "reference_members",
    "cases",
    "days",
    "value",
    "reference_value",
    "difference",
    "ci_low",
    "ci_high",
    "verdict",
    "own_crps_fair",
)
TOO_FEW_DAYS = f"undecided: fewer than {MINIMUM_DAYS} days"


def verdicts(
    paths_by_system: Mapping[str, Sequence[Path]],
    reference: str | None,
    bootstrap_samples: int,
    confidence: float,
    run_seed: int,
) -> pd.DataFrame:
    """One row for each other system, variable and lead, with columns COLUMNS.

    `difference` is the CRPS minus that of the reference: fair if both are ensembles; else, which
    `metric` then says, that of a Gaussian with either's mean and spread. Its interval is of paired
    differences, over the same resampled days. `own_crps_fair` is the system's full CRPS, to stand
    beside a Gaussian one. What the two do not both have is left out; without a reference the table
    is empty.

    Raises StormdrawError if `reference` is not among the systems, and as `load_systems` does.
    """
    if reference is None:
        return pd.DataFrame(columns=list(COLUMNS))
    if reference not in paths_by_system:
        raise StormdrawError(
            f"scores.reference is {reference!r}, which has no scores; there are those of "
            f"{', '.join(sorted(paths_by_system))}"
        )
    systems = load_systems(paths_by_system)
    inits = systems[reference]["init"].values
    resamples = resamplings(inits, bootstrap_samples, run_seed)
    rows = []
    for variable in variables(systems[reference]):
        scores, members = {}, {}
        for name, system in systems.items():
            if variable in variables(system):
                of_variable = system.sel(variable=variable)
                members[name] = of_variable["members"].min("init").values
                sums = sums_over_cases(of_variable, resamples)
                scores[name] = metrics(sums, bool((of_variable["members"] > 0).all()))
        for name in sorted(set(scores) - {reference}):
            metric = shared_crps(scores[name], scores[reference])
            own, other = scores[name][metric], scores[reference][metric]
            low, high = interval(own - other, confidence)
            full = scores[name].get("crps_fair", np.full(own.shape, np.nan))
            for index, lead in enumerate(leads(systems[reference])):
                rows.append(
                    (
                        name,
                        reference,
                        variable,
                        lead,
                        metric,
                        int(members[name][index]),
                        int(members[reference][index]),
                        len(inits),
                        days(inits),
                        own[0, index],
                        other[0, index],
                        own[0, index] - other[0, index],
                        low[index],
                        high[index],
                        verdict(low[index], high[index]),
                        full[0, index],
                    )
                )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def verdict(low: float, high: float) -> str:
    """What an interval of CRPS minus the reference's CRPS says; lower is better."""
    if np.isnan(low) or np.isnan(high):
        return TOO_FEW_DAYS
    if high < 0.0:
        return "better"
    return "worse" if low > 0.0 else "no difference"


def caveats(table: pd.DataFrame, confidence: float) -> list[str]:
    """What must be said beside a table of verdicts, a sentence or two each."""
    notes = [
        "The truth is the HRRR analysis, which favours systems trained on HRRR or started from it."
    ]
    if table.empty:
        return notes
    first = table.iloc[0]
    blocks = int(first["days"])
    if blocks < MINIMUM_DAYS:
        notes.append(
            f"{blocks} initial days: an interval needs at least {MINIMUM_DAYS}, and none is given."
        )
    else:
        notes.append(
            f"Intervals of {confidence:.0%} from {blocks} blocks, the initial days, resampled in "
            "pairs. Each row is judged alone: one in many differs by chance."
        )
    sizes = sorted({int(count) for count in table["members"]} | set(table["reference_members"]))
    if len(sizes) > 1:
        notes.append(
            f"Ensembles of {', '.join(map(str, sizes))} members (0: known by mean and spread): the "
            "fair CRPS takes their size out for exchangeable members. Those of HREF and REFS are "
            "different models and ages, for which it does so only approximately."
        )
    if (table["metric"] == "crps_gaussian").any():
        notes.append(
            "Where the metric is crps_gaussian, both systems are scored as Gaussians with their "
            "mean and spread; own_crps_fair is the full ensemble's, not to be set against them."
        )
    return notes
