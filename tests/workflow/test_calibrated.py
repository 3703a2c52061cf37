"""A calibrated reference, from the archive to scores, where ensembles go."""

import copy
import json

import pandas as pd
import pytest
from small_experiment import CONFIG, Experiment, planned

COEFFICIENTS = "results/ensembles/href_calibrated/coefficients.json"
DAYS = {"training": "2026-06-01", "validation": "2026-06-02", "test": "2026-06-03"}


def calibrated() -> dict:
    """A reference and one that is calibrated from it, two cases, where ensembles go."""
    config = copy.deepcopy(CONFIG)
    config["periods"] = {
        name: {"start": f"{day}T00:00", "end": f"{day}T08:00"} for name, day in DAYS.items()
    }
    config["models"] = []
    config["ensembles"] |= {
        "keep": False,
        "systems": [
            {"name": "href", "method": "reference"},
            {"name": "href_calibrated", "method": "calibrated", "of": "href"},
            {"name": "persistence", "method": "baseline", "kind": "persistence"},
        ],
    }
    return config


def test_no_other_system_waits_for_a_calibrated_reference(experiment: Experiment) -> None:
    experiment.configure(calibrated())
    everything = planned(experiment, "results/scores/summary.csv")
    assert (everything["scores_case"], everything["scores_points"]) == (6, 2)
    jobs = planned(experiment, "results/scores/persistence/2026060306.nc")
    # Its own members and those of the reference, which say which points count; nothing is fitted.
    assert (jobs["ensembles_take"], jobs["scores_points"], jobs["scores_case"]) == (2, 1, 1)
    assert "ensembles_fit" not in jobs


@pytest.mark.slow
def test_a_reference_is_calibrated_on_validation_and_scored(experiment: Experiment) -> None:
    experiment.configure(calibrated())
    summary = experiment.results / "scores" / "summary.csv"
    run = experiment.snakemake("results/scores/summary.csv")
    assert run.returncode == 0, run.stdout

    found = json.loads((experiment.folder / COEFFICIENTS).read_text())
    assert found["cases"] == ["2026060200", "2026060206"]
    of_temperature = found["variables"]["T2M"]["leads"]["1"]
    assert of_temperature["cases"] == 2
    assert of_temperature["crps_fitted"] < of_temperature["crps_raw"]
    scores = pd.read_csv(summary).set_index("metric").loc["crps_fair"]
    for system in ("href", "href_calibrated"):
        own = scores[scores["system"] == system]
        assert set(own["variable"]) == {"REFC", "T2M", "D2M", "U10", "V10", "WIND10"}
        assert (own["members"] == 10).all()
        assert (own["cases"] == 2).all()
    assert (scores[scores["system"] == "persistence"]["cases"] == 2).all()
    assert len(scores[scores["system"] == "persistence"]) == 2 * 6
    assert not list((experiment.results / "ensembles").rglob("*.nc"))

    # What is fitted needs the validation, and nothing of the test.
    (experiment.folder / COEFFICIENTS).unlink()
    for day, needed in (("20260603", 0), ("20260602", 1)):
        (experiment.results / "fields" / "hrrr" / f"{day}.nc").unlink()
        jobs = planned(experiment, COEFFICIENTS, "--rerun-triggers", "mtime")
        assert [jobs[f"ensembles_{what}"] for what in ("fit", "pair", "take")] == [1, 2, 2]
        assert jobs.get("fields_normalise", 0) == needed
