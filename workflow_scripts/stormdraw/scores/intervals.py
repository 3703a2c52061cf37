"""How sure a score is: what each day contributes, how days hang together, how skewed they are."""

import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import stdtr, stdtrit

from stormdraw.seeds import generator_for

# With fewer days than this it cannot be told how much they resemble each other: an interval would
# be many times too wide, and none is given.
MINIMUM_DAYS = 8

# Verdicts are corrected for their number, and so need what lies further out than an interval's end.
_FAR_OUT = 0.005


def days_of(inits: np.ndarray) -> pd.DatetimeIndex:
    """The days that initial times fall on, in order, each once."""
    return pd.DatetimeIndex(inits).floor("D").unique().sort_values()


def weightings(inits: np.ndarray) -> np.ndarray:
    """How often each case counts, (1 + 2 day, case).

    The first row counts every case once, the next ones leave out one day each, the last ones count
    one day alone. Cases of one day share their weather, and so stay together.
    """
    days = days_of(inits)
    of_day = pd.DatetimeIndex(inits).floor("D").to_numpy() == days.to_numpy()[:, None]
    everything = np.ones((1, len(inits)))
    return np.concatenate([everything, ~of_day, of_day]).astype(np.float64)


def days_with_data(system: xr.Dataset) -> np.ndarray:
    """Whether a day has a point that counts, (day, lead), of one variable (init, lead)."""
    counted = system["points"].values > 0
    inits = pd.DatetimeIndex(system["init"].values).floor("D").to_numpy()
    return np.stack([counted[inits == day].any(axis=0) for day in days_of(inits).to_numpy()])


def confidence_text(confidence: float) -> str:
    """0.95 -> 95%, 0.999 -> 99.9%."""
    return f"{100.0 * confidence:.9g}%"


@dataclass(frozen=True)
class Uncertainty:
    """How sure a score is at each lead; every array is (lead,) but `studentised`.

    `days` have data, and tell as much as `effective_days` independent ones; `correlation` is that
    of a day with the next one. `undefined_share` is the share of resamples of the days in which the
    score is undefined, as that of an event is where no drawn day has one, and `alike_share` that in
    which the drawn days do not differ. `studentised` (resample, lead) are the resampled means of
    the days' contributions over their standard errors. What cannot be told is NaN.
    """

    value: np.ndarray
    standard_error: np.ndarray
    days: np.ndarray
    effective_days: np.ndarray
    correlation: np.ndarray
    undefined_share: np.ndarray
    alike_share: np.ndarray
    studentised: np.ndarray

    def interval(self, confidence: float) -> tuple[np.ndarray, np.ndarray]:
        """The ends of an interval that holds the true score with this confidence, (lead,) each.

        NaN where resamples in which the days do not differ are more than a tail holds: with three
        of 15 days unlike the others they are 3.5 %, where the tails of 95 % hold 2.5 %. So few days
        do not tell how far the true score may be.
        """
        tail = (1.0 - confidence) / 2.0
        known = self.alike_share <= tail
        low, high = self._stretches(tail)
        half = stdtrit(self.effective_days - 1.0, 1.0 - tail) * self.standard_error
        # A mean that chance made too high lies above the true one: its tail is the lower end.
        ends = self.value - high * half, self.value + low * half
        return np.where(known, ends[0], np.nan), np.where(known, ends[1], np.nan)

    def p_value(self) -> np.ndarray:
        """The chance of a score at least as far from 0 if the true one is 0, (lead,).

        It is not below the chance of drawing days that are all alike, or have no event: what few
        days of many make is no proof.
        """
        low, high = self._stretches(_FAR_OUT)
        stretch = np.where(self.value > 0.0, high, low)
        distance = np.divide(
            np.abs(self.value),
            stretch * self.standard_error,
            out=np.zeros_like(stretch),
            where=self.standard_error > 0.0,
        )
        two_sided = 2.0 * stdtr(self.effective_days - 1.0, -distance)
        return np.maximum(two_sided, np.minimum(self.alike_share + self.undefined_share, 1.0))

    def _stretches(self, tail: float) -> tuple[np.ndarray, np.ndarray]:
        """How much longer than Student's t the lower and upper tails are, (lead,) each."""
        ends = np.quantile(self.studentised, [tail, 1.0 - tail], axis=0, method="nearest")
        low, high = np.abs(ends) / stdtrit(self.days - 1.0, 1.0 - tail)
        return low, high


def uncertainty(values: np.ndarray, data: np.ndarray, samples: int, run_seed: int) -> Uncertainty:
    """How sure a score (1 + 2 day, lead) is, computed with each of the `weightings`.

    `data` (day, lead) tells which days have any. A day contributes n - 1 times what the score
    changes without it (jackknife, Efron and Tibshirani 1993, chapter 11), so that one way serves
    means, ratios and roots of ratios. Contributions of n days that follow each other as an AR(1)
    process with correlation r count as n / (1 + 2 sum_k (1 - k / n) r^k) independent ones (Zwiers
    and von Storch 1995, doi:10.1175/1520-0442(1995)008<0336:TSCIAI>2.0.CO;2). r is estimated
    without the bias of short series (Marriott and Pope 1954, doi:10.1093/biomet/41.3-4.390) and
    raised by its standard error, since too small a one makes intervals too narrow. Skewness is that
    of the bootstrap's t (Efron and Tibshirani 1993, chapter 12): each tail is as much longer than
    Student's t as its quantile there. `docs/intervals.md` shows how often such intervals hold.
    """
    count, leads = data.shape
    found = {
        name: np.full(leads, np.nan)
        for name in (
            "standard_error",
            "effective_days",
            "correlation",
            "undefined_share",
            "alike_share",
        )
    }
    studentised = np.zeros((samples, leads))
    for pattern in np.unique(data, axis=1).T:
        days = np.flatnonzero(pattern)
        here = np.flatnonzero((data == pattern[:, None]).all(axis=0))
        if len(days) < MINIMUM_DAYS:
            continue
        without, alone = values[1 + days][:, here], values[1 + count + days][:, here]
        contributions = (len(days) - 1.0) * (values[0, here] - without)
        contributions = contributions - contributions.mean(axis=0)
        correlation = day_to_day_correlation(contributions)
        effective = effective_days(correlation, len(days))
        found["correlation"][here] = correlation
        found["effective_days"][here] = effective
        found["standard_error"][here] = np.sqrt(contributions.var(axis=0) / (effective - 1.0))
        found["undefined_share"][here] = np.isnan(alone).mean(axis=0) ** len(days)
        studentised[:, here], differ = _studentised(contributions, samples, run_seed)
        found["alike_share"][here] = 1.0 - differ.mean(axis=0)
    return Uncertainty(value=values[0], days=data.sum(axis=0), studentised=studentised, **found)


def day_to_day_correlation(contributions: np.ndarray) -> np.ndarray:
    """The correlation of a day with the next, from 0 to 0.95, (lead,), cautiously estimated.

    Of centred `contributions` (day, lead). The days are taken as they follow each other: those
    between them that have no case are passed over.
    """
    days = len(contributions)
    squares = (contributions**2).sum(axis=0)
    products = (contributions[1:] * contributions[:-1]).sum(axis=0)
    plain = np.divide(products, squares, out=np.zeros_like(squares), where=squares > 0.0)
    unbiased = (days * plain + 1.0) / (days - 4.0)
    cautious = unbiased + np.sqrt(np.maximum(1.0 - plain**2, 0.0) / days)
    return np.where(np.isnan(squares), np.nan, np.clip(cautious, 0.0, 0.95))


def effective_days(correlation: np.ndarray, days: int) -> np.ndarray:
    """How many independent days tell as much as so many correlated ones; at least 2."""
    lags = np.arange(1, days)[:, None]
    inflation = 1.0 + 2.0 * ((1.0 - lags / days) * correlation**lags).sum(axis=0)
    return np.maximum(days / inflation, 2.0)


def _studentised(
    contributions: np.ndarray, samples: int, run_seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Resampled means over their standard errors, and whether the days differ, (resample, lead).

    A resample whose days do not differ, as one without the rare event, has no standard error: it
    lies as far out as any other.
    """
    drawn = _drawn_days(len(contributions), samples, run_seed)
    mean = drawn @ contributions
    variance = drawn @ contributions**2 - mean**2
    error = np.sqrt(np.maximum(variance, 0.0) / (len(contributions) - 1.0))
    differ = variance > 1e-9 * (contributions**2).mean(axis=0)
    distances = np.divide(mean, error, out=np.zeros_like(mean), where=differ)
    furthest = np.abs(distances).max(axis=0)
    return np.where(differ, distances, np.sign(mean) * furthest), differ


@functools.lru_cache(maxsize=8)
def _drawn_days(days: int, samples: int, run_seed: int) -> np.ndarray:
    """The share that each day has in each resample, (resample, day)."""
    random = generator_for(run_seed, "bootstrap")
    return random.multinomial(days, np.full(days, 1.0 / days), size=samples) / days
