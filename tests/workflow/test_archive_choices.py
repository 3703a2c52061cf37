"""`archive.truth` and `archive.missing: older_run` through the rules, from a server to the scores.

Each file of the archive holds the same field, moved by a number of its own, so that errors are
known beforehand.
"""

import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "archive"))

from archive_inventory import write_inventory
from archive_messages import variable_message
from archive_mirror import DAY, STATE, write_analyses, write_file
from archive_server import serving
from mosaic_bucket import BUCKET, key
from mosaic_bucket import serving as serving_bucket

from stormdraw.grids import latitude_longitude
from stormdraw.simulated.mosaic_messages import NO_COVERAGE, mosaic_file

SIX, SEVEN = datetime(2026, 6, 1, 6), datetime(2026, 6, 1, 7)
MESOSCALE = ("T2M", "D2M", "U10", "V10")
ABSENT = "hrrr.20260601/conus/hrrr.t01z.wrfsfcf00.grib2"
OLDER = "hrrr.20260601/conus/hrrr.t00z.wrfsfcf01.grib2"

# How much larger the truth at 07 UTC is than the analysis of 06 UTC that persistence keeps.
STEP = {"urma": 3.0, "rtma": 3.0, "hrrr_f01": 1.0}

CONFIG = {
    "title": "Other truths",
    "variables": list(STATE),
    "periods": {
        "training": {"start": "2026-06-01T00:00", "end": "2026-06-01T01:00"},
        "test": {"start": "2026-06-01T06:00", "end": "2026-06-01T07:00"},
    },
    "leads": [1],
    "fields": {"static": [], "suspicious": "keep"},
    "models": [],
    "ensembles": {
        "systems": [
            {"name": "persistence", "method": "baseline", "kind": "persistence"},
            {"name": "climatology", "method": "baseline", "kind": "climatology"},
        ]
    },
    "scores": {"reference": "persistence"},
}


def write_truth(site: Path, truth: str) -> None:
    """The file that the truth at 07 UTC comes from, under the name of its public bucket."""
    if truth == "hrrr_f01":
        write_file(site / "hrrr.20260601/conus/hrrr.t06z.wrfsfcf01.grib2", SIX, 1)
        return
    path = site / f"{truth}2p5.20260601" / f"{truth}2p5.t07z.2dvaranl_ndfd.grb2_wexp"
    path.parent.mkdir()
    values = {name: 10.0 * STATE.index(name) + STEP[truth] for name in MESOSCALE}
    messages = [variable_message(name, SEVEN, 0, value=value) for name, value in values.items()]
    path.write_bytes(b"".join(messages))
    write_inventory(path)


@pytest.mark.slow
@pytest.mark.parametrize("truth", STEP)
def test_from_a_server_to_the_scores(truth, experiment, tmp_path):
    site = tmp_path / "site"
    write_analyses(site)
    write_truth(site, truth)
    (site / ABSENT).unlink()
    write_file(site / OLDER, DAY, 1)
    with serving(site) as server:
        archive = {"source": {"mirror": server.address}, "truth": truth, "missing": "older_run"}
        experiment.configure(CONFIG | {"archive": archive})
        tables = ["results/scores/summary.csv", "results/scores/analysis.csv"]
        run = experiment.snakemake(*tables, "results/archive/audit.csv")
    assert run.returncode == 0, run.stdout
    audit = pd.read_csv(experiment.results / "archive" / "audit.csv", keep_default_na=False)
    replaced = audit.query("status == 'older_run'")
    assert replaced["valid"].tolist() == ["2026-06-01T01:00"]
    assert replaced["replaced_by"].tolist() == [OLDER.replace("/conus", "")]
    assert audit["source"].tolist() == ["hrrr"] * 4 + ["truth"]
    # The older run's forecast is 1 more than the analysis of the hour before it.
    with xr.open_dataset(experiment.results / "fields" / "hrrr" / "20260601.nc") as day:
        assert day["time"].dt.hour.values.tolist() == [0, 1, 6, 7]
        assert np.allclose(day["T2M"][1] - day["T2M"][0], 1.0, atol=1e-3)
    summary = pd.read_csv(experiment.results / "scores" / "summary.csv")
    errors = summary.query("system == 'persistence' and metric == 'rmse'").set_index("variable")
    own = STATE if truth == "hrrr_f01" else MESOSCALE
    for name in STATE:
        expected = STEP[truth] if name in own else 0.0
        # Components towards the compass are turned to the grid's axes, by 0.04 degrees so near its
        # central meridian: three of each become 3 (cos -+ sin).
        tolerance = 3e-3 if name in ("U10", "V10") and expected else 1e-3
        assert errors.loc[name, "value"] == pytest.approx(expected, abs=tolerance), name
    # The analysis of 07 UTC is that of 06 UTC, which persistence keeps.
    analysis = pd.read_csv(experiment.results / "scores" / "analysis.csv")
    errors = analysis.query("system == 'persistence' and metric == 'rmse'").set_index("variable")
    winds = ["WIND10"] if "U10" in own else []
    assert sorted(errors.index) == sorted([*own, *winds])
    assert errors["value"].to_numpy() == pytest.approx(0.0, abs=1e-3)


@pytest.mark.slow
def test_from_a_bucket_with_radars_to_the_scores(experiment):
    """The mosaic of 07 UTC is 3 dBZ everywhere, and has no coverage west of 97.48 W."""
    seen = latitude_longitude(-97.7, -97.2, 35.8, 36.3, (51, 51))
    west = np.broadcast_to(np.array(seen.x) < -97.48, seen.shape)
    time = SEVEN.replace(second=40)
    mosaic = mosaic_file(np.where(west, NO_COVERAGE, 3.0), seen, time)
    site = experiment.results.parent / "site"
    write_analyses(site)
    files = {path.relative_to(site): path for path in site.rglob("*") if path.is_file()}
    with serving_bucket() as bucket:
        bucket.put({str(name): path.read_bytes() for name, path in files.items()})
        bucket.put({key(time): mosaic})
        archive = {
            "source": {"mirror": f"{bucket.endpoint}/{BUCKET}"},
            "truth": {"default": "hrrr", "REFC": "mrms"},
        }
        experiment.configure(CONFIG | {"archive": archive})
        run = experiment.snakemake("results/scores/summary.csv", "results/archive/audit.csv")
    assert run.returncode == 0, run.stdout
    audit = pd.read_csv(experiment.results / "archive" / "audit.csv", keep_default_na=False)
    assert audit["source"].tolist() == ["hrrr"] * 4 + ["truth"]
    assert audit["origin"].iloc[-1] == f"{bucket.endpoint}/{BUCKET}/{key(time)}"
    summary = pd.read_csv(experiment.results / "scores" / "summary.csv")
    errors = summary.query("system == 'persistence' and metric == 'rmse'")
    with xr.open_dataset(experiment.results / "fields" / "hrrr" / "20260601.nc") as day:
        kept = day["REFC"].sel(time=SIX).values[:, 1:]
    # The first of five columns is at 97.5 W, and the next 3 km east of it. Areas differ by 0.1 %.
    expected = dict.fromkeys(STATE, 0.0) | {"REFC": np.sqrt(((3.0 - kept) ** 2).mean())}
    for name, error in expected.items():
        found = errors.query("variable == @name")["value"].item()
        assert found == pytest.approx(error, abs=3e-3), name
    missing = pd.read_csv(experiment.results / "scores" / "missing.csv")
    lacking = missing.query("system == 'persistence'")
    assert lacking["variable"].tolist() == ["REFC"]
    assert lacking["missing_truth"].tolist() == [4]
