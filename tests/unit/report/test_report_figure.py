"""Figures are found by their files, and say everything that they are made from."""

import copy
import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from docutils.core import publish_parts
from report_page import Drawn
from report_run import DEMO

from stormdraw.report.figure import as_rst, figure_paths, figures, settings_of
from stormdraw.report.style import read_label
from stormdraw.settings import load_settings

# Warnings of docutils become errors.
STRICT = {"report_level": 2, "halt_level": 2}

OF_THE_RUN = [
    name for name, figure in figures().items() if figure.each != "model" and not figure.over_time
]


def test_a_file_of_the_folder_is_a_figure() -> None:
    folder = Path(__file__).parents[3] / "workflow_scripts" / "stormdraw" / "report" / "figures"
    assert set(figures()) == {path.stem for path in folder.glob("*.py")} - {"__init__"}


def test_variables_and_models_have_figures_of_their_own() -> None:
    paths = figure_paths(figures(), ["T2M", "REFC"], ["small"])
    assert paths["variables/REFC"] == ("variable", "REFC")
    assert paths["models/small/diagnosis"] == ("diagnosis", "small")
    assert paths["crps_maps"] == ("crps_maps", "")
    assert "models/small/crps_maps" not in paths


@pytest.mark.parametrize("name", sorted(figures()))
def test_captions_are_valid_rst_with_every_word(name: str) -> None:
    figure = figures()[name]
    body = publish_parts(as_rst(figure), writer="html5", settings_overrides=STRICT)["body"]
    words = " ".join(html.unescape(re.sub(r"<[^>]*>", "", body)).split())
    assert words == f"{figure.title}. {figure.caption}"


def test_a_figure_names_every_key_and_every_file_that_it_reads(
    demo_drawn: dict[str, Drawn],
) -> None:
    assert {one.figure for one in demo_drawn.values()} == set(OF_THE_RUN)
    for path, one in demo_drawn.items():
        figure = figures()[one.figure]
        assert one.files == set(figure.reads), path
        assert one.keys <= set(figure.settings), path


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config.update(title="Another"),
        lambda config: config["report"].update(products_of="href"),
    ],
)
def test_a_title_or_the_products_change_no_picture(
    change: Callable[[dict[str, Any]], None],
) -> None:
    config = {**copy.deepcopy(DEMO), "report": {}}
    before = load_settings(copy.deepcopy(config))
    change(config)
    after = load_settings(config)
    for figure in figures().values():
        assert settings_of(figure, before) == settings_of(figure, after)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("crps_maps", ["CRPS of REFC", "ddpm_residual", "persistence"]),
        ("training_curves", ["ddpm_residual", "loss"]),
        ("variables/REFC", ["Composite radar reflectivity (REFC), 2 cases", "CRPS: low is good"]),
    ],
)
def test_each_says_what_it_shows(
    path: str, words: list[str], demo_figures: dict[str, Path]
) -> None:
    label = read_label(demo_figures[path])
    assert not label.gap
    for word in words:
        assert word in label.description
