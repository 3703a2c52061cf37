"""What each station adds to the scores of one variable at one lead of a case."""

from collections.abc import Sequence

import numpy as np

from stormdraw.scores.ensemble import Forecast
from stormdraw.scores.score import Arrays
from stormdraw.scores.stations.observation_error import with_observation_error
from stormdraw.scores.statistics.crps import crps_of_points
from stormdraw.scores.statistics.rank_histogram import pit_bins, ranks
from stormdraw.scores.threshold import Limit
from stormdraw.scores.verification import (
    Points,
    gaussian_probability,
    members_reaching,
    probability_classes,
)

# What stands where a station does not count, and has no rank or probability.
NONE = -1

# Names and meanings of what is stored for each variable, lead and station, NaN where the station
# does not count.
VALUES = {
    "report": "what the station reported, in the variable's units",
    "error": "error of the ensemble's mean, forecast minus report",
    "variance": "variance over members, divided by M - 1, without observation error",
    "crps_standard": "the ensemble's CRPS, with observation error",
    "crps_fair": "the ensemble's fair CRPS, with observation error",
    "crps_gaussian": "CRPS of a Gaussian with the ensemble's mean and spread, with observation "
    "error",
    "crps_gaussian_fair": "the same, unbiased by how few members mean and spread are of",
}


def station_scores(
    forecast: Forecast,
    observed: np.ndarray,
    limits: Sequence[Limit],
    error: float,
    random: np.random.Generator,
) -> Arrays:
    """What each station adds to the scores of one variable at one lead.

    `forecast` is at the stations, `observed` (station,) their reports and `error` the standard
    deviation of their error. VALUES (station,) are NaN, and `rank`, `pit_bin` (station,),
    `probability_class` and `event` (threshold, station) NONE, where a station does not count: a
    member or the report is missing.
    """
    members = forecast.members
    if members is not None and not len(members):
        forecast = Forecast(forecast.name, np.full((1, observed.size), np.nan, np.float32))
    # Ties are broken first, so that the number of members changes no one's random number.
    ties = random.random(observed.size)
    perturbed = with_observation_error(forecast, error, random)
    plain, of_reports = _points(forecast, observed), _points(perturbed, observed)
    valid = plain.valid & of_reports.valid
    count = plain.members
    values = {
        "report": observed,
        "error": plain.error,
        "variance": plain.variance,
        **crps_of_points(of_reports),
    }
    found = {name: np.where(valid, own, np.nan).astype(np.float32) for name, own in values.items()}
    rank = ranks(of_reports.below, of_reports.equal, ties) if count else np.full(valid.shape, NONE)
    pit = pit_bins(of_reports.error, of_reports.variance, ties)
    found["rank"] = np.where(valid, rank, NONE).astype(np.int16)
    found["pit_bin"] = np.where(valid & (count == 0), pit, NONE).astype(np.int16)
    found |= _events(perturbed, observed, limits, valid)
    found["members"] = np.array(count if valid.any() else 0, np.int32)
    found["absent_members"] = np.array(forecast.absent, np.int32)
    return found


def _points(forecast: Forecast, observed: np.ndarray) -> Points:
    """Stations as points of equal weight."""
    weights = np.ones((1, observed.size))
    if forecast.members is None:
        return Points.of_gaussian(
            forecast.mean, forecast.spread, observed, weights, sampled=forecast.sampled
        )
    return Points.of_members(forecast.members, observed, weights)


def _events(
    forecast: Forecast, observed: np.ndarray, limits: Sequence[Limit], valid: np.ndarray
) -> Arrays:
    """Of each threshold: the class of the forecast probability, and whether the event was reported.

    `brier` is the squared error of a Gaussian's probability, which its class only approaches. A
    station does not count for a percentile that the climatology does not have there.
    """
    shape = len(limits), observed.size
    classes, event = np.full(shape, NONE, np.int16), np.full(shape, NONE, np.int8)
    brier = np.full(shape, np.nan, np.float32)
    for index, limit in enumerate(limits):
        counts = valid & np.isfinite(limit.value)
        with np.errstate(invalid="ignore"):
            reported = limit.reached(observed)
        if forecast.members is None:
            probability = gaussian_probability(forecast.mean, forecast.spread, limit)
            probability = np.where(counts, probability, 0.0)
            chosen = np.rint(probability * probability_classes(0))
            brier[index] = np.where(counts, (probability - reported) ** 2, np.nan)
        else:
            chosen = members_reaching(forecast.members, limit)
        classes[index] = np.where(counts, chosen, NONE)
        event[index] = np.where(counts, reported, NONE)
    found: Arrays = {"probability_class": classes, "event": event}
    return found | ({"brier": brier} if forecast.members is None else {})
