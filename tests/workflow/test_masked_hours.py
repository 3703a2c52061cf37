"""HRRR's analyses as they come: the dew point fell to its sentinel at a few points of two hours."""

from pathlib import Path

import eccodes
import numpy as np
import pandas as pd
import pytest

from stormdraw.grib_encoding import pack
from stormdraw.settings import load_settings
from stormdraw.simulated.mirror import write_archive
from stormdraw.variables import variable

SENTINEL = 192.12
LEARNT_FROM, STARTED_FROM = "2026060105", "2026060206"


def spoil(path: Path) -> None:
    """The same file with three points of the dew point at the sentinel."""
    content = b""
    with open(path, "rb") as stream:
        while (handle := eccodes.codes_grib_new_from_file(stream)) is not None:
            keys = ("discipline", "parameterCategory", "parameterNumber")
            if (
                tuple(eccodes.codes_get(handle, key) for key in keys)
                == variable("D2M").grib.parameter
            ):
                values = eccodes.codes_get_values(handle)
                values[[0, 100, 500]] = SENTINEL
                pack(handle, values, 2)
            content += eccodes.codes_get_message(handle)
            eccodes.codes_release(handle)
    path.write_bytes(content)


@pytest.mark.slow
def test_masked_hours_are_passed_over_in_training_and_a_stated_gap_in_scores(experiment, tmp_path):
    config, mirror = experiment.config, tmp_path / "mirror"
    config["ensembles"]["systems"] = [
        {"name": "small", "method": "diffusion", "model": "small", "steps": 3},
        {"name": "persistence", "method": "baseline", "kind": "persistence"},
    ]
    config["archive"] |= {"reference": None}
    config["scores"] = {"reference": "persistence"}
    write_archive(load_settings(config), mirror, tmp_path / "world.nc")
    for time in (LEARNT_FROM, STARTED_FROM):
        spoil(mirror / f"hrrr.{time[:8]}" / "conus" / f"hrrr.t{time[8:]}z.wrfsfcf00.grib2")
    experiment.configure(config | {"archive": {"source": {"mirror": str(mirror)}}})
    run = experiment.snakemake("results/scores/summary.csv")
    assert run.returncode == 0, run.stdout
    log = (experiment.results / "logs" / "models_train" / "small.log").read_text()
    assert "1 of 12 hours have missing points and are left out" in log
    missing = pd.read_csv(experiment.results / "scores" / "missing.csv", dtype={"init": str})
    unstarted = missing[missing["system"] == "small"]
    assert set(unstarted["init"]) == {STARTED_FROM}
    assert set(unstarted["reason"]) == {"the initial state of 2026-06-02 06 UTC has missing points"}
    summary = pd.read_csv(experiment.results / "scores" / "summary.csv")
    assert (summary["cases"] == 1).all()
    assert np.isfinite(summary[summary["metric"] == "crps_fair"]["value"]).all()
