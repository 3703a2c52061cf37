"""Configurations that learn nothing: what they need, and what they are refused for."""

import re
from datetime import datetime

import pytest
from one_system import PERSISTENCE, configuration
from others_files import configuration as of_others

from stormdraw.archive.truth_names import truth_sentences, with_another_truth
from stormdraw.archive.wanted import requests_by_date, used_sources
from stormdraw.configuration import check_places
from stormdraw.errors import StormdrawError
from stormdraw.report.candidates import candidates
from stormdraw.report.figure import figures, figures_of
from stormdraw.settings import load_settings


def merged(config, *path, value):
    """The configuration with another value at a place."""
    key, *rest = path
    inner = merged(config.get(key, {}), *rest, value=value) if rest else value
    return {**config, key: inner}


def fetched(settings):
    return {
        source: found
        for s in used_sources(settings)
        for source, found in [(s, requests_by_date(settings, s))]
        if found
    }


def test_files_of_others_alone_need_nothing_of_an_archive():
    settings = load_settings(of_others("/data"))
    assert settings.periods.training is None
    assert not settings.uses_archive
    assert not settings.simulated
    assert settings.analysis_times() == []
    assert fetched(settings) == {}
    assert with_another_truth(settings) == []
    assert candidates(settings) == []
    assert figures().keys() - figures_of(settings).keys() >= {"archive_audit", "training_curves"}
    assert truth_sentences(settings) == [
        "The truth is the analysis of theirs, of files that this run did not make: it favours "
        "systems that start from it or share its model."
    ]


def test_with_analyses_as_truth_only_those_at_the_scored_times_are_fetched():
    config = merged(of_others("/data"), "archive", value={"source": ["aws"]})
    settings = load_settings({**config, "variables": ["T2M"], "scores": {"reference": "theirs"}})
    assert settings.uses_archive
    assert not settings.learning()
    expected = [datetime(2024, 5, day, hour) for day in (1, 2) for hour in (1, 2)]
    assert settings.analysis_times() == expected
    ((source, days),) = fetched(settings).items()
    assert source == "hrrr"
    files = [file for day in days.values() for file in day]
    assert [(file.init, file.variables) for file in files] == [(t, ("T2M",)) for t in expected]


def test_what_starts_from_an_analysis_brings_it_and_the_grid_along():
    config = of_others("/data")
    config["variables"] = ["T2M"]
    config["scores"] = {"reference": "theirs"}
    config["archive"]["source"] = ["aws"]
    config["ensembles"]["systems"].append({"name": "persistence", **PERSISTENCE})
    settings = load_settings(config)
    assert settings.uses_archive
    assert settings.analysis_times() == [
        datetime(2024, 5, day, hour) for day in (1, 2) for hour in (0, 1, 2)
    ]
    # The truth is that of others all the same; the analysis is a second one.
    assert settings.archive.truth_of("T2M").external
    assert with_another_truth(settings) == ["T2M"]


def test_a_truth_of_ones_own_for_one_variable():
    own = {"external": {"path": "/data/{valid:%Y%m%d%H}.nc"}}
    given = configuration(variables=["T2M", "D2M"], archive={"truth": {"T2M": own}})
    settings = load_settings(given)
    assert settings.archive.truth_of("T2M").external
    assert settings.archive.truth_of("D2M").is_analysis
    assert settings.uses_archive
    # Written out and read again it is the same.
    assert load_settings(settings.model_dump(mode="json")) == settings


def test_a_truth_of_others_is_of_the_variables_that_its_layout_names():
    layout = {"variables": {"T2M": "t2m"}}
    own = {"external": {"path": "/data/{valid:%Y%m%d%H}.nc", "layout": layout}}
    settings = load_settings(configuration(variables=["T2M", "D2M"], archive={"truth": own}))
    assert settings.archive.truth_of("T2M").external
    assert settings.archive.truth_of("D2M").is_analysis
    with pytest.raises(StormdrawError, match=r"truth.D2M is external, which has T2M and no D2M"):
        load_settings(configuration(variables=["T2M", "D2M"], archive={"truth": {"D2M": own}}))


@pytest.mark.parametrize(
    ("place", "value", "what"),
    [
        (("models",), ["crps_unet"], "the model crps_unet"),
        (("scores", "thresholds"), {"T2M": ["p90"]}, "a percentile of T2M in scores.thresholds"),
        (("archive", "driving"), {"model": "gfs"}, "archive.driving"),
        (
            ("ensembles", "systems"),
            [{"name": "usual", "method": "baseline", "kind": "climatology"}],
            "usual",
        ),
    ],
)
def test_what_learns_needs_a_training_period(place, value, what):
    config = merged(of_others("/data"), *place, value=value)
    config = merged(config, "scores", "reference", value=None)
    with pytest.raises(
        StormdrawError,
        match=f"periods.training is missing, but {what} needs hours to learn from; give its start",
    ):
        load_settings(config)


def test_the_speed_of_the_wind_may_stand_alone():
    settings = load_settings(of_others("/data"))
    assert settings.variables == ["T2M", "WIND10"]
    assert list(settings.scores.thresholds) == ["WIND10"]


def test_the_speed_of_the_wind_is_not_given_beside_its_components():
    config = {**of_others("/data"), "variables": ["U10", "V10", "WIND10"]}
    with pytest.raises(StormdrawError, match="WIND10 is computed of U10 and V10 and scored too"):
        load_settings(config)


def test_analyses_have_the_components_and_not_the_speed():
    config = merged(of_others("/data"), "archive", value={"source": ["aws"]})
    with pytest.raises(StormdrawError, match="give U10 and V10 in its place"):
        load_settings(config)


@pytest.mark.parametrize(
    ("layout", "variables", "held"),
    [
        ({}, ["T2M", "U10", "V10"], ["T2M", "U10", "V10"]),
        ({"variables": {"WIND10": "ws"}}, ["T2M", "U10", "V10"], ["WIND10"]),
        ({"variables": {"T2M": "t", "D2M": "d"}}, ["T2M", "U10", "V10"], ["T2M"]),
        ({"variables": {"U10": "u", "V10": "v"}}, ["U10", "V10"], ["U10", "V10"]),
        (
            {"variables": {"U10": "u", "V10": "v", "WIND10": "s"}},
            ["U10", "V10"],
            ["U10", "V10", "WIND10"],
        ),
    ],
)
def test_a_system_of_others_has_what_its_layout_names(layout, variables, held):
    config = {**of_others("/data"), "variables": variables, "scores": {}}
    config["ensembles"]["systems"][0]["layout"] = layout
    settings = load_settings(config)
    assert settings.ensembles.systems[0].variables(settings, {}) == held


def test_a_system_of_others_without_any_variable_of_the_run_is_refused():
    config = of_others("/data")
    config["ensembles"]["systems"][0]["layout"] = {"variables": {"D2M": "d"}}
    with pytest.raises(StormdrawError, match=r"systems.0: theirs has D2M .layout.variables., and"):
        load_settings(config)


@pytest.mark.parametrize(
    ("offset", "latency", "said"),
    [
        (
            0,
            None,
            "runs of theirs start with each case; how long after that they are available is n",
        ),
        (
            6,
            2,
            "start 6 h before each case and are available 2 h later, 4 h before the case begins.",
        ),
        (6, 6, "are available 6 h later, when the case begins."),
        (0, 1.5, "available 1.5 h later, 1.5 h after the case began: later than systems that are "),
        (1, 2, "2 h later, 1 h after the case began: .* Leads to 1 h are over by then."),
    ],
)
def test_the_report_says_when_a_system_was_there(offset, latency, said):
    config = of_others("/data")
    config["ensembles"]["systems"][0] |= {"lead_offset": offset, "latency_hours": latency}
    settings = load_settings(config)
    assert re.search(said, settings.ensembles.systems[0].caveat(settings))


def test_paths_that_lead_nowhere_end_the_run_before_its_first_job(tmp_path):
    settings = load_settings(of_others(tmp_path))
    with pytest.raises(StormdrawError, match=r"ensembles.systems: theirs: path: there is no file"):
        check_places(settings, {}, [])
    config = of_others(tmp_path)
    # What is behind an address is not asked beforehand.
    for system in config["ensembles"]["systems"]:
        system["path"] = "https://example.org/{init:%Y%m%d%H}.nc"
    with pytest.raises(StormdrawError, match=r"archive.truth: T2M: path: there is no file"):
        check_places(load_settings(config), {}, [])
