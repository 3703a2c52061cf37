"""Figures as they stand inside the page."""

import re
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from stormdraw.report.embedded import data_uri, embed
from stormdraw.report.style import describe, drawn, write_gap


@pytest.fixture
def svg(tmp_path: Path) -> Path:
    """A line of a hundred points."""
    with drawn(tmp_path / "figure.svg", (3.0, 2.0), "A title") as figure:
        figure.subplots().plot(np.arange(100), np.sin(np.arange(100)))
        describe(figure, "A wave.")
    return tmp_path / "figure.svg"


def test_what_is_written_can_be_read_back() -> None:
    text = "a,\"b\" & 'c' <d> #1 50% https://e.org ///f url(x)\nß"
    uri = str(data_uri(text, "text/csv;charset=utf-8"))
    head, _, content = uri.partition(",")
    assert head == "data:text/csv;charset=utf-8"
    assert unquote(content) == text
    # It ends no attribute, begins no entity or fragment and is no address.
    assert not [part for part in ('"', "&", "#", "\n", "//", "url(") if part in content]


def test_a_figure_is_the_same_picture_in_fewer_bytes(svg: Path) -> None:
    found = embed("training_curves", svg)
    assert found.data is not None
    head, _, content = str(found.data).partition(",")
    assert head == "data:image/svg+xml"
    text = unquote(content)
    assert len(text) < 0.8 * len(svg.read_text())
    assert '"' not in text
    sizes = [re.findall("viewBox=['\"](.*?)['\"]", one) for one in (text, svg.read_text())]
    assert sizes[0] == sizes[1] != []
    assert (found.alternative, found.width) == ("A wave.", 288)


def test_without_a_figure_there_is_a_reason(tmp_path: Path) -> None:
    write_gap(tmp_path / "gap.svg", "Training", "No model was trained.")
    for path, reason in (
        (None, "This run has not made this figure."),
        (tmp_path / "gap.svg", "No model was trained."),
    ):
        found = embed("training_curves", path)
        assert (found.data, found.alternative, found.width) == (None, reason, 0)
