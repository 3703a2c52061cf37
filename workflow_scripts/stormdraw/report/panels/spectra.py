"""Power spectra of members and mean over that of the truth."""

from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from stormdraw.report.panel import Evidence, Panel
from stormdraw.report.style import NOTE_COLOUR
from stormdraw.spectra import wavelengths


def relative_spectrum(tables: xr.Dataset, kind: str) -> np.ndarray:
    """Variance of the `members` or of the `mean` over the truth's, (wavenumber,); NaN over 0."""
    truth = tables["spectrum_truth"].values
    own = tables[f"spectrum_{kind}"].values
    return np.divide(own, truth, out=np.full(own.shape, np.nan), where=truth > 0.0)


def wavelengths_of(path: str | Path) -> tuple[np.ndarray, float]:
    """Wavelength of each band and the grid's spacing, in km, from a score file."""
    with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as statistics:
        rows, columns, metres = (
            int(statistics.attrs[key]) for key in ("grid_rows", "grid_columns", "grid_spacing")
        )
    return wavelengths((rows, columns), metres / 1000.0), metres / 1000.0


def _with_spectrum(evidence: Evidence) -> dict[str, xr.Dataset]:
    """The tables of the systems that have any spectrum."""
    return {
        system: tables
        for system, tables in evidence.tables.items()
        if "spectrum_fields" in tables and int(tables["spectrum_fields"]) > 0
    }


def draw(axes: Axes, evidence: Evidence) -> None:
    """Members thick, the mean thin where it is another field."""
    length, spacing = wavelengths_of(next(iter(evidence.files.values()))[0])
    for system, tables in _with_spectrum(evidence).items():
        style = evidence.line(system, marker="")
        axes.plot(length, relative_spectrum(tables, "members"), **style)
        if tables.attrs["members"] > 1:
            axes.plot(length, relative_spectrum(tables, "mean"), **style | {"linewidth": 0.5})
    axes.axhline(1.0, color=NOTE_COLOUR, linewidth=0.8)
    axes.set(title="Variance / the truth's", xscale="log", yscale="log", ylim=(1e-3, 10.0))
    axes.set_xlim(length.max(), 2.0 * spacing)
    axes.set_xlabel("wavelength (km)")


PANEL = Panel(
    place=10,
    caption=(
        "Variance at each wavelength in multiples of the truth's, from the discrete cosine "
        "transform. Members (thick, the first ten) belong on 1: below it they are too smooth, "
        "above it too noisy. The mean (thin) rightly falls off where members differ. A model of "
        "the weather, as the one behind an analysis, resolves no waves shorter than some six to "
        "eight of its own grid lengths. Where the truth has gaps, all fields have "
        "them: their edges add short waves to all."
    ),
    shows=lambda evidence: bool(_with_spectrum(evidence)),
    draw=draw,
)
