"""Scores of the whole distribution, of events, of fields and of the wind vector."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from stormdraw.scores.decomposition import crps_decomposition
from stormdraw.scores.metrics import Sums, ratio
from stormdraw.scores.neighbourhoods import fractions_skill_score
from stormdraw.scores.probabilities import brier_decomposition, brier_sums, roc_area
from stormdraw.scores.sizes import BySize, merged_probabilities, sums_by_size, weighted_mean

# by name, (resample, lead)
Scores = dict[str, np.ndarray]


def distribution_metrics(sums: Sums) -> Scores:
    """The PIT's reliability index, and scores of differences and of the wind vector."""
    scores: Scores = {}
    if "pit_counts" in sums:
        scores["pit_index"] = reliability_index(sums["pit_counts"])
    for score in ("variogram", "energy"):
        weight = sums.get(f"{score}_weight_sum")
        if weight is not None and weight.any():
            for kind in ("fair", "standard"):
                scores[f"{score}_{kind}"] = ratio(sums[f"{score}_{kind}_sum"], weight)
    return scores


def reliability_index(counts: np.ndarray) -> np.ndarray:
    """How far a histogram (..., bin) is from flat: sum_k |f_k - 1 / bins|, from 0 to 2.

    Delle Monache et al. 2006 (doi:10.1029/2005JD006917), eq. 2, there in percent.
    """
    frequency = ratio(counts, counts.sum(-1, keepdims=True))
    return np.abs(frequency - 1.0 / counts.shape[-1]).sum(-1)


def event_metrics(sums: Sums, thresholds: Sequence[float], widths: Sequence[int]) -> Scores:
    """Scores of "at least so much" for each threshold, its value at the end of the name.

    `fss_20_9` is the fractions skill score of at least 20 in boxes of 9 points; `pmm_` stands
    before scores of the probability-matched mean, which a mean and spread alone do not have.
    """
    scores: Scores = {}
    weight = sums["weight_sum"]
    for index, threshold in enumerate(thresholds):
        ending = f"{threshold:g}"
        for kind in ("fair", "standard", "gaussian"):
            total = sums.get(f"threshold_weighted_{kind}_sum")
            if total is not None:
                scores[f"crps_{kind}_above_{ending}"] = ratio(total[:, :, index], weight)
        for before in ("", "pmm_"):
            if f"{before}fss_difference_sum" not in sums:
                continue
            difference, reference = (
                sums[f"{before}fss_{part}_sum"][:, :, index] for part in ("difference", "reference")
            )
            for position, width in enumerate(widths):
                scores[f"{before}fss_{ending}_{width}"] = fractions_skill_score(
                    difference[:, :, position], reference[:, :, position]
                )
    if thresholds and "pmm_squared_error_sum" in sums and "pmm_hit_sum" in sums:
        scores["pmm_rmse"] = np.sqrt(ratio(sums["pmm_squared_error_sum"], weight))
    return scores


def sized_metrics(system: xr.Dataset, resamples: np.ndarray, thresholds: Sequence[float]) -> Scores:
    """Scores from tables whose length is the number of members, which may change between cases.

    Of one variable (init, lead, ...). A lead at a time, since these tables are the largest.
    """
    by_lead = []
    for lead in range(system.sizes["lead"]):
        by_size = sums_by_size(system, resamples, lead)
        of_lead = _decomposition(by_size)
        for index, threshold in enumerate(thresholds):
            for name, values in _event_scores(by_size, index).items():
                of_lead[f"{name}_{threshold:g}"] = values
        by_lead.append(of_lead)
    names = dict.fromkeys(name for of_lead in by_lead for name in of_lead)
    missing = np.full(len(resamples), np.nan)
    return {
        name: np.stack([of_lead.get(name, missing) for of_lead in by_lead], axis=1)
        for name in names
    }


def _decomposition(by_size: BySize) -> Scores:
    """The parts of the CRPS and the ranks' reliability index, means over sizes, (resample,).

    Parts of the CRPS are weighted by area, and so add up to that of all cases; the index by points.
    A single member has no ranks worth the name.
    """
    parts, weights, indices, points = [], [], [], []
    for size, sums in by_size.items():
        if not size or "parts_sum" not in sums:
            continue
        beyond = (sums["below_all_sum"], sums["above_all_sum"])
        parts.append(crps_decomposition(sums["parts_sum"], sums["weight_sum"], *beyond))
        weights.append(sums["weight_sum"])
        if size > 1:
            indices.append(reliability_index(sums["rank_counts"]))
            points.append(sums["points"])
    scores: Scores = {}
    if parts:
        reliability, potential = zip(*parts, strict=True)
        scores["crps_reliability"] = weighted_mean(reliability, weights)
        scores["crps_potential"] = weighted_mean(potential, weights)
    if indices:
        scores["rank_index"] = weighted_mean(indices, points)
    return scores


def _event_scores(by_size: BySize, threshold: int) -> Scores:
    """The Brier score, standard and fair, its parts, and the area under the ROC, (resample,).

    Of the threshold of that index. The fair score (Ferro 2008, doi:10.1175/2007WAF2006105.1) takes
    off p (1 - p) / (M - 1), and so does not depend on the number of members M; there is none of one
    member, nor of a distribution known by mean and spread.
    """
    by_size = {size: sums for size, sums in by_size.items() if "probability_weight_sum" in sums}
    if not by_size:
        return {}
    probability, everywhere, with_event = merged_probabilities(by_size, threshold)
    weight = everywhere.sum(-1)
    squared, fair = np.zeros((2, *weight.shape))
    for size, sums in by_size.items():
        score, dispersion = brier_sums(*merged_probabilities({size: sums}, threshold))
        # The tables of a Gaussian hold rounded probabilities.
        squared += score if size else sums["brier_sum"][:, threshold]
        fair += score - dispersion / (size - 1) if size > 1 else np.nan
    parts = brier_decomposition(probability, everywhere, with_event)
    scores = {
        "base_rate": ratio(with_event.sum(-1), weight),
        "brier": ratio(squared, weight),
        "brier_reliability": parts[0],
        "brier_resolution": parts[1],
        "brier_uncertainty": parts[2],
        "roc_area": roc_area(everywhere, with_event),
    }
    if np.isfinite(fair).all():
        scores["brier_fair"] = ratio(fair, weight)
    return scores | _warnings(by_size, threshold, with_event.sum(-1))


def _warnings(by_size: BySize, threshold: int, events: np.ndarray) -> Scores:
    """Critical success index and frequency bias of the probability-matched mean, (resample,)."""
    having = [sums for sums in by_size.values() if "pmm_hit_sum" in sums]
    if not having:
        return {}
    warned = np.sum([sums["pmm_forecast_sum"][:, threshold] for sums in having], axis=0)
    hits = np.sum([sums["pmm_hit_sum"][:, threshold] for sums in having], axis=0)
    return {
        "pmm_csi": ratio(hits, warned + events - hits),
        "pmm_frequency_bias": ratio(warned, events),
    }
