"""The tables and the figure of docs/twin.md, from the results of `make twin`.

    python tests/benchmarks/twin_table.py docs/twin.md

Run it in the folder of the results. What lies between the page's two marks is written anew.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow_scripts"))

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from timing import table

from stormdraw.report.panels.spectra import relative_spectrum, wavelengths_of
from stormdraw.scores.against_perfect import against_perfect
from stormdraw.scores.summary import read_summary
from stormdraw.settings import Settings, load_settings, load_yaml
from stormdraw.variables import DEFAULT_STATE as NAMES

CONFIGURATION = Path(__file__).parents[2] / "config" / "twin.yaml"
RESULTS = Path("results")
FULL = ("crps_unet_driven", "lagged", "climatology", "persistence")
DRAWN = ("crps_unet_driven", "ablation_no_spectral", "ablation_no_rollout")
# Wavelengths in points: where members were too rough, and what the goal begins at.
BANDS = ((2.0, 2.8), (4.0, 5.7), (8.0, 16.0))
_MARKED = re.compile(r"(<!-- tables -->\n).*(<!-- end of tables -->)", re.DOTALL)


def ratios(settings: Settings) -> pd.DataFrame:
    """CRPS over the perfect ensemble's and spread-error ratio, by system, variable and lead."""
    perfect = settings.perfect_system()
    assert perfect is not None
    return against_perfect(read_summary(RESULTS / "scores" / "summary.csv"), perfect).set_index(
        ["system", "lead_hours", "variable"]
    )


def full_table(of_all: pd.DataFrame, settings: Settings) -> str:
    """Each variable by itself, spread-error ratios in brackets."""
    rows = []
    for system in FULL:
        for lead in settings.leads:
            cells = [_cell(of_all.loc[system, lead, name]) for name in NAMES]
            rows.append([system if lead == settings.leads[0] else "", str(lead), *cells])
    return table(["system", "lead (h)", *NAMES], rows)


def _cell(row: pd.Series) -> str:
    spread = row["spread_error_ratio"]
    return f"{row['crps_ratio']:.2f}" + ("" if np.isnan(spread) else f" ({spread:.2f})")


def ingredient_table(of_all: pd.DataFrame, settings: Settings, systems: Sequence[str]) -> str:
    """Means over the variables: geometric of ratios, and of spread-error ratios at all leads."""
    rows = []
    for system in systems:
        crps = [
            _geometric_mean([of_all.loc[system, lead, name]["crps_ratio"] for name in NAMES])
            for lead in settings.leads
        ]
        spreads = [
            of_all.loc[system, lead, name]["spread_error_ratio"]
            for lead in settings.leads
            for name in NAMES
        ]
        waves = [_geometric_mean(_member_variance(system, band)) for band in BANDS]
        rows.append(
            [
                system,
                *(f"{value:.3f}" for value in crps),
                f"{_geometric_mean(spreads):.2f}",
                *(f"{value:.2f}" for value in waves),
            ]
        )
    leads = [f"{lead} h" for lead in settings.leads]
    bands = [f"{short:g}-{long:g} points" for short, long in BANDS]
    return table(["model", *leads, "spread-error", *bands], rows)


def _geometric_mean(values: Sequence[float]) -> float:
    return float(np.exp(np.mean(np.log(values))))


def _sums(system: str) -> tuple[xr.Dataset, Path]:
    """The spectra of all cases together, (variable, lead, wavenumber)."""
    files = sorted((RESULTS / "scores" / system).glob("*.nc"))
    wanted = ["spectrum_members", "spectrum_mean", "spectrum_truth"]
    cases = []
    for path in files:
        with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as case:
            cases.append(case[wanted].load())
    return sum(cases[1:], start=cases[0]), files[0]


def _member_variance(system: str, band: tuple[float, float]) -> list[float]:
    """Variance of the members over the truth's between two wavelengths in points, all leads."""
    sums, file = _sums(system)
    length, spacing = wavelengths_of(file)
    inside = (length >= band[0] * spacing) & (length < band[1] * spacing)
    of_band = sums.isel(wavenumber=inside).sum(("wavenumber", "lead"))
    share = of_band["spectrum_members"] / of_band["spectrum_truth"]
    return [float(share.sel(variable=name)) for name in NAMES]


def draw(path: Path, lead: int) -> None:
    """A panel a variable: the members' variance over the truth's by wavelength."""
    mpl.rcParams["svg.hashsalt"] = "stormdraw"
    figure, axes = plt.subplots(2, 4, figsize=(11, 5), sharey=True, layout="constrained")
    for system in DRAWN:
        sums, file = _sums(system)
        length, spacing = wavelengths_of(file)
        for panel, name in zip(axes.flat, NAMES, strict=False):
            ratio = relative_spectrum(sums.sel(variable=name, lead=lead), "members")
            panel.plot(length / spacing, ratio, linewidth=1.0, label=system)
    for panel, name in zip(axes.flat, NAMES, strict=False):
        panel.axhspan(0.8, 1.25, color="0.9", zorder=0)
        panel.set(title=name, xscale="log", yscale="log", xlim=(100.0, 2.0), ylim=(0.1, 30.0))
        panel.set_xticks([64, 32, 16, 8, 4, 2], ["64", "32", "16", "8", "4", "2"])
        panel.minorticks_off()
    axes.flat[-1].axis("off")
    axes.flat[-1].legend(*axes.flat[0].get_legend_handles_labels(), loc="center", frameon=False)
    figure.supxlabel("wavelength (points of 3 km)")
    figure.supylabel(f"variance of members / the truth's, {lead} h")
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main(page: Path) -> None:
    settings = load_settings(load_yaml(CONFIGURATION))
    of_all = ratios(settings)
    written = (
        full_table(of_all, settings)
        + "\nGeometric means over the seven variables; `ablation_*` are at the same budget:\n\n"
        + ingredient_table(of_all, settings, settings.model_names)
    )
    text, found = _MARKED.subn(
        lambda marks: marks[1] + "\n" + written + "\n" + marks[2], page.read_text()
    )
    if not found:
        sys.exit(f"{page}: has no marks <!-- tables --> and <!-- end of tables -->; add them")
    page.write_text(text)
    draw(page.with_suffix(".svg"), settings.leads[-1])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
