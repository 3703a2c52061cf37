"""From nothing to a scorecard, in a folder of its own."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from small_experiment import CONFIG

# The calibrated system brings itself along as it is without.
SYSTEMS = [*(system["name"] for system in CONFIG["ensembles"]["systems"]), "small_raw"]
INITS = ["2026060200", "2026060206"]


def summary_of(experiment):
    return pd.read_csv(experiment.results / "scores" / "summary.csv")


def test_every_stage_left_its_files(finished):
    for system in SYSTEMS:
        for init in INITS:
            assert (finished.results / "ensembles" / system / f"{init}.nc").exists()
            assert (finished.results / "scores" / system / f"{init}.nc").exists()
    for path in ("model.pt", "metrics.json", "plan.json"):
        assert (finished.results / "models" / "small" / path).exists()
    assert (finished.results / "report" / "scorecard.html").stat().st_size > 10_000


def test_nothing_half_written_and_nothing_outside(finished):
    assert not list(finished.folder.rglob("*.partial*"))
    home = {path.name for path in finished.folder.parent.iterdir()}
    assert home <= {"checkout", ".cache"}


def test_summary_has_every_system_with_its_members(finished):
    summary = summary_of(finished)
    columns = "system,variable,lead_hours,metric,members,cases,value,ci_low,ci_high,undefined_share"
    # Columns that came later stand at the end.
    later = "against,threshold,width,probability,init_hour,valid_hour"
    assert list(summary.columns) == [*columns.split(","), *later.split(",")]
    members = summary.groupby("system")["members"].first()
    assert members["small"] == members["small_raw"] == members["perfect"] == 5
    assert members["href"] == 10
    assert members["persistence"] == 1
    assert (summary["cases"] == 2).all()
    assert set(summary["lead_hours"]) == {1, 2}
    assert set(summary.loc[summary["system"] == "href_mean_spread", "variable"]) == {
        *("T2M", "D2M", "WIND10")
    }


def test_the_perfect_ensemble_beats_climatology(finished):
    """Sampling noise is large here, but the sun alone separates these two."""
    fair = summary_of(finished).query("metric == 'crps_fair' and variable == 'T2M'")
    by_system = fair.groupby("system")["value"].mean()
    assert by_system["perfect"] < by_system["climatology"]
    assert by_system["perfect"] < by_system["persistence"]


@pytest.mark.parametrize("system", SYSTEMS)
def test_members_are_physical(finished, system):
    with xr.open_dataset(finished.results / "ensembles" / system / f"{INITS[0]}.nc") as ensemble:
        if ensemble.attrs.get("distribution") == "gaussian":
            assert (ensemble["T2M_spread"] >= 0).all()
            return
        assert (ensemble["D2M"] <= ensemble["T2M"] + 1e-3).mean() > 0.99
        assert float(ensemble["REFC"].min()) >= -10.0
        speed = np.hypot(ensemble["U10"], ensemble["V10"])
        # Drawn members are stored in steps: each number is off by up to half of one.
        steps = {name: ensemble[name].encoding.get("scale_factor", 0.0) for name in ensemble}
        stored = (steps["WIND10"] + 2**0.5 * steps["U10"]) / 2
        assert np.allclose(speed, ensemble["WIND10"], atol=1e-4 + stored)


def test_manifests_list_what_lies_beside_them(finished):
    for path in finished.results.glob("archive/*/*/manifest.csv"):
        manifest = pd.read_csv(path)
        assert (manifest["status"] == "ok").all()
        assert not manifest.duplicated(["file", "offset"]).any()
        for name, rows in manifest.groupby("file"):
            assert (path.parent / name).stat().st_size == rows["bytes"].sum()


def test_metrics_tell_each_epoch(finished):
    metrics = json.loads((finished.results / "models" / "small" / "metrics.json").read_text())
    assert [epoch["epoch"] for epoch in metrics["epochs"]] == [1, 2, 3]
    assert all(np.isfinite(epoch["train_loss"]) for epoch in metrics["epochs"])
