"""The whole workflow on real HRRR crops, with a short training.

Slow: each stage has quicker tests on these files.
"""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from small_experiment import check_out, idaho_config, set_up
from station_files import OWN_COLUMNS

pytestmark = pytest.mark.slow

HUMIDITY = {
    "long_name": "2 m relative humidity",
    "units": "%",
    "grib": {
        **{"discipline": 0, "category": 1, "number": 1},
        **{"abbreviation": "RH", "surfaces": [103], "level": 2},
    },
    **{"lower": 0, "upper": 110, "precision": 0.1, "colours": "YlGnBu"},
}


# Boise, Mountain Home, one that is never used, and a place far to the east, each hour at 53 past.
STATIONS = {
    "KBOI": (-116.22, 43.57, 874),
    "KMUO": (-115.87, 43.05, 913),
    "KOLD": (-115.9, 43.1, 900),
    "KFAR": (-110.0, 43.0, 1900),
}
REPORTS = "".join(
    f"{name},2018-07-22 {hour}:53,{longitude},{latitude},{elevation},{hour + 12},270,{hour}\n"
    for hour in (19, 20, 21)
    for name, (longitude, latitude, elevation) in STATIONS.items()
)


@pytest.fixture(scope="module")
def idaho(real_data, tmp_path_factory):
    config = idaho_config()
    config["archive"]["source"] = {"mirror": str(real_data / "hrrr_idaho")}
    config["periods"]["test"]["end"] = "2018-07-22T22:00"  # one case instead of three
    # One of the table's other rows, and one that nobody has built in.
    config["variables"] += ["HPBL", "RH2M"]
    config["variable_table"] = {"RH2M": HUMIDITY}
    folder = tmp_path_factory.mktemp("idaho")
    (folder / "obs").mkdir()
    (folder / "obs" / "july.csv").write_text(f"stid,time,lon,lat,elev,temp,dd,ff\n{REPORTS}")
    source = {"files": str(folder / "obs"), "columns": OWN_COLUMNS}
    config["archive"]["stations"] = {"source": source, "exclude": ["KOLD"]}
    # Climatology is of 01 to 16 UTC, mostly a night: half of it is colder than any afternoon.
    config["scores"]["thresholds"] = {"T2M": ["p50"], "U10": ["p50"]}
    config["fields"] = {"static": ["OROG", "LAND"]}
    experiment = set_up(check_out(folder / "checkout"), config)
    run = experiment.snakemake()
    assert run.returncode == 0, run.stdout
    return experiment


def test_the_one_hour_forecasts_stand_in_for_the_analysis(idaho):
    with xr.open_dataset(idaho.results / "fields" / "hrrr" / "20180722.nc") as day:
        assert day.sizes["time"] == 20  # 01 to 16 to learn from, 19 to 22 to score
        assert day["T2M"].shape[1:] == (78, 41)
        assert "REFC" not in day


def test_the_absurd_dew_point_is_counted_and_masked(idaho):
    quality = idaho.results / "fields" / "quality" / "hrrr" / "20180722.csv"
    (finding,) = pd.read_csv(quality, dtype={"valid": str}).to_dict("records")
    assert (finding["variable"], finding["treatment"]) == ("D2M", "mask")
    assert finding["lowest"] == pytest.approx(209.4, abs=0.1)
    with xr.open_dataset(idaho.results / "fields" / "hrrr" / "20180722.nc") as day:
        assert int(np.isnan(day["D2M"].values).sum()) == finding["suspicious"]
        assert day.attrs["incomplete_times"] == finding["valid"]
        assert float(day["D2M"].min()) > 213.0


def test_scores_come_out_for_all_variables_and_wind_speed(idaho):
    summary = pd.read_csv(idaho.results / "scores" / "summary.csv")
    assert set(summary["variable"]) == {
        "T2M",
        "D2M",
        "U10",
        "V10",
        "CAPE",
        "CIN",
        "WIND10",
        "HPBL",
        "RH2M",
    }
    assert set(summary["system"]) == {"small", "persistence", "climatology"}
    assert (summary["cases"] == 1).all()
    # One day is one block: no interval can be given.
    assert summary["ci_low"].isna().all()


def test_members_are_physical(idaho):
    with xr.open_dataset(idaho.results / "ensembles" / "small" / "2018072219.nc") as ensemble:
        assert float(ensemble["CAPE"].min()) >= 0.0
        assert float(ensemble["CIN"].max()) <= 0.0


def test_the_mirror_is_left_as_it_was(idaho, real_data):
    assert not list((real_data / "hrrr_idaho").rglob("*.idx"))


def test_there_is_a_scorecard(idaho):
    assert (idaho.results / "report" / "scorecard.html").stat().st_size > 10_000


def test_scores_at_stations_come_out_with_counts(idaho):
    scores = idaho.results / "scores"
    summary = pd.read_csv(scores / "stations.csv")
    assert set(summary["variable"]) == {"T2M", "U10", "V10", "WIND10"}
    assert set(summary["system"]) == {"small", "persistence", "climatology"}
    chosen = summary[summary["which"] == "all"]
    assert set(chosen["stations"]) == {2}
    assert (chosen[chosen["metric"] == "points"]["value"] == 2).all()
    events = chosen[chosen["metric"] == "base_rate"].set_index("variable")
    assert set(events.index) == {"T2M"}
    assert set(events["threshold"]) == {"p50"}
    assert (events["value"] == 1.0).all()
    dropped = pd.read_csv(scores / "stations_dropped.csv")
    assert dropped.to_dict("records") == [{"station": "KFAR", "reason": "outside the grid"}]
    places = pd.read_csv(scores / "stations_by_place.csv")
    assert set(places["station"]) == {"KBOI", "KMUO"}
    # The Snake River Plain: the model's terrain is within some hundred metres of the stations'.
    assert (abs(places["terrain"] - places["elevation"]) < 300).all()
    persistence = places[(places["system"] == "persistence") & (places["variable"] == "T2M")]
    # Reports of 31 to 33 degrees on a hot afternoon.
    assert (abs(persistence["bias"]) < 10).all()


def test_the_land_mask_is_read(idaho):
    with xr.open_dataset(idaho.results / "fields" / "static.nc") as static:
        assert set(np.unique(static["LAND"])) <= {0.0, 1.0}
        assert float(static["LAND"].mean()) > 0.9


def test_the_page_shows_scores_against_stations(idaho):
    page = (idaho.results / "report" / "scorecard.html").read_text()
    assert "Against stations" in page
    assert "2 stations count." in page
    assert "1 station left out: outside the grid (1)." in page
    # Temperature, wind speed and both components at three hours.
    assert "Of the reports, 12 values were dropped: blacklisted 12." in page
