"""Figures and tables of a model's diagnosis, from a file made by hand."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from report_page import Page, write_page
from report_run import Run

from stormdraw.errors import StormdrawError
from stormdraw.report.diagnoses import diagnosis_tables, read_diagnosis, sample_of
from stormdraw.report.figures.diagnosis import draw_diagnosis
from stormdraw.report.figures.sampling_path import draw_sampling_path
from stormdraw.report.style import read_label

NAMES = ["REFC", "T2M"]


def write_diagnosis(path: Path, denoises: bool = True, shuffled: float = 3.0, **notes: Any) -> Path:
    """Two variables; the condition of another case makes T2M `shuffled` times as bad."""
    random = np.random.default_rng(2)
    bands = np.array([60.0, 20.0, 12.0, 8.0, 6.0])
    spectrum = np.stack([bands, bands])
    dataset = xr.Dataset(
        {
            "crps": (("condition", "variable"), [[4.0, 0.5], [8.0, 0.5 * shuffled]]),
            "persistence_error": ("variable", [6.0, 1.0]),
            "impossible_share": (
                ("stage", "variable"),
                [[0.0, 0.0], [0.252, 0.0], [0.2, 0.0], [0.0, 0.0]],
            ),
            "spectrum_truth": (("variable", "wavenumber"), spectrum),
            "spectrum_members": (("variable", "wavenumber"), 0.5 * spectrum),
            "spectrum_change_truth": (("variable", "wavenumber"), 0.0 * spectrum),
            "spectrum_change_members": (("variable", "wavenumber"), spectrum),
        },
        coords={
            "variable": NAMES,
            "condition": ["right", "shuffled"],
            "stage": ["truth", "drawn", "drawn_beyond_precision", "bounded"],
            "wavelength": ("wavenumber", bands),
        },
        attrs={
            "model": "ddpm_residual",
            "period": "validation",
            "initial_times": "2026060100 2026060106",
            "members": 4,
            "sampling": "DPM-Solver++ in 8 steps",
            "grid_spacing_km": 3.0,
            **notes,
        },
    )
    if denoises:
        error = np.array([[[0.01, 0.02], [0.3, 0.4]], [[0.02, 0.02], [0.9, 0.9]]])
        rungs = random.normal(size=(4, 2, 6, 8))
        dataset = dataset.assign(
            denoising_error=(("condition", "level", "variable"), error),
            error_of_points=(("level", "variable"), [[0.05, 0.05], [1.0, 1.0]]),
            path_noisy=(("rung", "variable", "y", "x"), rungs),
            path_estimate=(("rung", "variable", "y", "x"), 280.0 + rungs),
            path_target=(("variable", "y", "x"), rungs[0]),
            path_truth=(("variable", "y", "x"), 280.0 + rungs[0]),
        ).assign_coords(
            noise_over_signal=("level", [0.1, 10.0]),
            path_noise_over_signal=("rung", [20000.0, 2.5, 0.03, 0.0]),
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.to_netcdf(path, engine="netcdf4")
    return path


def drawn_texts(path: Path) -> list[str]:
    """What is written on a figure: matplotlib keeps it as comments."""
    return re.findall("<!-- (.*?) -->", path.read_text())


def test_the_figure_has_panels_of_noise_spectra_and_impossible_points(tmp_path: Path) -> None:
    path = write_diagnosis(tmp_path / "diagnosis.nc")
    draw_diagnosis(path, tmp_path / "diagnosis.svg")
    texts = drawn_texts(tmp_path / "diagnosis.svg")
    for expected in (
        "Mean squared denoising error of a target of variance 1, at 2 noise levels",
        "Variance of members one hour ahead over the variance of the truth",
        "Is the condition used?",
        "Impossible points",
        "shuffled",
        "REFC (dBZ)",
        "wavelength (km)",
    ):
        assert expected in texts
    label = read_label(tmp_path / "diagnosis.svg")
    assert label.title == "Diagnosis of ddpm_residual"
    assert "2 pairs of hours of the validation period; 4 members each" in label.description
    draw_sampling_path(path, tmp_path / "path.svg")
    texts = drawn_texts(tmp_path / "path.svg")
    headings = [text for text in texts if text in ("noise", "sample", "truth")]
    assert list(dict.fromkeys(headings)) == ["noise", "sample", "truth"]
    assert any("2.50" in text for text in texts)
    assert not read_label(tmp_path / "path.svg").gap


def test_hours_of_the_training_period_are_described_as_seen(tmp_path: Path) -> None:
    path = write_diagnosis(tmp_path / "diagnosis.nc", period="training")
    assert "the model has seen; 4 members" in sample_of(read_diagnosis(path))


def test_a_one_step_model_has_no_denoising_error_and_no_sampling_path(tmp_path: Path) -> None:
    path = write_diagnosis(tmp_path / "diagnosis.nc", denoises=False, shuffled=float("nan"))
    draw_diagnosis(path, tmp_path / "diagnosis.svg")
    texts = drawn_texts(tmp_path / "diagnosis.svg")
    assert "Impossible points" in texts
    assert not any("denoising" in text for text in texts)
    draw_sampling_path(path, tmp_path / "path.svg")
    label = read_label(tmp_path / "path.svg")
    assert label.gap
    assert "one step" in label.description
    (_, rows), _ = diagnosis_tables(path)
    assert dict(rows)["T2M"] == "0.500 K; there is no other case"


def test_a_model_that_diverged_is_drawn_and_reported(tmp_path: Path) -> None:
    path = write_diagnosis(tmp_path / "whole.nc")
    with xr.open_dataset(path) as whole:
        whole.assign(crps=whole["crps"] * np.nan).to_netcdf(tmp_path / "nan.nc")
    (_, rows), _ = diagnosis_tables(tmp_path / "nan.nc")
    assert dict(rows)["T2M"] == "not a number: the model diverged"
    draw_diagnosis(tmp_path / "nan.nc", tmp_path / "nan.svg")
    assert not read_label(tmp_path / "nan.svg").gap


def test_a_diagnosis_without_data_is_a_stated_gap(tmp_path: Path) -> None:
    path = tmp_path / "diagnosis.nc"
    xr.Dataset(attrs={"model": "m", "gap": "no two hours"}).to_netcdf(path, engine="netcdf4")
    for draw in (draw_diagnosis, draw_sampling_path):
        draw(path, tmp_path / "gap.svg")
        assert read_label(tmp_path / "gap.svg").gap
        assert "no two hours" in read_label(tmp_path / "gap.svg").description
    assert diagnosis_tables(path) == []


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.nc").write_text("not NetCDF")
    xr.Dataset(attrs={"model": "m"}).to_netcdf(tmp_path / "other.nc", engine="netcdf4")
    for name in ("text.nc", "other.nc", "none.nc"):
        with pytest.raises(StormdrawError, match=name):
            draw_diagnosis(tmp_path / name, tmp_path / "out.svg")


def test_a_diagnosis_is_in_the_section_of_its_model(demo_run: Run, tmp_path: Path) -> None:
    path = write_diagnosis(tmp_path / "diagnosis.nc")
    draw_sampling_path(path, tmp_path / "path.svg")
    names = [f"models/ddpm_residual/{name}" for name in ("diagnosis", "sampling_path")]
    page = Page(
        write_page(
            demo_run,
            tmp_path / "page.html",
            models={"ddpm_residual": {"target": "residual"}, "ddpm_small": {"target": "block"}},
            diagnoses={"ddpm_residual": path},
            figures=dict.fromkeys(names, tmp_path / "path.svg"),
        )
    )
    pictures = [image["alt"] for image in page.all("img") if "svg" in image["src"][:20]]
    assert len(pictures) == 2
    assert "4.00 → 8.00 dBZ, 2.00 times" in page.text
    assert "0.500 → 1.50 K, 3.00 times" in page.text
    assert "25.2 % → 0 %" in page.text
    models = page.text[page.text.rindex("Losses and diagnosis of ddpm_residual") :]
    assert models.index("4.00 → 8.00") < models.index("ddpm_small")
    assert "Not diagnosed: its target is block, not the next hour." in models


def test_a_page_without_diagnoses_says_so(demo_page: Path) -> None:
    text = Page(demo_page).text
    assert text.count("Not diagnosed: this run did not include it.") == 2
