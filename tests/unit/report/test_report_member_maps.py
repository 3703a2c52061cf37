import copy
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from report_run import DEMO, Run, make_run

from stormdraw.errors import StormdrawError
from stormdraw.fields.states import read_states
from stormdraw.report.figures.member_maps import columns_for, draw_member_maps
from stormdraw.report.mapped import choose_case, mapped_systems, mapped_variable, read_block
from stormdraw.report.style import read_label
from stormdraw.settings import load_settings
from stormdraw.times import hours


def idaho_like() -> dict:
    """No reflectivity, no reference ensemble, the analysis a forecast."""
    config = copy.deepcopy(DEMO)
    config["title"] = "Real crops"
    config["variables"] = ["T2M", "D2M", "U10", "V10", "CAPE", "CIN"]
    config["archive"] = {"source": {"mirror": "somewhere"}, "analysis_lead": 1}
    kept = ("ddpm_residual", "persistence", "climatology")
    config["ensembles"]["systems"] = [
        system for system in config["ensembles"]["systems"] if system["name"] in kept
    ]
    config["scores"] = {"reference": "persistence"}
    config["models"] = ["ddpm_residual"]
    return config


@pytest.fixture(scope="module")
def idaho_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(tmp_path_factory.mktemp("idaho"), idaho_like(), shape=(19, 10))


def test_the_model_and_the_reference_are_shown(demo_run: Run) -> None:
    assert mapped_systems(demo_run.settings) == ["ddpm_residual", "href"]
    assert mapped_variable(demo_run.settings) == "REFC"


def test_without_a_model_another_system_is_shown() -> None:
    config = copy.deepcopy(DEMO)
    config["models"] = []
    config["ensembles"]["systems"] = config["ensembles"]["systems"][1:]
    assert mapped_systems(load_settings(config)) == ["href_mean_spread", "href"]
    config["scores"] = {}
    assert mapped_systems(load_settings(config)) == ["href"]


def test_the_case_with_most_storms_is_chosen(demo_run: Run) -> None:
    inits = demo_run.settings.initial_times()
    areas = {
        init: np.count_nonzero(state >= 30)
        for init in inits
        for _, state in read_states(demo_run.truth, ["REFC"], [init + hours(3)])
    }
    assert len(set(areas.values())) > 1
    chosen = choose_case(inits, 3, "REFC", demo_run.truth)
    assert areas[chosen] == max(areas.values())
    assert choose_case(inits, 3, "T2M", demo_run.truth) == inits[0]


def test_the_mean_is_that_of_all_members(demo_run: Run) -> None:
    path = demo_run.ensembles["href"][0]
    block = read_block(path, "href", "T2M", 2, count=3)
    with xr.open_dataset(path, decode_timedelta=False) as dataset:
        members = dataset["T2M"].sel(lead=2).values
    assert list(block.fields) == ["mean of 10", "hrrr_00h", "hrrr_01h", "hrrr_02h"]
    np.testing.assert_allclose(block.fields["mean of 10"], members.mean(axis=0), rtol=1e-6)
    np.testing.assert_array_equal(block.fields["hrrr_02h"], members[2])


def test_absent_members_are_passed_over(demo_run: Run, tmp_path: Path) -> None:
    with xr.open_dataset(demo_run.ensembles["href"][0], decode_timedelta=False) as dataset:
        changed = dataset.load()
    changed["REFC"][0] = np.nan
    changed.to_netcdf(tmp_path / "ensemble.nc")
    block = read_block(tmp_path / "ensemble.nc", "href", "REFC", 3, count=1)
    assert list(block.fields) == ["mean of 9", "hrrr_01h"]
    changed["REFC"][:] = np.nan
    changed.to_netcdf(tmp_path / "none.nc")
    assert read_block(tmp_path / "none.nc", "href", "REFC", 3, count=1).fields == {}


def test_one_member_has_no_mean(demo_run: Run) -> None:
    block = read_block(demo_run.ensembles["persistence"][0], "persistence", "T2M", 1, count=4)
    assert list(block.fields) == ["member 0"]
    assert block.note == "one member"


def test_a_system_known_by_mean_and_spread_shows_its_mean(demo_run: Run) -> None:
    path = demo_run.ensembles["href_mean_spread"][0]
    assert list(read_block(path, "products", "T2M", 1, count=4).fields) == ["mean"]
    block = read_block(path, "products", "REFC", 1, count=4)
    assert block.fields == {}
    assert block.note == "products has no REFC"


@pytest.mark.parametrize(
    ("count", "aspect", "columns"),
    [
        (6, 97 / 131, 3),  # two rows of large panels
        (6, 78 / 41, 6),  # a tall crop: one row
        (10, 97 / 131, 5),
        (2, 1.0, 2),
        (1, 1.0, 1),
    ],
)
def test_maps_fill_their_rows(count: int, aspect: float, columns: int) -> None:
    assert columns_for(count, aspect) == columns


def test_maps_of_storms(demo_figures: dict[str, Path]) -> None:
    output = demo_figures["member_maps"]
    text = output.read_text()
    for expected in ("ddpm_residual: 20 members", "href: 10 members", "mean of 10", "hrrr_03h"):
        assert expected in text
    assert "truth: simulated analysis · the case with most storms" in text
    assert "composite radar reflectivity (dBZ)" in text
    assert "href (mean of 10, hrrr_00h" in read_label(output).description


@pytest.fixture(scope="module")
def idaho_maps(idaho_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("idaho_maps") / "member_maps.svg"
    draw_member_maps(idaho_run.settings, idaho_run.ensembles, idaho_run.truth, output)
    return output


def test_the_same_maps_have_the_same_bytes(
    idaho_run: Run, idaho_maps: Path, tmp_path: Path
) -> None:
    again = tmp_path / "member_maps.svg"
    draw_member_maps(idaho_run.settings, idaho_run.ensembles, idaho_run.truth, again)
    assert again.read_bytes() == idaho_maps.read_bytes()


def test_maps_without_reflectivity_show_temperature(idaho_maps: Path) -> None:
    text = idaho_maps.read_text()
    assert "2 m air temperature (K)" in text
    assert "HRRR 1 h forecast, in place of its analysis" in text
    assert "persistence: one member" in text


def test_a_reference_without_the_variable_is_a_stated_gap(demo_run: Run, tmp_path: Path) -> None:
    paths = {
        "ddpm_residual": demo_run.ensembles["ddpm_residual"],
        "href": demo_run.ensembles["href_mean_spread"],
    }
    draw_member_maps(demo_run.settings, paths, demo_run.truth, tmp_path / "out.svg")
    assert "href has no REFC" in (tmp_path / "out.svg").read_text()


def test_nothing_to_show_is_a_stated_gap(demo_run: Run, tmp_path: Path) -> None:
    draw_member_maps(demo_run.settings, {}, demo_run.truth, tmp_path / "none.svg")
    assert read_label(tmp_path / "none.svg").gap
    apart = {
        "ddpm_residual": demo_run.ensembles["ddpm_residual"][:1],
        "href": demo_run.ensembles["href"][1:],
    }
    draw_member_maps(demo_run.settings, apart, demo_run.truth, tmp_path / "apart.svg")
    assert "no case in common" in read_label(tmp_path / "apart.svg").description


def test_a_missing_truth_is_named(demo_run: Run, tmp_path: Path) -> None:
    with pytest.raises(StormdrawError, match="2026-06-09 15 UTC"):
        draw_member_maps(
            demo_run.settings, demo_run.ensembles, demo_run.truth[:1], tmp_path / "out.svg"
        )
    assert not (tmp_path / "out.svg").exists()
