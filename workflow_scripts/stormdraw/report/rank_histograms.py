"""Rank histograms: where the truth falls among the sorted members."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from scipy import stats

from stormdraw.report.style import NOTE_COLOUR, WIDTH, describe, drawn, looks, write_gap
from stormdraw.report.wording import plural
from stormdraw.scores.pit_histograms import pit_histograms
from stormdraw.scores.rank_histograms import rank_histograms
from stormdraw.settings import Settings
from stormdraw.variables import scored_variables

TITLE = "Rank histograms"

# Bars above this many times the flat line are cut off and labelled with their height.
_TALLEST = 4.0

_BAND = 0.95


@dataclass(frozen=True)
class RankHistogram:
    """How often the truth had each rank among `members` members, over all points.

    `counts` (rank,) has members + 1 entries; without members they are those of the probability
    integral transform, in bins of equal width. `fields` is how many fields (a case at a lead) they
    come from, and `all_fields` how many there are: ensembles of another size cannot be added.
    """

    counts: np.ndarray
    members: int
    fields: int
    all_fields: int

    def relative(self) -> np.ndarray:
        """Frequencies as multiples of the flat histogram's, (rank,)."""
        return self.counts * len(self.counts) / self.counts.sum()

    def sampling_band(self) -> tuple[float, float]:
        """Where 95 % of a calibrated ensemble's bars lie, as multiples of the flat line.

        A bar's count is binomial *if all points are independent*. Neighbouring points and following
        hours are not, so the true band is wider.
        """
        total = int(self.counts.sum())
        flat = 1.0 / len(self.counts)
        low, high = stats.binom.interval(_BAND, total, flat)
        return float(low) / (total * flat), float(high) / (total * flat)


def draw_rank_histograms(
    settings: Settings, score_paths: Mapping[str, Sequence[str | Path]], output: str | Path
) -> None:
    """Draw the rank histogram of each system and variable, all leads and cases summed.

    `score_paths` gives the files of sufficient statistics of each system, one a case.
    """
    histograms = read_histograms(score_paths) if score_paths else {}
    systems = [
        system.name
        for system in settings.ensembles.systems
        if any(system.name == other for _, other in histograms)
    ]
    variables = [
        name
        for name in scored_variables(list(settings.variables))
        if any(name == other for other, _ in histograms)
    ]
    if not histograms:
        write_gap(output, TITLE, "No system has two members or a spread: no ranks.")
        return
    tallest = max(histogram.relative().max() for histogram in histograms.values())
    top = float(np.clip(np.ceil(tallest), 2.0, _TALLEST))
    without = [system for system in score_paths if system not in systems]
    cases = plural(max(len(paths) for paths in score_paths.values()), "case")
    width = WIDTH * float(np.clip((len(systems) + 0.4) / 4.4, 0.6, 1.0))
    with drawn(output, (width, 0.6 + 1.02 * len(variables)), TITLE) as figure:
        grid = figure.subplots(len(variables), len(systems), squeeze=False, sharey=True)
        for row, name in zip(grid, variables, strict=True):
            for axes, system in zip(row, systems, strict=True):
                _panel(axes, histograms.get((name, system)), looks(settings)[system].colour, top)
            row[0].set_ylabel(name, weight="bold")
        for axes, system in zip(grid[0], systems, strict=True):
            axes.set_title(system)
        note = f"\nno ranks: {', '.join(without)}" if without else ""
        figure.suptitle(
            f"Frequency of each rank of the truth, in multiples of flat · all leads, {cases}{note}",
            x=0.01,
            ha="left",
        )
        gaussian = any(not histogram.members for histogram in histograms.values())
        figure.supxlabel(
            "rank of the truth among the members"
            + (", or its place (0 to 1) in the distribution" if gaussian else ""),
            fontsize=8,
            color="#333333",
        )
        describe(
            figure,
            f"Rank histograms of {', '.join(systems)} for {', '.join(variables)}, with a flat "
            f"line and the band of sampling error; all leads and {cases} summed.",
        )


def read_histograms(
    score_paths: Mapping[str, Sequence[str | Path]],
) -> dict[tuple[str, str], RankHistogram]:
    """Ranks of each (variable, system), or of one known by mean and spread its place in between."""
    paths = {system: [Path(path) for path in of_one] for system, of_one in score_paths.items()}
    histograms = read_ranks(score_paths)
    for key, (counts, fields) in pit_histograms(paths).items():
        histograms[key] = RankHistogram(counts, 0, fields, fields)
    return histograms


def read_ranks(
    score_paths: Mapping[str, Sequence[str | Path]],
) -> dict[tuple[str, str], RankHistogram]:
    """The rank histogram of each (variable, system), over all leads and cases.

    Those without ranks are left out: a single member has none worth a look, nor has a mean with a
    spread. Raises StormdrawError if the systems cannot be compared.
    """
    pooled = rank_histograms(
        {system: [Path(path) for path in paths] for system, paths in score_paths.items()}
    )
    histograms = {}
    for system in pooled["system"].values:
        all_fields = len(score_paths[str(system)]) * pooled.sizes["lead"]
        for name in pooled["variable"].values:
            histogram = _over_leads(pooled.sel(system=system, variable=name), all_fields)
            if histogram is not None:
                histograms[str(name), str(system)] = histogram
    return histograms


def _over_leads(by_lead: xr.Dataset, all_fields: int) -> RankHistogram | None:
    """Sum `rank_counts` (lead, rank) over the leads with the size that most fields have."""
    sizes = by_lead["members"].values
    fields_of = {
        int(size): int(by_lead["cases"].values[sizes == size].sum())
        for size in np.unique(sizes)
        if size >= 2
    }
    if not fields_of:
        return None
    members = max(fields_of, key=lambda size: (fields_of[size], size))
    counts = by_lead["rank_counts"].values[sizes == members, : members + 1].sum(axis=0)
    return RankHistogram(counts, members, fields_of[members], all_fields)


def _panel(axes: Axes, histogram: RankHistogram | None, colour: str, top: float) -> None:
    axes.grid(visible=False)
    axes.set_ylim(0.0, top)
    axes.set_yticks(np.arange(top + 1))
    if histogram is None:
        axes.set_xticks([])
        axes.text(0.5, 0.5, "not there", transform=axes.transAxes, ha="center", color=NOTE_COLOUR)
        return
    heights = histogram.relative()
    axes.stairs(
        np.minimum(heights, top),
        np.arange(len(heights) + 1) - 0.5,
        fill=True,
        color=colour,
        alpha=0.6,
        linewidth=0,
    )
    low, high = histogram.sampling_band()
    axes.axhspan(low, high, color="#111111", alpha=0.18, linewidth=0, zorder=2)
    axes.axhline(1.0, color="#111111", linewidth=0.8)
    for rank in np.flatnonzero(heights > top):
        _label_cut_bar(axes, int(rank), float(heights[rank]), len(heights) - 1, top)
    last = len(histogram.counts) - 1
    axes.set_xlim(-0.5, last + 0.5)
    if histogram.members:
        axes.set_xticks([0, last])
    else:
        axes.set_xticks([-0.5, last + 0.5], ["0", "1"])
    if histogram.fields < histogram.all_fields:
        axes.text(
            0.5,
            0.97,
            f"{histogram.members} members: {histogram.fields} of {histogram.all_fields} fields",
            transform=axes.transAxes,
            ha="center",
            va="top",
            fontsize=6,
            color=NOTE_COLOUR,
        )


def _label_cut_bar(axes: Axes, rank: int, height: float, members: int, top: float) -> None:
    left = rank <= members / 2
    axes.text(
        rank + (0.02 if left else -0.02) * members,
        top * 0.98,
        f" {height:.1f} ",
        ha="left" if left else "right",
        va="top",
        fontsize=6.5,
        color=NOTE_COLOUR,
    )
