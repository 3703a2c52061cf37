"""`archive.stations` through the rules, with own station files and in the simulated world."""

import sys
from pathlib import Path

import pandas as pd
import pytest
from small_experiment import CONFIG, check_out, idaho_config, planned, set_up
from station_files import OWN_COLUMNS

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "archive"))

from test_station_days import OWN

from stormdraw.archive.stations.table import read_stations
from stormdraw.simulated.stations import CELSIUS, STUCK

REPORTS = "results/archive/stations/20180722.parquet"


@pytest.fixture(scope="module")
def idaho(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stations")
    (folder / "obs").mkdir()
    (folder / "obs" / "july.csv").write_text(OWN)
    (folder / "mirror").mkdir()
    config = idaho_config()
    config["archive"]["source"] = {"mirror": str(folder / "mirror")}
    config["archive"]["stations"] = {
        "source": {"files": str(folder / "obs"), "columns": OWN_COLUMNS},
        "exclude": str(folder / "exclude.txt"),
    }
    (folder / "exclude.txt").write_text("C\n")
    return set_up(check_out(folder / "checkout"), config)


def test_own_reports_are_made_once_and_again_when_what_they_depend_on_changes(idaho):
    assert planned(idaho)["archive_stations"] == 2
    run = idaho.snakemake(REPORTS)
    assert run.returncode == 0, run.stdout
    table = read_stations([idaho.folder / REPORTS])
    assert list(table["station"]) == ["A", "B", "A"]
    assert planned(idaho, REPORTS) == {}
    (idaho.folder.parent / "exclude.txt").write_text("A\n")
    assert planned(idaho, REPORTS) == {"archive_stations": 1}
    (idaho.folder.parent / "exclude.txt").write_text("C  # as before\n")
    assert planned(idaho, REPORTS) == {}
    (idaho.folder.parent / "obs" / "20180722.csv").write_text(OWN)
    assert planned(idaho, REPORTS) == {"archive_stations": 1}


def test_each_case_is_scored_at_stations_when_it_is_scored(idaho):
    jobs = planned(idaho)
    assert jobs["scores_stations"] == jobs["scores_case"] == 9
    assert jobs["scores_stations_summary"] == 1


def test_what_the_files_lack_ends_the_run_before_its_first_job(idaho):
    config = idaho.config
    columns = config["archive"]["stations"]["source"]["columns"]
    columns["D2M"] = {"name": "dew", "units": "degC"}
    before = idaho.config
    idaho.configure(config)
    run = idaho.snakemake("--dry-run")
    idaho.configure(before)
    assert run.returncode != 0
    assert "has no column dew" in run.stdout
    assert "Traceback" not in run.stdout


@pytest.mark.slow
def test_the_simulated_world_reports_and_a_station_less_simulates_nothing_anew(experiment):
    reports = "results/archive/stations/20260602.parquet"
    config = CONFIG | {"archive": CONFIG["archive"] | {"stations": {}}}
    experiment.configure(config)
    run = experiment.snakemake(reports)
    assert run.returncode == 0, run.stdout
    table = read_stations([experiment.folder / reports])
    assert set(table["station"]) == {f"S{number:03d}" for number in range(12)}
    assert set(table["valid"].dt.hour) == {1, 2, 7, 8}
    dropped = pd.read_csv(experiment.results / "archive" / "stations" / "quality" / "20260602.csv")
    assert set(dropped["station"]) == {STUCK, CELSIUS}
    assert planned(experiment, reports) == {}
    config["archive"]["stations"] = {"exclude": ["S005"]}
    experiment.configure(config)
    assert planned(experiment, reports) == {"archive_stations": 1}
