"""The configuration of a forecast, made of that of a study."""

import copy
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from small_experiment import CONFIG

from stormdraw.archive.wanted import requests_by_date, used_sources
from stormdraw.errors import StormdrawError
from stormdraw.forecasts.configuration import forecast_configuration
from stormdraw.forecasts.start import forecast_of
from stormdraw.settings import Settings, load_settings
from stormdraw.simulated.plan import extent

CYCLES = [datetime(2026, 6, 2, 5), datetime(2026, 6, 2, 6)]


def of(config: dict[str, Any], *cycles: datetime) -> Settings:
    made = forecast_configuration({**config, "cycle": list(cycles or CYCLES)})
    return load_settings(made)


def test_a_study_becomes_a_forecast_that_learns_and_compares_nothing(calibrated: Path) -> None:
    run = of(CONFIG)
    assert run.initial_times() == CYCLES
    assert run.periods.named() == []
    assert run.learning() == []
    assert [system.name for system in run.ensembles.given()] == ["small"]
    assert run.given_models["small"].checkpoint == "results/models/small/model.pt"
    # The percentiles among the thresholds are of a training period.
    assert run.scores.percentiles == {}
    assert [one.number for one in run.scores.thresholds["REFC"]] == [20.0, 30.0]
    # The world is that of the study, which begins with its first period.
    assert run.archive.simulated.since == datetime(2026, 6, 1)
    assert run.analysis_times() == CYCLES
    assert run.archive.reference is None


def test_it_needs_no_more_than_it_reads(calibrated: Path) -> None:
    run = of(CONFIG)
    files = {
        source: {folder: [file.init for file in files] for folder, files in found.items()}
        for source in used_sources(run)
        if (found := requests_by_date(run, source))
    }
    # A cycle's files are its own: another cycle of the day changes nothing of them.
    hourly = {"2026060205": [CYCLES[0]], "2026060206": [CYCLES[1]]}
    assert files == {"hrrr": hourly, "static": hourly}


def test_a_history_is_fetched_as_well(calibrated: Path) -> None:
    run = of({**CONFIG, "cases": {"history": 3}}, CYCLES[1])
    assert run.analysis_times() == [datetime(2026, 6, 2, hour) for hour in (4, 5, 6)]


def test_given_models_stay_and_crossed_ones_are_those_of_the_folder(calibrated: Path) -> None:
    crossed = {"name": "crossed", "configuration": "def_perturbation", "forecaster": "small"}
    theirs = {"name": "theirs", "checkpoint": "elsewhere.pt"}
    made = forecast_configuration({**CONFIG, "models": ["small", crossed, theirs], "cycle": 1})
    assert made["models"] == [
        {"name": "small", "checkpoint": "results/models/small/model.pt"},
        {
            "name": "crossed",
            "forecaster": "small",
            "checkpoint": "results/models/crossed/model.pt",
        },
        theirs,
    ]


def test_a_system_that_nothing_here_has_calibrated_is_refused(calibrated: Path) -> None:
    calibrated.unlink()
    with pytest.raises(StormdrawError, match=r"small is calibrated, and there is no results/mod"):
        of(CONFIG)


@pytest.mark.parametrize(
    ("systems", "complaint"),
    [
        (
            [{"name": "p", "method": "baseline", "kind": "persistence"}],
            "has no system that a model draws",
        ),
        ([{"name": "p", "method": "unheard"}], r"ensembles\.systems\.0: .*unheard"),
        (None, r"ensembles\.systems: Field required"),
    ],
)
def test_a_configuration_without_a_drawn_system_is_refused(systems: Any, complaint: str) -> None:
    config = copy.deepcopy(CONFIG)
    config["ensembles"]["systems"] = systems
    if systems is None:
        del config["ensembles"]["systems"]
    with pytest.raises(StormdrawError, match=complaint):
        of(config)


@pytest.mark.parametrize(
    ("section", "given", "complaint"),
    [
        (
            "scores",
            {"thresholds": {"REFC": ["many"]}},
            r"scores\.thresholds\.REFC\.0: 'many' is no",
        ),
        ("scores", {"thresholds": None}, r"scores\.thresholds: must have keys of its own"),
        ("archive", {"simulated": "yes"}, r"archive\.simulated: must have keys of its own"),
        ("models", "small", "models: Input should be a valid list"),
        (
            "periods",
            {"test": {"start": "soon", "end": "later"}},
            r"periods\.test\.start: soon is no",
        ),
        # A forecast reads nothing of it.
        ("report", {"maps": 3}, r"report\.maps: "),
    ],
)
def test_a_wrong_section_is_one_line(
    calibrated: Path, section: str, given: Any, complaint: str
) -> None:
    with pytest.raises(StormdrawError, match=complaint):
        of({**CONFIG, section: given})


@pytest.mark.parametrize(
    ("first", "complaint"),
    [
        ([2], r"forecast\.first_leads is \[2\]; give leads of the run before the last one, which"),
        ([1, 1], r"forecast\.first_leads is \[1, 1\]; .* each once and ascending: of \[1\]"),
        ([3, 1], r"forecast\.first_leads is \[3, 1\]"),
        ([5], r"forecast\.first_leads is \[5\]"),
        (["soon"], r"forecast\.first_leads\.0: "),
    ],
)
def test_first_leads_that_are_none_are_refused(
    calibrated: Path, first: Any, complaint: str
) -> None:
    leads = {"leads": [1, 2, 3, 6]} if first == [3, 1] else {}
    with pytest.raises(StormdrawError, match=complaint):
        of({**CONFIG, **leads, "forecast": {"first_leads": first}})
    assert of({**CONFIG, "forecast": {"first_leads": [1]}}).forecast.first_leads == [1]


def test_first_leads_and_members_in_several_jobs_are_refused(calibrated: Path) -> None:
    shared = {**CONFIG["ensembles"], "jobs_per_case": 2}
    with pytest.raises(StormdrawError, match=r"ensembles\.jobs_per_case: 2 its members; leave one"):
        of({**CONFIG, "ensembles": shared, "forecast": {"first_leads": [1]}})


def test_a_wrong_section_is_told_with_its_file_and_line(calibrated: Path, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("scores:\n  thresholds:\n    REFC: [many]\n")
    config = {**CONFIG, "scores": {"thresholds": {"REFC": ["many"]}}, "cycle": 2026060206}
    with pytest.raises(StormdrawError, match=rf"^{path}:3: scores\.thresholds"):
        forecast_of(config, [path], looks=False)


def test_a_cycle_and_periods_are_not_one_run() -> None:
    with pytest.raises(StormdrawError, match="cycle is for forecasts, which have no periods"):
        load_settings({**CONFIG, "cycle": 2026060206})
    without = {key: value for key, value in CONFIG.items() if key != "periods"}
    without["models"] = []
    without["ensembles"] = {"systems": [{"name": "perfect", "method": "perfect"}]}
    without["scores"] = {}
    with pytest.raises(StormdrawError, match=r"periods\.test is missing"):
        load_settings(without)


def test_a_world_that_begins_later_than_the_cycle_is_refused(calibrated: Path) -> None:
    with pytest.raises(StormdrawError, match=r"archive\.simulated\.since is 2026-06-01 00:00:00"):
        of({**CONFIG, "cases": {"history": 2}}, datetime(2026, 6, 1))


def test_the_world_of_a_forecast_is_that_of_its_study_until_after_now(calibrated: Path) -> None:
    study = load_settings(CONFIG)
    assert extent(study) == (datetime(2026, 6, 1), datetime(2026, 6, 2, 8))
    # To the longest lead of 2 h; by the clock, another cycle changes nothing of it.
    assert extent(of(CONFIG)) == (datetime(2026, 6, 1), datetime(2026, 6, 2, 8))
    simulated = {**CONFIG["archive"]["simulated"], "now": "2026-06-02T09:00"}
    config = {**CONFIG, "archive": {**CONFIG["archive"], "simulated": simulated}}
    for cycle in CYCLES:
        assert extent(of(config, cycle)) == (datetime(2026, 6, 1), datetime(2026, 6, 2, 11))


def test_a_job_is_told_the_cycle_and_does_not_look_for_it(calibrated: Path) -> None:
    simulated = {**CONFIG["archive"]["simulated"], "now": "2026-06-02T07:00"}
    archive = {**CONFIG["archive"], "simulated": simulated}
    config = {**CONFIG, "archive": archive, "cycle": "latest"}
    start = forecast_of(config, [], looks=True)
    assert start.config["cycle"] == [2026060206]
    assert start.remarks[-1] == "the newest cycle is 2026-06-02 06 UTC, 1 h old"
    with pytest.raises(StormdrawError, match="latest in a job"):
        forecast_of(config, [], looks=False)
    # What a job reads is already the configuration of a forecast.
    again = forecast_of(start.config, [], looks=False)
    assert again.config == start.config


def test_a_cycle_whose_page_is_there_is_not_looked_for(calibrated: Path) -> None:
    simulated = {**CONFIG["archive"]["simulated"], "now": "2026-06-02T05:00"}
    archive = {**CONFIG["archive"], "simulated": simulated}
    config = {**CONFIG, "archive": archive, "cycle": 2026060206}
    with pytest.raises(StormdrawError, match=r"cycle=2026060206: none of its 1 files is there"):
        forecast_of(config, [], looks=True)
    page = Path("results/forecasts/2026060206/index.html")
    page.parent.mkdir(parents=True)
    page.touch()
    assert forecast_of(config, [], looks=True).config["cycle"] == [2026060206]
