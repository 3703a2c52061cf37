"""Forecasts of what a station would report: those of the grid cell, with the error of reports.

A report differs from the true mean of its grid cell by what the sensor errs and by what the place
differs. A calibrated ensemble of the cell's value is therefore under-dispersive against reports
(Saetra et al. 2004, doi:10.1175/1520-0493(2004)132<1487:EOOEOT>2.0.CO;2). Two ways account for it:

- CRPS, ranks and events need a distribution of reports. Each member is perturbed with an error of
  its own, as by Ben Bouallegue et al. (2020, doi:10.1175/MWR-D-19-0323.1), and stays one of M
  exchangeable members, so that all scores of members apply.
- Spread and error are moments. The variance of the error is added to that of the members
  (`stormdraw.scores.statistics.spread_error`), which is the mean over all perturbations without
  their noise.
"""

from dataclasses import replace

import numpy as np

from stormdraw.scores.ensemble import Forecast
from stormdraw.variables import variable


def with_observation_error(
    forecast: Forecast, error: float, random: np.random.Generator
) -> Forecast:
    """A forecast of reports with this error (standard deviation), at stations.

    The errors of the first members are the same in an ensemble of any size. Perturbed values stay
    within the variable's bounds, so that no wind speed is negative. A single member has no
    distribution, and is compared as it is: perturbed, it would be worse by an error that no
    forecast of one value can avoid. Mean and spread of M members become those of M perturbed
    members; if M is not known, the variance of the error is added.
    """
    if not error:
        return forecast
    if forecast.members is not None:
        if len(forecast.members) < 2:
            return forecast
        row = variable(forecast.name)
        noise = random.standard_normal(forecast.members.shape) * error
        perturbed = np.clip(forecast.members + noise, row.lower, row.upper)
        return replace(forecast, members=perturbed.astype(np.float32))
    if forecast.sampled == 1:
        return forecast
    if forecast.sampled:
        moments = perturbed_moments(forecast.mean, forecast.spread, forecast.sampled, error, random)
    else:
        moments = forecast.mean, np.hypot(forecast.spread, error)
    return replace(forecast, mean=moments[0], spread=moments[1])


def perturbed_moments(
    mean: np.ndarray, spread: np.ndarray, members: int, error: float, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread of M members, each perturbed with a Gaussian error, from those before.

    The errors' component along (1, ..., 1) moves the mean, that along the members' departures adds
    to the spread, and the M - 2 others, at right angles to both, only enlarge it:

        mean + error z0 / sqrt(M),    spread**2 = ((s sqrt(M - 1) + error z1)**2 + error**2 c)
                                                  / (M - 1)

    z0 and z1 are standard normal, c is chi-squared with M - 2 degrees of freedom. No matter how
    the members are distributed, this is exact.
    """
    along_mean, along_members = random.standard_normal((2, *mean.shape))
    others = 2.0 * random.standard_gamma((members - 2) / 2.0, mean.shape)
    within = (spread * np.sqrt(members - 1.0) + error * along_members) ** 2 + error**2 * others
    return mean + error * along_mean / np.sqrt(members), np.sqrt(within / (members - 1.0))
