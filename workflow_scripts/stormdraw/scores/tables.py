"""What stands in a score file: the name, dimensions and meaning of each sum and count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

# What stands where an ensemble of fewer members has no such rank.
NO_RANK = -1

PIT_BINS = 20
# Bins of the spread, half an octave each; the first holds what the archive cannot resolve.
SPREAD_BINS = 26

# Each has dims (variable, lead, region) and is weighted by area.
SUMS = {
    "weight_sum": "sum of area weights over the points that count",
    "crps_standard_sum": "weighted sum of the ensemble's CRPS",
    "crps_fair_sum": "weighted sum of the ensemble's fair CRPS",
    "crps_gaussian_sum": "weighted sum of the CRPS of a Gaussian with the ensemble's mean, spread",
    "error_sum": "weighted sum of the mean's error, forecast minus truth",
    "squared_error_sum": "weighted sum of the mean's squared error",
    "variance_sum": "weighted sum of the variance over members, divided by M - 1",
    "below_all_sum": "weight of points where the truth lies below all members",
    "above_all_sum": "weight of points where the truth lies above all members",
    "pmm_squared_error_sum": "weighted sum of the probability-matched mean's squared error",
    "variogram_weight_sum": "weight of the pairs of points of the variogram score",
    "variogram_standard_sum": "weighted sum of the variogram score of order 1/2",
    "variogram_fair_sum": "weighted sum of the fair variogram score of order 1/2",
    "energy_weight_sum": "weight of the points of the energy score",
    "energy_standard_sum": "weighted sum of the energy score of the wind vector",
    "energy_fair_sum": "weighted sum of the fair energy score of the wind vector",
}
COUNTS = {
    "points": "points that all systems are compared on, where the truth is finite",
    "members": "members at this lead; 0 for a distribution known by mean and spread",
    "mask_checksum": "checksum of which points count: equal for systems that can be compared",
    "absent_members": "members of the file that have no value at this lead",
    "missing_points": "points at which this system has a member that is not finite",
    "missing_truth": "points at which the truth is not finite",
}


@dataclass(frozen=True)
class Table:
    """Further dimensions after (variable, lead), what fills them up, and what it is about."""

    dims: tuple[str, ...]
    meaning: str
    fill: float = 0.0
    kind: type = np.float64


_EXCEEDING = ("region", "threshold", "exceeding")
_NEIGHBOURHOOD = ("region", "threshold", "neighbourhood")

TABLES = {
    "rank_counts": Table(
        ("region", "rank"),
        f"points at which the truth has this rank; {NO_RANK}: no such rank",
        NO_RANK,
        np.int64,
    ),
    "pit_counts": Table(
        ("region", "pit_bin"),
        "points at which the distribution function at the truth lies in this bin of 0 to 1",
        kind=np.int64,
    ),
    "parts_sum": Table(
        ("region", "part", "order"),
        "weighted sums of the negative and positive part of each sorted member's error",
    ),
    "spread_bin_weight_sum": Table(
        ("region", "spread_bin"), "weight of the points whose spread lies in the bin"
    ),
    "spread_bin_variance_sum": Table(
        ("region", "spread_bin"), "weighted sum of their variance over members"
    ),
    "spread_bin_squared_error_sum": Table(
        ("region", "spread_bin"), "weighted sum of their mean's squared error"
    ),
    "threshold_value": Table(("threshold",), "at least so much is the event", np.nan),
    "threshold_weighted_standard_sum": Table(
        ("region", "threshold"), "weighted sum of the CRPS of max(x, threshold)"
    ),
    "threshold_weighted_fair_sum": Table(
        ("region", "threshold"), "weighted sum of the fair CRPS of max(x, threshold)"
    ),
    "threshold_weighted_gaussian_sum": Table(
        ("region", "threshold"),
        "weighted sum of the CRPS of max(x, threshold), of a Gaussian with the mean and spread",
    ),
    "probability_weight_sum": Table(
        _EXCEEDING,
        "weight of the points at which so many members reach the threshold; without members, of "
        "those at which the Gaussian's probability is so many hundredths",
    ),
    "probability_event_sum": Table(
        _EXCEEDING, "weight of those points at which the truth does too"
    ),
    "brier_sum": Table(
        ("region", "threshold"),
        "weighted sum of the squared error of a Gaussian's exact probability",
    ),
    "fss_difference_sum": Table(
        _NEIGHBOURHOOD, "weighted sum of (f - o)**2 of the fractions in a neighbourhood"
    ),
    "fss_reference_sum": Table(_NEIGHBOURHOOD, "weighted sum of f**2 + o**2"),
    "pmm_fss_difference_sum": Table(
        _NEIGHBOURHOOD, "as fss_difference_sum, of the probability-matched mean"
    ),
    "pmm_fss_reference_sum": Table(
        _NEIGHBOURHOOD, "as fss_reference_sum, of the probability-matched mean"
    ),
    "pmm_forecast_sum": Table(
        ("region", "threshold"), "weight of points where the probability-matched mean has the event"
    ),
    "pmm_hit_sum": Table(("region", "threshold"), "weight of those where the truth has it too"),
    "spectrum_fields": Table((), "1 if all points count, and there is a spectrum", kind=np.int64),
    "spectrum_members": Table(("wavenumber",), "variance in each band, mean of the members'"),
    "spectrum_mean": Table(("wavenumber",), "variance in each band, of the ensemble's mean"),
    "spectrum_truth": Table(("wavenumber",), "variance in each band, of the truth"),
}

# What diagrams are drawn of, and no score is made of: of spectra there is most.
DIAGRAM_TABLES = frozenset(
    name
    for name, table in TABLES.items()
    if name == "spectrum_fields" or {"wavenumber", "spread_bin"} & set(table.dims)
)
SCORE_TABLES = frozenset(TABLES) - DIAGRAM_TABLES

# One block's arrays by name: scalars of SUMS and COUNTS are (region,), tables as their dims say.
Block = Mapping[str, np.ndarray]


def assemble(
    blocks: Sequence[Block], variables: list[str], leads: list[int], regions: list[str]
) -> xr.Dataset:
    """Blocks in the order of variable, then lead, as a dataset.

    A table that is longer in one block than in another is filled up; one that no block has is left
    out.
    """
    dataset = xr.Dataset(
        coords={
            "variable": np.array(variables, dtype=object),
            "lead": ("lead", np.array(leads, np.int32), {"units": "h"}),
            "region": np.array(regions, dtype=object),
        }
    )
    lengths = _longest(blocks) | {"region": len(regions)}
    shape = (len(variables), len(leads))
    scalars: dict[str, Table] = {
        **{name: Table(("region",), meaning) for name, meaning in SUMS.items()},
        **{name: Table(("region",), meaning, kind=np.int64) for name, meaning in COUNTS.items()},
    }
    for name, table in {**scalars, **TABLES}.items():
        if not any(name in block for block in blocks):
            continue
        size = tuple(lengths[dim] for dim in table.dims)
        values: np.ndarray = np.full((len(blocks), *size), table.fill, table.kind)
        for index, block in enumerate(blocks):
            if name in block:
                found = np.asarray(block[name])
                place: tuple[Any, ...] = (index, *(slice(length) for length in found.shape))
                values[place] = found
        dataset[name] = (
            ("variable", "lead", *table.dims),
            values.reshape(*shape, *size),
            {"long_name": table.meaning},
        )
    return dataset


def _longest(blocks: Sequence[Block]) -> dict[str, int]:
    """The largest length of each dimension of the tables."""
    lengths: dict[str, int] = {}
    for block in blocks:
        for name, table in TABLES.items():
            if name in block:
                for dim, length in zip(table.dims, np.shape(block[name]), strict=True):
                    lengths[dim] = max(lengths.get(dim, 0), length)
    return lengths
