"""`archive.truth`: a truth for all variables, or one for each."""

from datetime import datetime

import pytest
from archive_mirror import settings

from stormdraw.archive.request import FileRequest
from stormdraw.archive.truth import module_of_truth, truth, truth_names
from stormdraw.archive.wanted import dates, requests
from stormdraw.errors import StormdrawError

FOUR = ["REFC", "T2M", "U10", "V10"]


def run_with(truth, variables=FOUR, **archive):
    return settings(variables=variables, archive={"source": ["aws"], "truth": truth, **archive})


def truths_of(run):
    return {name: run.archive.truth_of(name).name for name in run.variables}


@pytest.mark.parametrize("word", ["hrrr", "hrrr_f01", "urma", "rtma"])
def test_a_word_is_the_truth_of_all_variables_that_it_has(word):
    run = run_with(word)
    own = {name: word if truth(word).has(name) else "hrrr" for name in FOUR}
    assert truths_of(run) == own
    assert run == run_with({"default": word})
    assert run.archive.truth_is_analysis == (word == "hrrr")


def test_each_variable_may_have_its_own():
    run = run_with({"default": "hrrr_f01", "T2M": "urma"})
    assert truths_of(run) == dict.fromkeys(FOUR, "hrrr_f01") | {"T2M": "urma"}
    six, seven = datetime(2026, 6, 1, 6), datetime(2026, 6, 1, 7)
    assert requests(run, "truth", "20260601") == [
        FileRequest("hrrr", "sfc", (), six, 1, "", ("REFC", "U10", "V10")),
        FileRequest("urma", "anl", (), seven, 0, "", ("T2M",)),
    ]


def test_without_a_default_the_others_are_compared_with_the_analyses():
    run = run_with({"T2M": "rtma"})
    assert truths_of(run) == dict.fromkeys(FOUR, "hrrr") | {"T2M": "rtma"}
    assert not run.archive.truth_is_analysis
    assert [file.model for file in requests(run, "truth", "20260601")] == ["rtma"]
    assert dates(run_with({"T2M": "hrrr"}), "truth") == []


def test_an_excluded_hour_excludes_all_its_truths():
    run = run_with({"default": "hrrr_f01", "T2M": "urma"}, exclude=["2026-06-01T07:00"])
    assert [file.excluded for file in requests(run, "truth", "20260601")] == [True, True]


@pytest.mark.parametrize(
    ("chosen", "complaint"),
    [
        ("era5", r"archive\.truth\.default: Input should be 'hrrr', .* or 'urma'"),
        ({"T2M": "era5"}, r"archive\.truth\.T2M: Input should be 'hrrr', .* or 'urma'"),
        ({"TT": "urma"}, r"archive\.truth\.TT.*: .*TT"),
        ({"REFC": "urma"}, r"truth\.REFC is urma, which has T2M, D2M, U10, V10 and no REFC; take"),
        ({"D2M": "urma"}, r"truth\.D2M: this run has no forecasts of D2M, only of REFC, T2M, U10"),
        ({"U10": "urma"}, r"give U10 and V10 one truth: a wind is rotated between grids as a"),
        ({"U10": "urma", "V10": "rtma"}, r"give U10 and V10 one truth"),
        ({"T2M": "rrfs"}, r"truth is rrfs, which there is not with model: hrrr; take hrrr or hrrr"),
    ],
)
def test_a_choice_that_cannot_be_is_named_in_one_line(chosen, complaint):
    with pytest.raises(StormdrawError, match=complaint) as error:
        run_with(chosen)
    assert "\n" not in str(error.value)


def test_a_truth_of_another_region_is_refused():
    with pytest.raises(StormdrawError, match=r"truth is urma, .* with model: hrrrak; take hrrrak$"):
        run_with("urma", model="hrrrak")


def test_a_truth_of_later_hours_is_refused(monkeypatch):
    monkeypatch.setattr(type(truth("urma")), "first_runs", {"aws": datetime(2026, 6, 1, 8)})
    with pytest.raises(StormdrawError, match=r"is urma, which aws has since 2026-06-01, and "):
        run_with("urma")
    monkeypatch.setattr(type(truth("urma")), "first_runs", {"aws": datetime(2026, 6, 1, 7)})
    assert run_with("urma")


def test_a_default_that_no_variable_follows_is_no_error():
    run = run_with({"default": "urma", "REFC": "hrrr"}, variables=["REFC", "T2M"])
    assert truths_of(run) == {"REFC": "hrrr", "T2M": "urma"}
    with pytest.raises(StormdrawError, match=r"truth: urma has .* and none of REFC; set it"):
        run_with({"default": "urma", "T2M": "rtma"}, variables=["REFC", "T2M"])


def test_a_truth_is_a_file():
    for name in truth_names():
        assert module_of_truth(name).startswith("stormdraw.archive.truths.")
        assert truth(name).name == name
