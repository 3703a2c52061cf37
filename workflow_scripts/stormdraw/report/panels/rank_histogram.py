"""Rank histogram: where the truth falls among the sorted members."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from scipy.special import bdtrik

from stormdraw.report.panel import Evidence, Panel

# Bars above this many times the flat line are beyond the axis.
_HIGHEST = 4.0

_BAND = 0.95


@dataclass(frozen=True)
class RankHistogram:
    """How often the truth had each rank, `counts` (rank,) over all points, cases and leads.

    Of M members there are M + 1 ranks. A system known by its mean and spread has bins of equal
    width of the probability integral transform instead (Dawid 1984, doi:10.2307/2981683).
    """

    counts: np.ndarray

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
        ends = (0.5 - _BAND / 2.0, 0.5 + _BAND / 2.0)
        low, high = (float(np.ceil(bdtrik(end, total, flat))) for end in ends)
        return low / (total * flat), high / (total * flat)


def histogram_of(tables: xr.Dataset) -> RankHistogram | None:
    """The histogram of one system; None of a single member, or where no point counts."""
    members = int(tables.attrs["members"])
    name = "rank_counts" if members else "pit_counts"
    if members == 1 or name not in tables or not int(tables[name].sum()):
        return None
    return RankHistogram(tables[name].values)


def _histograms(evidence: Evidence) -> dict[str, RankHistogram]:
    found = {system: histogram_of(tables) for system, tables in evidence.tables.items()}
    return {system: histogram for system, histogram in found.items() if histogram is not None}


def draw(axes: Axes, evidence: Evidence) -> None:
    """A step line for each system over the band of the one with the widest."""
    found = _histograms(evidence)
    low, high = max((one.sampling_band() for one in found.values()), key=lambda band: band[1])
    axes.axhspan(low, high, color="#F0C808", alpha=0.55, linewidth=0, zorder=0.5)
    for system, histogram in found.items():
        heights = histogram.relative()
        look = evidence.look(system)
        axes.stairs(
            np.minimum(heights, 2.0 * _HIGHEST),
            np.linspace(0.0, 1.0, len(heights) + 1),
            baseline=None,
            color=look.colour,
            linestyle=look.dash,
            linewidth=1.1,
        )
    axes.axhline(1.0, color="#111111", linewidth=0.6)
    highest = max(float(histogram.relative().max()) for histogram in found.values())
    axes.set(xlim=(0, 1), ylim=(0, min(_HIGHEST, max(2.0, 1.1 * highest))))
    axes.set(title="Rank histogram: flat", xlabel="rank of the truth (0: below all)")


PANEL = Panel(
    place=4,
    caption=(
        "Rank histogram: how often the truth lies below all members, above one of them, above two "
        "and so on, in multiples of the flat line of an ensemble whose members could be the truth. "
        "A U means too little spread, a dome too much, a slope a bias. Equal values, such as no "
        "echo at all, are ranked at random. The yellow band holds 95 % of the bars of a calibrated "
        "ensemble if all points were independent. They are not: storms span many points and hours, "
        "so the true band is much wider. A system known by its mean and spread has the probability "
        "integral transform, how much of its Gaussian lies below the truth. Rank histograms show "
        "calibration alone: a climatology can be flat."
    ),
    shows=lambda evidence: bool(_histograms(evidence)),
    draw=draw,
)
