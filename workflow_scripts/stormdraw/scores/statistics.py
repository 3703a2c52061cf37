"""A case reduced to sums and counts over its points, from which all scores are ratios."""

import zlib
from datetime import datetime

import numpy as np
import xarray as xr

from stormdraw.errors import StormdrawError
from stormdraw.scores.pointwise import PointScores, score_gaussian, score_members
from stormdraw.scores.ranks import rank_counts, ranks
from stormdraw.seeds import generator_for
from stormdraw.times import format_init
from stormdraw.variables import DERIVED_VARIABLES, STATE_VARIABLES

# What stands where an ensemble of fewer members has no such rank.
NO_RANK = -1

SUMS = {
    "weight_sum": "sum of area weights over the points that count",
    "crps_standard_sum": "weighted sum of the ensemble's CRPS",
    "crps_fair_sum": "weighted sum of the ensemble's fair CRPS",
    "crps_gaussian_sum": "weighted sum of the CRPS of a Gaussian with the ensemble's mean, spread",
    "error_sum": "weighted sum of the mean's error, forecast minus truth",
    "squared_error_sum": "weighted sum of the mean's squared error",
    "variance_sum": "weighted sum of the variance over members, divided by M - 1",
}
COUNTS = {
    "points": "points where the truth and all members are finite",
    "members": "members at this lead; 0 for a distribution known by mean and spread",
    "mask_checksum": "checksum of which points count: equal for systems that can be compared",
}


def ensemble_variables(ensemble: xr.Dataset) -> list[str]:
    """The variables an ensemble file has, as members or as mean and spread."""
    return [
        name
        for name in (*STATE_VARIABLES, *DERIVED_VARIABLES)
        if name in ensemble or {f"{name}_mean", f"{name}_spread"} <= set(ensemble.data_vars)
    ]


def initial_time(ensemble: xr.Dataset) -> datetime:
    """The initial time of an ensemble file."""
    return ensemble["init"].values.astype("datetime64[s]").item()


def case_statistics(
    ensemble: xr.Dataset, truth: xr.Dataset, weights: np.ndarray, run_seed: int
) -> xr.Dataset:
    """Sufficient statistics of a case, with dims (variable, lead) and rank_counts with (rank,).

    `ensemble` has (member, lead, y, x) for each variable, or `<VAR>_mean` and `<VAR>_spread` (lead,
    y, x), and a scalar `init`; `truth` has (lead, y, x) for the same leads; `weights` is (y, x).
    All sums are weighted; `points` and `rank_counts` are not. A member with no finite value at a
    lead is left out there, and a point counts where the truth and all other members are finite.
    One variable at one lead is in memory at a time.

    Raises StormdrawError if a variable has no member, or no point that counts, at a lead.
    """
    variables = ensemble_variables(ensemble)
    leads = [int(lead) for lead in ensemble["lead"].values]
    init = format_init(initial_time(ensemble))
    blocks = []
    for name in variables:
        for lead in leads:
            scores = _score_block(ensemble, truth, name, lead)
            if not scores.valid.any():
                raise StormdrawError(
                    f"{name} at init {init}, lead {lead} h: no point where the truth and all "
                    "members are finite; see which of the two files is empty"
                )
            random = generator_for(run_seed, "ranks", init, name, lead)
            blocks.append(_sums(scores, weights.ravel(), random))
    # Alone: the ensemble's grid mapping would come along.
    init_alone = ensemble["init"].reset_coords(drop=True)
    return _assemble(blocks, variables, leads).assign_coords(init=init_alone)


def _score_block(ensemble: xr.Dataset, truth: xr.Dataset, name: str, lead: int) -> PointScores:
    """Scores at the points of one variable at one lead."""
    observed = truth[name].sel(lead=lead).values.ravel()
    if name not in ensemble:
        mean = ensemble[f"{name}_mean"].sel(lead=lead).values.ravel()
        spread = ensemble[f"{name}_spread"].sel(lead=lead).values.ravel()
        return score_gaussian(mean, spread, observed)
    values = ensemble[name].sel(lead=lead).transpose("member", "y", "x").values
    members = values.reshape(len(values), -1)
    present = [_is_present(member) for member in members]
    if not any(present):
        raise StormdrawError(
            f"{name} at lead {lead} h: the ensemble has no member; leave out this lead for all "
            "systems, or this system"
        )
    # Selecting copies, so only where there is something to leave out.
    return score_members(members if all(present) else members[present], observed)


def _is_present(member: np.ndarray) -> bool:
    """Whether a member (point,) has any finite value; mostly the first point tells."""
    return bool(np.isfinite(member[:1]).any() or np.isfinite(member).any())


def _sums(
    scores: PointScores, weights: np.ndarray, random: np.random.Generator
) -> dict[str, np.ndarray]:
    """The statistics of one variable at one lead by name; all are scalars but `rank_counts`."""
    valid = scores.valid
    weight = weights[valid]

    def total(values: np.ndarray) -> np.ndarray:
        return np.sum(weight * values[valid])

    if scores.members:
        rank = ranks(scores.below, scores.equal, random)[valid]
        counts = rank_counts(rank, scores.members)
    else:
        counts = np.zeros(1, np.int64)
    return {
        "weight_sum": np.sum(weight),
        "crps_standard_sum": total(scores.crps_standard),
        "crps_fair_sum": total(scores.crps_fair),
        "crps_gaussian_sum": total(scores.crps_gaussian),
        "error_sum": total(scores.error),
        "squared_error_sum": total(scores.error**2),
        "variance_sum": total(scores.variance),
        "points": np.asarray(np.count_nonzero(valid)),
        "members": np.asarray(scores.members),
        "mask_checksum": np.asarray(zlib.crc32(np.packbits(valid).tobytes())),
        "rank_counts": counts,
    }


def _assemble(
    blocks: list[dict[str, np.ndarray]], variables: list[str], leads: list[int]
) -> xr.Dataset:
    """Blocks in the order of variable, then lead, as a dataset."""
    shape = (len(variables), len(leads))
    statistics = xr.Dataset(
        coords={
            "variable": np.array(variables, dtype=object),
            "lead": ("lead", np.array(leads, np.int32), {"units": "h"}),
        }
    )
    for names, kind in ((SUMS, np.float64), (COUNTS, np.int64)):
        for name, meaning in names.items():
            values = np.array([block[name] for block in blocks], kind).reshape(shape)
            statistics[name] = (("variable", "lead"), values, {"long_name": meaning})
    length = max((block["rank_counts"].size for block in blocks), default=1)
    counts = np.full((len(blocks), length), NO_RANK, np.int64)
    for row, block in zip(counts, blocks, strict=True):
        row[: block["rank_counts"].size] = block["rank_counts"]
    statistics["rank_counts"] = (
        ("variable", "lead", "rank"),
        counts.reshape(*shape, length),
        {"long_name": f"points at which the truth has this rank; {NO_RANK}: no such rank"},
    )
    return statistics
