"""Tables whose length is the number of members, for ensembles of changing size."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from stormdraw.scores.metrics import Sums

# Sums over cases by the number of members, 0 for a distribution known by mean and spread.
BySize = Mapping[int, Sums]

# The forecast probabilities of such a distribution are told apart by the hundredth.
GAUSSIAN_CLASSES = 100

_TABLES = ("parts_sum", "rank_counts", "probability_weight_sum", "probability_event_sum")
_BESIDES = (
    *("points", "weight_sum", "below_all_sum", "above_all_sum"),
    *("brier_sum", "pmm_forecast_sum", "pmm_hit_sum"),
)


def probability_classes(members: int) -> int:
    """Into how many steps forecast probabilities divide the way from 0 to 1."""
    return members or GAUSSIAN_CLASSES


def sums_by_size(system: xr.Dataset, resamples: np.ndarray, lead: int) -> dict[int, Sums]:
    """Sums (resample, ...) of one variable at the lead of that index, for each number of members.

    `resamples` is (resample, init). A case without a point that counts is of no size. Each table
    ends with its own ensemble: what files were filled up with is cut off.
    """
    at_lead = system.isel(lead=lead)
    members, points = at_lead["members"].values, at_lead["points"].values
    by_size: dict[int, Sums] = {}
    for size in np.unique(members[points > 0]):
        chosen = np.flatnonzero((members == size) & (points > 0))
        by_size[int(size)] = {
            name: np.tensordot(
                resamples[:, chosen], _cut(name, at_lead[name].values[chosen], int(size)), 1
            )
            for name in (*_TABLES, *_BESIDES)
            if name in at_lead
        }
    return by_size


def _cut(name: str, table: np.ndarray, members: int) -> np.ndarray:
    """The part of a table (init, ..., length) that an ensemble of this size has."""
    lengths = {
        "parts_sum": members,
        "rank_counts": members + 1,
        "probability_weight_sum": probability_classes(members) + 1,
        "probability_event_sum": probability_classes(members) + 1,
    }
    return table[..., : lengths[name]] if name in lengths else table


def merged_probabilities(
    by_size: BySize, threshold: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities (p,), and the weights of all points and of those with the event, (..., p).

    Of the threshold of that index. Three of six members and four of eight are the same forecast.
    """
    steps = {size: np.arange(n + 1) / n for size in by_size for n in [probability_classes(size)]}
    probability = np.unique(np.concatenate([_rounded(own) for own in steps.values()]))
    tables = []
    for name in ("probability_weight_sum", "probability_event_sum"):
        first = next(iter(by_size.values()))[name]
        merged = np.zeros((len(first), probability.size))
        for size, sums in by_size.items():
            place = np.searchsorted(probability, _rounded(steps[size]))
            merged[:, place] += sums[name][:, threshold]
        tables.append(merged)
    return probability, tables[0], tables[1]


def weighted_mean(values: Sequence[np.ndarray], weights: Sequence[np.ndarray]) -> np.ndarray:
    """The mean of scores of ensembles of different sizes; a size without weight does not count."""
    total = np.sum(weights, axis=0)
    products = [
        np.where(weight > 0.0, weight * value, 0.0)
        for value, weight in zip(values, weights, strict=True)
    ]
    return np.divide(
        np.sum(products, axis=0), total, out=np.full(total.shape, np.nan), where=total > 0.0
    )


def _rounded(probability: np.ndarray) -> np.ndarray:
    """1 / 3 and 2 / 6 must be the same number."""
    return np.round(probability, 12)
