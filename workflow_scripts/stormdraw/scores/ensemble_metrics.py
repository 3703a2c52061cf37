"""Scores of the whole distribution, of events, of fields and of the wind vector."""

from collections.abc import Sequence

import numpy as np

from stormdraw.scores.decomposition import crps_decomposition
from stormdraw.scores.metrics import Sums, ratio
from stormdraw.scores.neighbourhoods import fractions_skill_score
from stormdraw.scores.probabilities import brier_decomposition, brier_sums, roc_area

# by name, (resample, lead)
Scores = dict[str, np.ndarray]


def distribution_metrics(sums: Sums, members: Sequence[int | None]) -> Scores:
    """Decomposed CRPS, reliability index, and scores of differences and of the wind vector.

    `members` tells their number at each lead, None where it differs between cases: what needs
    tables of one size is NaN there.
    """
    shape = sums["weight_sum"].shape
    scores: Scores = {}
    if "parts_sum" in sums:
        reliability, potential = np.full((2, *shape), np.nan)
        for lead, count in enumerate(members):
            if count:
                reliability[:, lead], potential[:, lead] = crps_decomposition(
                    sums["parts_sum"][:, lead, :, :count],
                    sums["weight_sum"][:, lead],
                    sums["below_all_sum"][:, lead],
                    sums["above_all_sum"][:, lead],
                )
        scores |= {"crps_reliability": reliability, "crps_potential": potential}
        scores["rank_index"] = np.stack(
            [
                reliability_index(sums["rank_counts"][:, lead, : count + 1])
                if count
                else np.full(shape[0], np.nan)
                for lead, count in enumerate(members)
            ],
            axis=1,
        )
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


def event_metrics(
    sums: Sums, members: Sequence[int | None], thresholds: Sequence[float], widths: Sequence[int]
) -> Scores:
    """Scores of "at least so much" for each threshold, its value at the end of the name.

    `fss_20_9` is the fractions skill score of at least 20 in boxes of 9 points; `pmm_` stands
    before scores of the probability-matched mean.
    """
    scores: Scores = {}
    for index, threshold in enumerate(thresholds):
        ending = f"{threshold:g}"
        of_threshold = {
            name: sums[name][:, :, index]
            for name in sums
            if name.startswith(("threshold_weighted", "probability", "fss", "pmm_f", "pmm_h"))
        }
        weight = sums["weight_sum"]
        for kind in ("fair", "standard"):
            total = of_threshold[f"threshold_weighted_{kind}_sum"]
            scores[f"crps_{kind}_above_{ending}"] = ratio(total, weight)
        for name, values in _probability_scores(of_threshold, members, weight).items():
            scores[f"{name}_{ending}"] = values
        for before in ("", "pmm_"):
            difference, reference = (
                of_threshold[f"{before}fss_{part}_sum"] for part in ("difference", "reference")
            )
            for position, width in enumerate(widths):
                scores[f"{before}fss_{ending}_{width}"] = fractions_skill_score(
                    difference[:, :, position], reference[:, :, position]
                )
        warned, hits = of_threshold["pmm_forecast_sum"], of_threshold["pmm_hit_sum"]
        events = of_threshold["probability_event_sum"].sum(-1)
        scores[f"pmm_csi_{ending}"] = ratio(hits, warned + events - hits)
        scores[f"pmm_frequency_bias_{ending}"] = ratio(warned, events)
    if thresholds:
        scores["pmm_rmse"] = np.sqrt(ratio(sums["pmm_squared_error_sum"], sums["weight_sum"]))
    return scores


def _probability_scores(sums: Sums, members: Sequence[int | None], weight: np.ndarray) -> Scores:
    """The Brier score, standard and fair, its parts, and the area under the ROC.

    The fair one (Ferro 2008, doi:10.1175/2007WAF2006105.1) takes off p (1 - p) / (M - 1), and so
    does not depend on the number of members.
    """
    names = ("brier", "brier_fair", "brier_reliability", "brier_resolution", "brier_uncertainty")
    scores = {name: np.full(weight.shape, np.nan) for name in (*names, "roc_area", "base_rate")}
    for lead, count in enumerate(members):
        everywhere = sums["probability_weight_sum"][:, lead]
        with_event = sums["probability_event_sum"][:, lead]
        scores["base_rate"][:, lead] = ratio(with_event.sum(-1), weight[:, lead])
        if not count:
            continue
        everywhere, with_event = everywhere[:, : count + 1], with_event[:, : count + 1]
        score, dispersion = brier_sums(everywhere, with_event, np.array(count))
        scores["brier"][:, lead] = ratio(score, weight[:, lead])
        fair = score - dispersion / max(count - 1, 1)
        scores["brier_fair"][:, lead] = ratio(fair, weight[:, lead])
        parts = brier_decomposition(everywhere, with_event)
        for name, values in zip(names[2:], parts, strict=True):
            scores[name][:, lead] = values
        scores["roc_area"][:, lead] = roc_area(everywhere, with_event)
    return scores
