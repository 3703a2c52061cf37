"""Downscaling, from the archive to scores: a system that has two of five variables."""

import copy
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from small_experiment import CONFIG, Experiment

DOWNSCALER: dict[str, Any] = {
    "family": "block_mlp",
    "network": {"block": 8, "hidden": 16},
    "prediction": "v",
    "target": "block",
    "variable": "T2M",
    "noise_schedule": {"timesteps": 50},
    "training": {"epochs": 1, "batch_size": 4, "accumulation": 1, "crop": [8, 8]},
}


@pytest.mark.slow
def test_downscaled_systems_are_drawn_and_scored(experiment: Experiment) -> None:
    """23 x 27 points: 3 x 4 blocks of 8, the last of each row and column moved back."""
    config = copy.deepcopy(CONFIG)
    config["models"] = ["fine_t2m", "fine_d2m"]
    fine = {"method": "downscale", "models": ["fine_d2m", "fine_t2m"], "steps": 4}
    config["ensembles"]["systems"] = [
        {"name": "of_hrrr", "source": "hrrr", **fine},
        {"name": "of_lagged", "source": "lagged", "ages": [0, 1, 2], "members": 4, **fine},
        {"name": "of_href", "source": "reference", "members": 12, **fine},
        {"name": "hrrr", "method": "baseline", "kind": "hrrr"},
    ]
    config["scores"] = {"reference": "hrrr"}
    experiment.configure(config)
    shared = experiment.model_path.with_name("fine.yaml")
    shared.write_text(yaml.safe_dump(DOWNSCALER))
    run = experiment.snakemake("results/scores/summary.csv")
    assert run.returncode == 0, run.stdout

    ensembles, fields = experiment.results / "ensembles", experiment.results / "fields"
    case = "2026060206.nc"
    for system, source, sources, members in (
        ("of_hrrr", "hrrr_forecast", 1, 5),
        ("of_lagged", "hrrr_lagged", 3, 4),
        ("of_href", "href", 10, 12),
    ):
        with (
            xr.open_dataset(ensembles / system / case) as drawn,
            xr.open_dataset(fields / source / case) as forecasts,
        ):
            assert set(drawn.data_vars) == {"T2M", "D2M"}
            assert drawn.attrs["not_downscaled"] == "REFC U10 V10"
            assert drawn["T2M"].shape == (members, 2, 23, 27)
            assert np.isfinite(drawn["T2M"]).all()
            whole = np.s_[..., 8:16, 16:24]
            own = forecasts["T2M"].values.reshape(sources, 2, 23, 27)[whole].mean(axis=(-2, -1))
            expected = own[np.arange(members) % sources]
            means = drawn["T2M"].values[whole].mean(axis=(-2, -1))
            np.testing.assert_allclose(means, expected, atol=2e-3)
            assert drawn["T2M"].values.std(axis=(-2, -1)).min() > 0.1

    summary = pd.read_csv(experiment.results / "scores" / "summary.csv")
    fair = summary[summary["metric"] == "crps_fair"].groupby("system")["variable"].unique()
    assert set(fair["of_hrrr"]) == {"T2M", "D2M"}
    assert set(fair["hrrr"]) == {"REFC", "T2M", "D2M", "U10", "V10", "WIND10"}

    before = (ensembles / "of_lagged" / case).read_bytes()
    (ensembles / "of_lagged" / case).unlink()
    target = f"results/ensembles/of_lagged/{case}"
    alone = ("--allowed-rules", "ensembles_downscale", "--rerun-triggers", "mtime")
    again = experiment.snakemake(target, *alone)
    assert again.returncode == 0, again.stdout
    with xr.open_dataset(ensembles / "of_lagged" / case) as dataset:
        made_again = {name: dataset[name].values for name in ("T2M", "D2M")}
    (ensembles / "of_lagged" / case).write_bytes(before)
    with xr.open_dataset(ensembles / "of_lagged" / case) as dataset:
        for name, values in made_again.items():
            # Kelvins in float32, of a network that may sum in another order.
            np.testing.assert_allclose(values, dataset[name].values, rtol=0, atol=1e-3)
