"""How sure a score is: resampling of whole days."""

import numpy as np
import pandas as pd
import xarray as xr

from stormdraw.seeds import generator_for

# With fewer days than this an interval would be a guess, and none is given.
MINIMUM_DAYS = 5


def days(inits: np.ndarray) -> int:
    """How many days the initial times fall on: the number of blocks."""
    return pd.DatetimeIndex(inits).floor("D").nunique()


def days_by_lead(system: xr.Dataset) -> np.ndarray:
    """How many initial days have a point that counts at each lead, (lead,), of one variable."""
    counted = system["points"].values > 0
    return np.array([days(system["init"].values[of_lead]) for of_lead in counted.T])


def resamplings(inits: np.ndarray, samples: int, run_seed: int) -> np.ndarray:
    """How often each case counts in each resample, (resample, case); the first counts all once.

    Days of the initial time are drawn with replacement, as many as there are: cases of one day
    share their weather, so that resampling them one by one would make the intervals too narrow
    (block bootstrap, e.g. Wilks 2011, section 5.3.5). All scores are ratios of sums over the same
    resamples, and so differences between systems are paired. With fewer than MINIMUM_DAYS days
    there is only the first.
    """
    days, day_of_case = np.unique(
        pd.DatetimeIndex(inits).floor("D").to_numpy(), return_inverse=True
    )
    once = np.ones((1, len(inits)))
    if len(days) < MINIMUM_DAYS:
        return once
    random = generator_for(run_seed, "bootstrap")
    drawn = random.multinomial(len(days), np.full(len(days), 1.0 / len(days)), size=samples)
    return np.concatenate([once, drawn[:, day_of_case].astype(np.float64)])


def interval(
    values: np.ndarray, confidence: float, days: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval of scores (resample, lead) over all but the first resample, each (lead,).

    NaN where there are no resamples, a score is undefined in one of them, or fewer than
    MINIMUM_DAYS of `days` (lead,) have any data.
    """
    if len(values) == 1:
        missing = np.full(values.shape[1:], np.nan)
        return missing, missing
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(values[1:], [tail, 1.0 - tail], axis=0)
    if days is not None:
        low, high = (np.where(days < MINIMUM_DAYS, np.nan, bound) for bound in (low, high))
    return low, high
