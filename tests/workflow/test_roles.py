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
    "diagnosed": ["REFC"],
    "input": ["D2M", "CAPE"],
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
        assert {"T2M", "U10", "V10", "REFC", "D2M", "CAPE"} <= set(analyses.data_vars)
    content = torch.load(results / "models" / "small" / "model.pt", weights_only=True)
    assert content["roles"] == GIVEN
    plan = json.loads((results / "models" / "small" / "plan.json").read_text())
    assert plan["variables"] == ["T2M", "U10", "V10", "REFC", "D2M", "CAPE"]
    forecast = {"T2M", "U10", "V10", "REFC", "WIND10"}
    scores = pd.read_csv(results / "scores" / "summary.csv")
    assert set(scores["variable"].dropna()) == forecast
    for system in ("small", "href", "perfect"):
        of_case = next((results / "ensembles" / system).glob("2026*.nc"), None)
        if of_case is not None:
            with xr.open_dataset(of_case) as members:
                assert set(members.data_vars) & {"D2M", "CAPE"} == set()
                assert np.isfinite(members["REFC"]).all()
    assert (results / "report" / "scorecard.html").exists()
    # A longer lead makes inputs older, which a model must learn again; without inputs it need not.
    config["leads"] = [1, 2, 3]
    experiment.configure(config)
    assert planned(experiment)["models_train"] == 1
