"""The figures that are made from tables of the score files."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from report_run import Run

from stormdraw.report.crps_maps import draw_crps_maps
from stormdraw.report.event_forecasts import draw_event_forecasts, read_events
from stormdraw.report.fractions_skill import draw_fractions_skill, read_skills
from stormdraw.report.spectra import draw_spectra, relative_spectrum
from stormdraw.report.spread_bins import draw_spread_bins, relation
from stormdraw.report.style import read_label


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        ("event_forecasts", ["REFC >= 20", "reliability diagram", "performance", "2 cases"]),
        ("fractions_skill", ["REFC >= 20", "neighbourhood", "2 cases"]),
        ("spread_bins", ["REFC, T2M, U10, V10", "1:1 line"]),
        ("spectra", ["REFC, T2M", "wavelength"]),
        ("crps_maps", ["CRPS of REFC", "ddpm_residual", "persistence"]),
    ],
)
def test_each_says_what_it_shows(
    figure: str, words: list[str], demo_figures: dict[str, Path]
) -> None:
    label = read_label(demo_figures[figure])
    assert not label.gap
    for word in words:
        assert word in label.description


def test_events_are_those_the_truth_reached(demo_run: Run) -> None:
    events = read_events(demo_run.scores)
    assert {name for name, _ in events} == {"REFC"}
    for (_, threshold), tables in events.items():
        assert threshold in (20.0, 30.0, 40.0)
        # Mean and spread alone give no members to count.
        assert "href_mean_spread" not in tables
        assert len(tables["href"][0]) == 11
        for everywhere, with_event in tables.values():
            assert (with_event <= everywhere + 1e-9).all()


def test_wider_boxes_forgive_more(demo_run: Run) -> None:
    for by_system in read_skills(demo_run.scores).values():
        ensemble, _ = by_system["perfect"]
        assert ensemble[-1] > ensemble[0]


def test_relation_of_spread_and_error_by_hand() -> None:
    tables = xr.Dataset(
        {
            "spread_bin_weight_sum": ("spread_bin", [0.0, 10.0, 5.0]),
            "spread_bin_variance_sum": ("spread_bin", [0.0, 15.0, 60.0]),
            "spread_bin_squared_error_sum": ("spread_bin", [0.0, 40.0, 80.0]),
        },
        attrs={"members": 3},
    )
    spread, error = relation(tables)
    np.testing.assert_allclose(spread, np.sqrt([2.0, 16.0]))
    np.testing.assert_allclose(error, np.sqrt([4.0, 16.0]))


def test_relative_spectrum_by_hand() -> None:
    tables = xr.Dataset(
        {
            "spectrum_members": ("wavenumber", [0.0, 3.0, 2.0]),
            "spectrum_truth": ("wavenumber", [0.0, 2.0, 4.0]),
        }
    )
    np.testing.assert_array_equal(relative_spectrum(tables, "members"), [np.nan, 1.5, 0.5])


def test_nothing_to_show_is_a_stated_gap(demo_run: Run, tmp_path: Path) -> None:
    only = {"href_mean_spread": demo_run.scores["href_mean_spread"]}
    draw_event_forecasts(demo_run.settings, only, tmp_path / "events.svg")
    draw_fractions_skill(demo_run.settings, only, tmp_path / "skill.svg")
    draw_spectra(demo_run.settings, only, tmp_path / "spectra.svg")
    single = {"persistence": demo_run.scores["persistence"]}
    draw_spread_bins(demo_run.settings, single, tmp_path / "bins.svg")
    draw_crps_maps(demo_run.settings, only, demo_run.ensembles["href"][0], tmp_path / "maps.svg")
    for name in ("events", "skill", "spectra", "bins", "maps"):
        assert read_label(tmp_path / f"{name}.svg").gap, name
