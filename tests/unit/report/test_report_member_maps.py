import copy
from pathlib import Path

import pytest
import xarray as xr
from report_run import DEMO, Run, crop, extract, make_forecasts

from stormdraw.report.figures.member_maps import columns_for, draw_member_maps
from stormdraw.report.mapped import mapped_systems, mapped_variable
from stormdraw.report.style import read_label
from stormdraw.settings import Settings, load_settings
from stormdraw.times import format_init, hours


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
def idaho(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, dict[str, Path]]:
    """The settings, and what maps show of each system."""
    folder, settings = tmp_path_factory.mktemp("idaho"), load_settings(idaho_like())
    truth, ensembles = make_forecasts(folder, settings, crop(19, 10))
    return settings, {
        name: extract(folder, settings, name, paths, truth) for name, paths in ensembles.items()
    }


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
    assert "truth: simulated analysis · the case with the most storms" in text
    assert "composite radar reflectivity (dBZ)" in text
    assert "href (mean of 10, hrrr_00h" in read_label(output).description


@pytest.fixture(scope="module")
def idaho_maps(
    idaho: tuple[Settings, dict[str, Path]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    output = tmp_path_factory.mktemp("idaho_maps") / "member_maps.svg"
    draw_member_maps(*idaho, output)
    return output


def test_the_same_maps_have_the_same_bytes(
    idaho: tuple[Settings, dict[str, Path]], idaho_maps: Path, tmp_path: Path
) -> None:
    again = tmp_path / "member_maps.svg"
    draw_member_maps(*idaho, again)
    assert again.read_bytes() == idaho_maps.read_bytes()


def test_maps_without_reflectivity_show_temperature(idaho_maps: Path) -> None:
    text = idaho_maps.read_text()
    assert "2 m air temperature (K)" in text
    assert "HRRR 1 h forecast, in place of its analysis" in text
    assert "persistence: one member" in text


def test_nothing_to_show_is_a_stated_gap(demo_run: Run, tmp_path: Path) -> None:
    draw_member_maps(demo_run.settings, {}, tmp_path / "none.svg")
    assert read_label(tmp_path / "none.svg").gap


def test_a_case_whose_truth_is_not_known_is_a_stated_gap(demo_run: Run, tmp_path: Path) -> None:
    truths = []
    for path in demo_run.truth:
        with xr.open_dataset(path) as day:
            changed = day.load()
        changed.attrs["absent_times"] = " ".join(
            format_init(init + hours(3)) for init in demo_run.settings.initial_times()
        )
        truths.append(tmp_path / path.name)
        changed.to_netcdf(truths[-1])
    maps = {
        name: extract(tmp_path, demo_run.settings, name, demo_run.ensembles[name], truths)
        for name in ("ddpm_residual", "href")
    }
    draw_member_maps(demo_run.settings, maps, tmp_path / "out.svg")
    assert "No map: none of the 2 cases" in read_label(tmp_path / "out.svg").description


def test_maps_of_other_cases_are_not_set_beside_each_other(demo_run: Run, tmp_path: Path) -> None:
    settings, ensembles, truth = demo_run.settings, demo_run.ensembles, demo_run.truth
    maps = {
        "ddpm_residual": extract(
            tmp_path, settings, "ddpm_residual", ensembles["ddpm_residual"][:1], truth
        ),
        "href": extract(tmp_path, settings, "href", ensembles["href"][1:], truth),
    }
    draw_member_maps(settings, maps, tmp_path / "apart.svg")
    assert "no case in common" in read_label(tmp_path / "apart.svg").description
