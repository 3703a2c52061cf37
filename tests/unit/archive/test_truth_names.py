"""What the truth of a run is called, and whom it favours."""

import copy
from typing import Any

import pytest
from small_experiment import CONFIG

from stormdraw.archive.truth_names import (
    analysis_name,
    truth_name,
    truth_sentences,
    with_another_truth,
)
from stormdraw.settings import Settings, load_settings


def run_with(variables: list[str], **archive: Any) -> Settings:
    config = copy.deepcopy(CONFIG)
    config["variables"] = variables
    config["archive"] = {"source": ["aws"], **archive}
    config["ensembles"]["systems"] = [
        {"name": "small", "method": "diffusion", "model": "small"},
        {"name": "persistence", "method": "baseline", "kind": "persistence"},
    ]
    config["scores"] = {}
    return load_settings(config)


@pytest.mark.parametrize(
    ("archive", "name"),
    [
        ({}, "HRRR analysis"),
        ({"truth": "hrrr_f01"}, "HRRR 1 h forecast"),
        ({"analysis_lead": 1}, "HRRR 1 h forecast, in place of its analysis"),
    ],
)
def test_a_truth_made_by_hrrr_favours_what_is_made_from_it(archive, name):
    settings = run_with(["REFC", "T2M"], **archive)
    (sentence,) = truth_sentences(settings)
    assert sentence.startswith(f"The truth is the {name}, not observations: it favours")
    assert truth_name(settings, "REFC") == truth_name(settings, "T2M") == name


@pytest.mark.parametrize("truth", ["urma", "rtma"])
def test_a_mesoscale_analysis_is_the_truth_of_its_variables_only(truth):
    settings = run_with(["REFC", "T2M", "D2M", "U10", "V10"], truth=truth)
    own, rest = truth_sentences(settings)
    # The order is that of the variables.
    assert own.startswith("The truth of REFC is the HRRR analysis, not observations")
    assert rest.startswith(f"The truth of T2M, D2M, U10, V10 is the {truth.upper()} analysis: ")
    assert truth_name(settings, "WIND10") == f"{truth.upper()} analysis"


def test_where_all_variables_are_of_urma_hrrr_is_no_truth():
    (sentence,) = truth_sentences(run_with(["T2M", "D2M"], truth="urma"))
    assert sentence.startswith("The truth is the URMA analysis: ")
    assert "HRRR analysis" not in sentence


def test_what_urma_lacks_is_of_what_stands_in_for_the_analysis():
    settings = run_with(["REFC", "T2M"], truth="urma", analysis_lead=1)
    assert truth_name(settings, "REFC") == "HRRR 1 h forecast, in place of its analysis"


def test_each_variable_may_have_a_truth_of_its_own():
    by_variable = {"default": "hrrr_f01", "T2M": "urma", "D2M": "rtma"}
    settings = run_with(["REFC", "T2M", "D2M"], truth=by_variable)
    names = {name: truth_name(settings, name) for name in settings.variables}
    assert names == {"REFC": "HRRR 1 h forecast", "T2M": "URMA analysis", "D2M": "RTMA analysis"}
    first, *others = truth_sentences(settings)
    assert first.startswith("The truth of REFC is the HRRR 1 h forecast, not observations")
    assert [sentence[:35] for sentence in others] == [
        "The truth of T2M is the URMA analys",
        "The truth of D2M is the RTMA analys",
    ]


def test_a_simulated_truth_is_not_hrrr():
    settings = load_settings(CONFIG)
    assert truth_name(settings, "T2M") == "simulated analysis"
    (sentence,) = truth_sentences(settings)
    assert "HRRR" not in sentence


def test_what_is_compared_with_another_truth_has_an_analysis_besides():
    settings = run_with(["REFC", "T2M", "D2M", "U10", "V10"], truth="urma")
    assert with_another_truth(settings) == ["T2M", "D2M", "U10", "V10", "WIND10"]
    assert analysis_name(settings, "WIND10") == "HRRR analysis"
    assert with_another_truth(run_with(["REFC", "T2M"])) == []
