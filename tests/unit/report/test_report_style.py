import copy
import itertools
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from report_run import DEMO

from stormdraw.errors import StormdrawError
from stormdraw.report.style import (
    describe,
    drawn,
    lead_axis,
    looks,
    panels,
    read_label,
    write_gap,
)
from stormdraw.settings import Settings, load_settings


def settings_with(*extra: dict[str, Any]) -> Settings:
    config = copy.deepcopy(DEMO)
    config["ensembles"]["systems"] += extra
    return load_settings(config)


def draw(path: Path) -> None:
    with drawn(path, (3.0, 2.0), "A title") as figure:
        axes = figure.subplots()
        axes.plot([1, 2], [3, 4], label="ddpm_residual")
        axes.set_title("T2M & D2M <K>")
        describe(figure, "A line that rises from 3 to 4 & no more.")


def test_systems_look_different_in_colour_or_in_dash_and_marker() -> None:
    given = looks(settings_with())
    for one, other in itertools.combinations(given.values(), 2):
        assert (one.colour, one.dash, one.marker) != (other.colour, other.dash, other.marker)
    learnt = given["ddpm_residual"].colour
    assert learnt not in {given["href"].colour, given["persistence"].colour}


def test_a_further_system_changes_no_look() -> None:
    before = looks(settings_with())
    more = {"name": "small", "method": "diffusion", "model": "ddpm_small"}
    after = looks(settings_with(more))
    assert {name: after[name] for name in before} == before
    assert after["small"] != after["ddpm_residual"]


def test_an_uncalibrated_twin_is_drawn_as_its_system_but_dotted() -> None:
    model = {"name": "small", "method": "diffusion", "model": "ddpm_residual"}
    plain = looks(settings_with(model))
    config = copy.deepcopy(DEMO)
    config["ensembles"]["systems"].append({**model, "calibrate": True})
    periods = {"start": "2026-06-07T03:00", "end": "2026-06-07T20:00"}
    config["periods"]["training"]["end"] = "2026-06-06T23:00"
    given = looks(
        load_settings({**config, "periods": {**config["periods"], "validation": periods}})
    )
    assert {name: given[name] for name in plain} == plain
    assert set(given) == {*plain, "small_raw"}
    raw, calibrated = given["small_raw"], given["small"]
    assert (raw.colour, raw.marker) == (calibrated.colour, calibrated.marker)
    assert raw.dash != calibrated.dash


def test_colours_differ_for_all_kinds_of_colour_vision() -> None:
    # Luminance alone (a monochromat's view) must tell the learnt systems from the reference.
    def luminance(colour: str) -> float:
        red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    given = looks(settings_with())
    assert luminance(given["ddpm_residual"].colour) - luminance(given["href"].colour) > 0.2


def test_a_figure_is_valid_svg_with_the_same_bytes_again(tmp_path: Path) -> None:
    draw(tmp_path / "one.svg")
    draw(tmp_path / "two.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    root = ElementTree.parse(tmp_path / "one.svg").getroot()  # noqa: S314
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    # Glyphs as outlines: no font is asked for.
    assert not list(root.iter("{http://www.w3.org/2000/svg}text"))


def test_a_figure_loads_nothing(tmp_path: Path) -> None:
    draw(tmp_path / "figure.svg")
    root = ElementTree.parse(tmp_path / "figure.svg").getroot()  # noqa: S314
    targets = [
        value
        for element in root.iter()
        for name, value in element.attrib.items()
        if name.endswith(("href", "src"))
    ]
    assert targets
    assert all(target.startswith("#") for target in targets)
    assert not re.search(r"url\((?!#)", (tmp_path / "figure.svg").read_text())


def test_a_figure_says_what_it_shows(tmp_path: Path) -> None:
    draw(tmp_path / "figure.svg")
    label = read_label(tmp_path / "figure.svg")
    assert label.title == "A title"
    assert label.description == "A line that rises from 3 to 4 & no more."
    assert not label.gap
    assert label.width == 288  # 3 inches of 96 pixels


def test_a_gap_says_why(tmp_path: Path) -> None:
    write_gap(tmp_path / "gap.svg", "Training", "No model was trained.")
    label = read_label(tmp_path / "gap.svg")
    assert label.gap
    assert label.description == "No model was trained."
    assert "No model was trained." in (tmp_path / "gap.svg").read_text()


def test_a_figure_without_an_alternative_text_is_not_written(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match="alternative text"),
        drawn(tmp_path / "figure.svg", (3.0, 2.0), "A title") as figure,
    ):
        figure.subplots()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["not xml", "<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_another_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "figure.svg").write_text(content)
    with pytest.raises(StormdrawError, match=r"figure\.svg"):
        read_label(tmp_path / "figure.svg")


def test_panels_fill_rows_and_name_the_lowest(tmp_path: Path) -> None:
    with drawn(tmp_path / "figure.svg", (4.0, 3.0), "Panels") as figure:
        axes, lowest = panels(figure, 5, 3)
        assert len(axes) == 5
        # Rows of 3 and 2: under the third there is nothing, so it needs its own label.
        assert [axes.index(one) for one in lowest] == [2, 3, 4]
        describe(figure, "Five panels.")


@pytest.mark.parametrize(
    ("leads", "ticks"), [([1], [1]), (list(range(1, 25)), list(range(1, 25, 3)))]
)
def test_lead_axis_has_room_for_its_ticks(
    tmp_path: Path, leads: list[int], ticks: list[int]
) -> None:
    with drawn(tmp_path / "figure.svg", (3.0, 2.0), "Leads") as figure:
        axes = figure.subplots()
        lead_axis(axes, leads, label=True)
        assert list(axes.get_xticks()) == ticks
        low, high = axes.get_xlim()
        assert low < min(leads)
        assert high > max(leads)
        describe(figure, "Leads.")
