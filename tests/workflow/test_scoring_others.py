"""A run that learns nothing: two ensembles of others against a truth of others, to the page."""

import json
import re
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import properscoring
import pytest
import xarray as xr
from others_files import configuration, members, state, write_ensemble, write_truth
from small_experiment import Experiment, check_out, set_up
from started_snakemake import run_snakemake

INITS = [datetime(2024, 5, day) for day in (1, 2)]


def write_files(folder: Path) -> None:
    """`theirs` lacks member 2 of the first case at 2 h, `older` all of it at 1 h of the second."""
    for init in INITS:
        for hour in (1, 2):
            write_truth(folder / "truth", init.replace(hour=hour))
    write_ensemble(folder / "theirs", INITS[0], [1, 2], 4, 1, without=[(2, 2)])
    write_ensemble(folder / "theirs", INITS[1], [1, 2], 4, 1)
    write_ensemble(folder / "older", datetime(2024, 4, 30, 18), [7, 8], 3, 2)
    write_ensemble(folder / "older", datetime(2024, 5, 1, 18), [8], 3, 2)


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """The run, finished."""
    experiment = set_up(check_out(tmp_path_factory.mktemp("others") / "checkout"))
    write_files(experiment.folder / "data")
    experiment.configure(configuration("data"))
    # The rules that no other run has; the jobs of the others are forked.
    own = ["results/fields/truth/20240501.nc", "results/ensembles/theirs/2024050100.nc"]
    for run in (experiment.snakemake(*own), experiment.snakemake(forked_jobs=True)):
        assert run.returncode == 0, run.stdout
    return experiment


def test_nothing_of_an_archive_or_a_model_is_made(scored: Experiment) -> None:
    made = {path.name for path in scored.results.iterdir() if path.is_dir()}
    assert {"archive", "models"} & made == set()
    assert not (scored.results / "fields" / "statistics.nc").exists()
    logs = {path.name.removesuffix(".log") for path in (scored.results / "logs").iterdir()}
    assert logs == {
        *("fields_truth", "ensembles_read", "scores_points", "scores_case", "scores_summary"),
        *("scores_second_opinion", "scores_check"),
        *("report_map", "report_figure", "report_scorecard"),
    }


def test_scores_are_those_of_the_files(scored: Experiment) -> None:
    """The CRPS at 2 h of properscoring, of three members where one is missing."""
    summary = pd.read_csv(scored.results / "scores" / "summary.csv")
    expected = []
    for init in INITS:
        valid = init.replace(hour=2)
        own = members("T2M", valid, 4, 1)
        if init == INITS[0]:
            own = np.delete(own, 2, axis=0)
        crps = properscoring.crps_ensemble(state("T2M", valid), np.moveaxis(own, 0, -1))
        expected.append(crps.mean())
    chosen = summary.query(
        "system == 'theirs' and variable == 'T2M' and lead_hours == 2 and metric == 'crps_standard'"
    )
    # The map is one of equal areas.
    assert chosen["value"].item() == pytest.approx(np.mean(expected), rel=1e-6)


def test_other_libraries_agree(scored: Experiment) -> None:
    """From the truth's NetCDF on, which was put on the grid; on a map of equal areas."""
    check = pd.read_csv(scored.results / "scores" / "check.csv")
    assert set(check["system"]) == {"theirs", "older"}
    assert set(check["starts_from"]) == {
        "NetCDF of the truth, which is not GRIB2 on the base model's grid"
    }
    libraries = set(check["library"].str.partition(" ")[0])
    assert libraries == {"properscoring", "xskillscore", "xarray"}
    assert check["relative_difference"].max() < 1e-6


def rows(table: pd.DataFrame, *columns: str) -> set[tuple]:
    return set(table[list(columns)].itertuples(index=False, name=None))


def test_gaps_are_stated(scored: Experiment) -> None:
    missing = pd.read_csv(scored.results / "scores" / "missing.csv", dtype={"init": str})
    theirs = missing[missing["system"] == "theirs"]
    assert rows(theirs, "init", "lead_hours", "absent_members") == {("2024050100", 2, 1)}
    older = missing[missing["system"] == "older"]
    assert rows(older, "init", "lead_hours", "points") == {("2024050200", 1, 0)}
    summary = pd.read_csv(scored.results / "scores" / "summary.csv")
    cases = summary.query("metric == 'crps_fair' and variable == 'T2M'")
    # Systems are compared on the same cases, so both do without what one lacks.
    assert rows(cases, "system", "lead_hours", "cases") == {
        (system, lead, 1 if lead == 1 else 2) for system in ("theirs", "older") for lead in (1, 2)
    }


def test_the_page_says_when_systems_were_there_and_has_no_models(scored: Experiment) -> None:
    page = (scored.results / "report" / "scorecard.html").read_text()
    assert (
        "The runs of older start 6 h before each case and are available 2 h later, 4 h before"
        in page
    )
    assert "analysis of theirs" in page
    assert 'id="models"' not in page
    assert "Simulated archive" not in page
    headline = json.loads((scored.results / "report" / "headline.json").read_text())
    assert headline["simulated"] is False
    assert headline["reference"] == "theirs"
    assert headline["winner"] is None
    assert {row["system"] for row in headline["scores"]} == {"theirs", "older"}


def test_what_a_real_ensemble_would_run(scored: Experiment, real_data: Path) -> None:
    """README's commands, up to the jobs; and other days on the command line.

    Of a month of which two days have files, one of these is checked by other libraries.
    """
    if not (real_data / "mogreps_uk").is_dir():
        pytest.skip(f"no MOGREPS-UK at {real_data}")
    (scored.folder / "mogreps_uk").symlink_to(real_data / "mogreps_uk")
    jobs, checked = [], []
    day = "periods={test: {start: 2017-06-03T03:00, end: 2017-06-03T15:00}}"
    month = "periods={test: {start: 2017-05-15T03:00, end: 2017-06-15T15:00}}"
    for more in ([], ["--config", day], ["--config", month]):
        arguments = ["-n", "--cores", "1", "--configfile", "config/mogreps.yaml", *more]
        run = run_snakemake(arguments, scored.folder, scored.environment(), timeout=300)
        assert run.returncode == 0, run.stdout
        jobs.append(dict(re.findall(r"^(\w+) +(\d+)$", run.stdout, re.MULTILINE)))
        checked += re.findall(r"Scoring mogreps at (\d+) by other libraries", run.stdout)
    assert [one["ensembles_read"] for one in jobs] == ["2", "1", "32"]
    assert checked[1] == "2017060303"
    assert {*checked} <= {"2017060203", "2017060303"}
    assert not [rule for rule in jobs[0] if rule.startswith(("archive", "models"))]


def test_a_file_that_changes_is_read_again_and_no_other(scored: Experiment, tmp_path: Path) -> None:
    """Last, since it changes the run."""
    assert scored.snakemake("-n").stdout.count("Nothing to be done") == 1
    write_ensemble(scored.folder / "data" / "theirs", INITS[1], [1, 2], 4, 9)
    planned = scored.snakemake("-n").stdout
    assert "Reading theirs at 2024050200" in planned
    assert "Reading theirs at 2024050100" not in planned
    assert "Reading older" not in planned
    with xr.open_dataset(scored.results / "ensembles" / "theirs" / "2024050200.nc") as ensemble:
        np.testing.assert_array_equal(
            ensemble["T2M"][:, 0], members("T2M", INITS[1].replace(hour=1), 4, 1)
        )


@pytest.mark.slow
def test_our_own_run_read_back_as_that_of_others_has_equal_scores(
    finished: Experiment, tmp_path: Path
) -> None:
    """The members of a model, from `results/ensembles/`, against the analyses of the run."""
    experiment = set_up(check_out(tmp_path / "checkout"))
    own = finished.config
    config = {
        **{key: own[key] for key in ("seed", "variables", "leads", "cases")},
        "title": "read back",
        "periods": {"test": own["periods"]["test"]},
        "archive": {
            "truth": {"external": {"path": f"{finished.results}/fields/hrrr/{{valid:%Y%m%d}}.nc"}}
        },
        "ensembles": {
            "systems": [
                {
                    "name": name,
                    "method": "external",
                    "members": count,
                    "path": f"{finished.results}/ensembles/{{name}}/{{init:%Y%m%d%H}}.nc",
                    # The speed that is stored, too: that of packed components is another one.
                    "layout": {"variables": {name: name for name in (*own["variables"], "WIND10")}},
                }
                for name, count in (("small", 5), ("perfect", 5))
            ]
        },
        "scores": {"thresholds": {"REFC": [20.0, 30.0]}},
    }
    experiment.configure(config)
    run = experiment.snakemake("results/scores/summary.csv")
    assert run.returncode == 0, run.stdout
    key = ["system", "variable", "lead_hours", "metric"]
    before, after = (
        pd.read_csv(one.results / "scores" / "summary.csv").query(
            "metric in ('crps_fair', 'crps_standard', 'rmse', 'spread', 'bias')"
            " and system in ('small', 'perfect')"
        )
        for one in (finished, experiment)
    )
    pairs = before.merge(after, on=key, validate="one_to_one")
    assert len(pairs) == len(before) == len(after) > 0
    np.testing.assert_allclose(pairs["value_y"], pairs["value_x"], rtol=1e-6, atol=1e-6)
