"""A run of its own that takes in the model of another run: equal members, and no training."""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from small_experiment import CONFIG, Experiment, check_out, planned, set_up


def given(finished: Experiment, **changes: Any) -> dict[str, Any]:
    """A test period only, on the archive of the finished experiment, with its model."""
    (drawn,) = [one for one in CONFIG["ensembles"]["systems"] if one["name"] == "small"]
    return {
        **{key: CONFIG[key] for key in ("title", "seed", "variables", "cases", "leads")},
        "periods": {"test": CONFIG["periods"]["test"]},
        "archive": {"source": {"mirror": str(finished.results / "archive" / "simulated")}},
        "models": [{"name": "theirs", "checkpoint": f"{finished.results}/models/small/model.pt"}],
        "ensembles": {
            "members": CONFIG["ensembles"]["members"],
            # The noise of a member depends on the name of its system.
            "systems": [{**drawn, "name": "small_raw", "model": "theirs", "calibrate": False}],
        },
        **changes,
    }


def test_members_are_those_of_the_run_that_trained_it(finished: Experiment, tmp_path: Path) -> None:
    experiment = set_up(check_out(tmp_path / "checkout"), given(finished))
    path = "results/ensembles/small_raw/2026060206.nc"
    run = experiment.snakemake(path)
    assert run.returncode == 0, run.stdout
    with (
        xr.open_dataset(experiment.folder / path) as own,
        xr.open_dataset(finished.folder / path) as theirs,
    ):
        assert own["T2M"].sizes["member"] == 5
        for name in theirs.data_vars:
            np.testing.assert_array_equal(own[name], theirs[name], err_msg=str(name))
    taken, trained = (
        folder / "models" / name / "model.pt"
        for folder, name in ((experiment.results, "theirs"), (finished.results, "small"))
    )
    assert taken.read_bytes() == trained.read_bytes()
    jobs = planned(experiment)
    assert not {"models_train", "fields_statistics", "models_diagnose"} & set(jobs)
    assert "report_scorecard" in jobs
    # The content decides, wherever it lies.
    moved = experiment.folder / "moved.pt"
    moved.write_bytes(trained.read_bytes())
    experiment.configure(given(finished, models=[{"name": "theirs", "checkpoint": "moved.pt"}]))
    assert planned(experiment, path) == {}


def test_what_does_not_fit_is_one_line_before_anything_runs(
    finished: Experiment, tmp_path: Path
) -> None:
    experiment = set_up(
        check_out(tmp_path / "checkout"), given(finished, variables=["REFC", "T2M"])
    )
    run = experiment.snakemake("-n")
    assert run.returncode != 0
    (line,) = [line for line in run.stdout.splitlines() if "models: theirs" in line]
    assert "was trained for REFC, T2M, D2M, U10, V10, but" in line
