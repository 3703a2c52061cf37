"""A run whose variables have roles, from the simulated archive to the page."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from small_experiment import Experiment, planned

GIVEN = {
    "predicted": ["T2M", "U10", "V10"],
    "diagnosed": ["REFC", "APCP"],
    "input": ["D2M", "CAPE", "U700", "V700"],
}


@pytest.mark.slow
def test_inputs_are_learnt_from_and_neither_forecast_nor_scored(experiment: Experiment) -> None:
    config = experiment.config
    config["variables"] = GIVEN
    config["ensembles"]["systems"] = [
        system
        for system in config["ensembles"]["systems"]
        if system["name"] not in ("href_mean_spread", "climatology")
    ]
    experiment.configure(config)
    run = experiment.snakemake()
    assert run.returncode == 0, run.stdout
    results = experiment.results
    with xr.open_dataset(results / "fields" / "hrrr" / "20260601.nc") as analyses:
        assert {*GIVEN["predicted"], *GIVEN["diagnosed"], *GIVEN["input"]} <= set(analyses)
    content = torch.load(results / "models" / "small" / "model.pt", weights_only=True)
    assert content["roles"] == GIVEN
    plan = json.loads((results / "models" / "small" / "plan.json").read_text())
    assert plan["variables"] == [
        *GIVEN["predicted"],
        *GIVEN["diagnosed"],
        *GIVEN["input"],
    ]
    forecast = {"T2M", "U10", "V10", "REFC", "APCP", "WIND10"}
    scores = pd.read_csv(results / "scores" / "summary.csv")
    assert set(scores["variable"].dropna()) == forecast
    for system in ("small", "href", "perfect"):
        with xr.open_dataset(results / "ensembles" / system / "2026060206.nc") as members:
            assert set(members.data_vars) & set(GIVEN["input"]) == set()
            for name in GIVEN["diagnosed"]:
                assert np.isfinite(members[name]).all()
    assert (results / "report" / "scorecard.html").exists()
    # The longest lead decides how old inputs grow, which is learnt; the others do not.
    for leads, trained in [([2], {}), ([1], {"models_train": 1})]:
        config["leads"] = leads
        experiment.configure(config)
        of_model = ("results/models/small/model.pt", "--allowed-rules", "models_train")
        assert planned(experiment, *of_model) == trained
