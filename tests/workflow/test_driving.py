"""Driven models beside one that is not: what each is made from, and a run to the page."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
import yaml
from small_experiment import CONFIG, MODEL, Experiment, check_out, planned, set_up

# The run of 00 UTC, known from 05 UTC on, drives the case of 06 UTC and nothing else.
OF_LAST_CASE = "results/fields/driving/20260602.nc"


def driven() -> dict:
    """The small experiment, and the same model with a driving model, in one run."""
    config = copy.deepcopy(CONFIG)
    config["archive"]["driving"] = {"model": "gfs", "variables": ["T2M", "U10", "V10", "PWAT"]}
    config["models"] = ["small", "driven"]
    kept = [one for one in config["ensembles"]["systems"] if one["name"] in ("small", "perfect")]
    with_driving = {**kept[0], "name": "driven", "model": "driven"}
    persistence = {"name": "persistence", "method": "baseline", "kind": "persistence"}
    config["ensembles"]["systems"] = [*kept, with_driving, persistence]
    del config["archive"]["reference"]
    config["scores"] = {"reference": "persistence"}
    return config


def configure(experiment: Experiment) -> dict:
    model = {**MODEL, "forcings": [*MODEL["forcings"], "driving"]}
    (experiment.folder / "config" / "models" / "driven.yaml").write_text(yaml.safe_dump(model))
    experiment.configure(driven())
    return driven()


def test_driving_reaches_driven_models_and_their_cases_alone(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """No experiment is run: empty files are the results, which Snakemake takes to be up to date."""
    experiment = set_up(check_out(tmp_path_factory.mktemp("driven") / "checkout"))
    config = configure(experiment)
    listed = experiment.snakemake("--summary").stdout.splitlines()
    names = [line.split("\t")[0] for line in listed if line.startswith("results/")]
    assert OF_LAST_CASE in names
    for path in map(experiment.folder.joinpath, names):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix:
            path.write_text("{}")
        else:
            path.mkdir(exist_ok=True)
    touched = experiment.snakemake("--touch")
    assert touched.returncode == 0, touched.stdout
    # Of two models, and of two cases of each system and of its uncalibrated twin. Were anything
    # else not up to date, there would be more.
    once = ("fields_driving_statistics", "models_train", "models_diagnose", "ensembles_calibrate")
    of_driven = {**dict.fromkeys(once, 1), "ensembles_sample": 4}
    for change in (["--forcerun", "fields_driving"], []):
        if not change:
            config["archive"]["driving"]["latency_hours"] = 6
            experiment.configure(config)
        jobs = planned(experiment, *change)
        assert {rule: jobs.get(rule, 0) for rule in of_driven} == of_driven
    experiment.configure(driven())
    jobs = planned(experiment, "--forcerun", OF_LAST_CASE)
    assert (jobs["fields_driving"], jobs["ensembles_sample"]) == (1, 2)
    assert set(once) & set(jobs) == set()


@pytest.mark.slow
def test_a_driven_model_from_the_simulated_archive_to_the_page(experiment: Experiment) -> None:
    configure(experiment)
    run = experiment.snakemake()
    assert run.returncode == 0, run.stdout
    results = experiment.results
    content, alone = (
        torch.load(results / "models" / name / "model.pt", weights_only=True)
        for name in ("driven", "small")
    )
    names = ["T2M", "U10", "V10", "PWAT"]
    by = {"model": "gfs", "latency_hours": 5, "variables": names}
    assert content["settings"]["driven_by"] == by
    assert content["driving"]["variables"] == names
    assert (alone["settings"]["driven_by"], alone["driving"]) == (None, None)
    for init in ("2026060200", "2026060206"):
        with (
            xr.open_dataset(results / "ensembles" / "driven" / f"{init}.nc") as members,
            xr.open_dataset(results / "ensembles" / "small" / f"{init}.nc") as others,
        ):
            assert np.isfinite(members["T2M"]).all()
            assert (members["T2M"] != others["T2M"]).any()
    scores = pd.read_csv(results / "scores" / "summary.csv")
    assert {"driven", "driven_raw", "small", "perfect"} <= set(scores["system"])
    page = (results / "report" / "scorecard.html").read_text()
    assert "driven" in page
