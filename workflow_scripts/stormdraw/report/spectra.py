"""Power spectra of members, mean and truth."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from stormdraw.report.score_files import ScoreFiles
from stormdraw.report.style import WIDTH, describe, drawn, legend_of, looks, panels, write_gap
from stormdraw.report.wording import plural, units_text
from stormdraw.scores.spectra import wavelengths
from stormdraw.settings import Settings
from stormdraw.variables import scored_variables

TITLE = "Power spectra"

_COLUMNS = 4


def draw_spectra(
    settings: Settings, score_paths: Mapping[str, Sequence[str | Path]], output: str | Path
) -> None:
    """Draw a panel for each variable: variance over that of the truth, by wavelength."""
    pooled = ScoreFiles.of(score_paths).tables
    shown = {key: tables for key, tables in pooled.items() if has_spectrum(tables)}
    names = [
        name
        for name in scored_variables(list(settings.variables))
        if any(name == other for other, _ in shown)
    ]
    if not names:
        write_gap(output, TITLE, "No field is whole: a spectrum needs every point.")
        return
    length, spacing = wavelengths_of(next(iter(score_paths.values()))[0])
    cases = plural(max(len(paths) for paths in score_paths.values()), "case")
    columns = min(_COLUMNS, len(names))
    height = 0.75 + 2.0 * -(-len(names) // columns)
    with drawn(output, (WIDTH * max(columns, 2) / _COLUMNS, height), TITLE) as figure:
        each, lowest = panels(figure, len(names), columns)
        for axes, name in zip(each, names, strict=True):
            for system in [s.name for s in settings.ensembles.systems if (name, s.name) in shown]:
                spectrum_lines(axes, shown[name, system], length, system, settings)
            axes.axhline(1.0, color="#111111", linewidth=0.8)
            axes.set(title=f"{name}  ({units_text(name)})", xscale="log", yscale="log")
            axes.set_ylim(1e-3, 10.0)
            axes.set_xlim(length.max(), 2.0 * spacing)
            if axes in lowest:
                axes.set_xlabel("wavelength (km)")
        legend_of(figure, each, settings, f"Variance over the truth's · thin: mean · {cases}")
        describe(
            figure,
            f"Variance at each wavelength over that of the truth, of members and of the mean, for "
            f"{', '.join(names)}; all leads and {cases}.",
        )


def relative_spectrum(tables: xr.Dataset, kind: str) -> np.ndarray:
    """Variance of the `members` or of the `mean` over the truth's, (wavenumber,); NaN over 0."""
    truth = tables["spectrum_truth"].values
    own = tables[f"spectrum_{kind}"].values
    return np.divide(own, truth, out=np.full(own.shape, np.nan), where=truth > 0.0)


def has_spectrum(tables: xr.Dataset) -> bool:
    """Whether any field was whole."""
    return "spectrum_fields" in tables and int(tables["spectrum_fields"]) > 0


def wavelengths_of(path: str | Path) -> tuple[np.ndarray, float]:
    """Wavelength of each band and the grid's spacing, in km, from a score file."""
    with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as statistics:
        rows, columns, metres = (
            int(statistics.attrs[key]) for key in ("grid_rows", "grid_columns", "grid_spacing")
        )
    return wavelengths((rows, columns), metres / 1000.0), metres / 1000.0


def spectrum_lines(
    axes: Axes, tables: xr.Dataset, length: np.ndarray, system: str, settings: Settings
) -> None:
    """Draw the members\' variance over the truth\'s, and the mean\'s where it is another field."""
    look = looks(settings)[system]
    style: dict[str, Any] = {"color": look.colour, "linestyle": look.dash}
    axes.plot(length, relative_spectrum(tables, "members"), **style, linewidth=1.2, label=system)
    if tables.attrs["members"] > 1:
        axes.plot(length, relative_spectrum(tables, "mean"), **style, linewidth=0.5)
