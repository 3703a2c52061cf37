import re

import numpy as np
from report_run import Run

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.report.case_sheet import case_sheet, svg_outline
from stormdraw.report.mapped import chosen_leads


def test_each_lead_has_a_frame_with_truth_and_systems(demo_run: Run) -> None:
    sheet = case_sheet(demo_run.settings, demo_run.maps)
    assert sheet.gap == ""
    assert [frame.lead for frame in sheet.frames] == [1, 2, 3]
    for frame in sheet.frames:
        (truth, stamps), (own, learnt), (other, reference) = frame.blocks
        assert (truth, len(stamps)) == ("Truth", 1)
        assert own == "ddpm_residual: 20 members"
        assert other == "href: 10 members"
        # The mean, the share, and as many members as report.sheet_members.
        assert len(learnt) == len(reference) == 2 + 8
        assert [s.title for s in reference[:3]] == ["mean of 10", "share ≥ 30 dBZ", "hrrr_00h"]
        assert all(", maximum " in stamp.alternative for stamp in learnt)
    assert [key.label for key in sheet.keys] == [
        "composite radar reflectivity (dBZ)",
        "share of members with at least 30 dBZ (%)",
    ]
    assert sheet.keys[0].marks[0] == (0.0, "5")


def test_a_reference_without_the_variable_is_noted(demo_run: Run) -> None:
    settings = demo_run.settings
    settings = settings.model_copy(
        update={"scores": settings.scores.model_copy(update={"reference": "href_mean_spread"})}
    )
    sheet = case_sheet(settings, demo_run.maps)
    heading = "href_mean_spread: href_mean_spread has no REFC"
    assert sheet.frames[0].blocks[2] == (heading, [])


def test_a_run_without_maps_is_a_stated_gap(demo_run: Run) -> None:
    assert case_sheet(demo_run.settings, {}).gap == "No system has an ensemble to show."


def test_many_leads_are_thinned_out() -> None:
    assert chosen_leads([1, 2, 3]) == [1, 2, 3]
    some = chosen_leads(list(range(1, 19)))
    assert len(some) == 8
    assert (some[0], some[-1]) == (1, 18)


def test_the_outline_is_a_path_in_the_box() -> None:
    path, (width, height) = svg_outline(HRRR.crop(slice(200, 280), slice(1050, 1170)))
    assert (width, height) == (1000, 667)
    assert re.fullmatch(r"(M-?\d+,-?\d+( -?\d+,-?\d+)*)+", path)
    numbers = np.array(re.findall(r"(-?\d+),(-?\d+)", path), int)
    inside = (numbers >= 0).all(axis=1) & (numbers <= (width, height)).all(axis=1)
    assert inside.sum() > 50
