"""A time-lagged system, where ensembles go: what is drawn for it, and its scores."""

import copy
from typing import Any

import pandas as pd
import pytest
from small_experiment import CONFIG, Experiment, planned


def lagged() -> dict[str, Any]:
    """Cases at 00 and 06 UTC, of which runs of an hour before are members too."""
    config = copy.deepcopy(CONFIG)
    config["ensembles"] |= {
        "keep": False,
        "systems": [
            {"name": "small", "method": "diffusion", "model": "small", "steps": 3},
            {"name": "lagged", "method": "time_lagged", "of": "small", "ages": [0, 1]},
            {"name": "persistence", "method": "baseline", "kind": "persistence"},
        ],
    }
    config["archive"].pop("reference")
    config["scores"] = {"reference": "persistence"}
    return config


def test_older_runs_are_drawn_and_not_scored(experiment: Experiment) -> None:
    experiment.configure(lagged())
    jobs = planned(experiment, "results/scores/summary.csv")
    names = ("ensembles_sample", "ensembles_take", "scores_points", "scores_case")
    # Runs of 23, 00, 05 and 06 UTC; the two cases of the other two systems.
    assert [jobs[name] for name in names] == [4, 4, 2, 6]
    one = planned(experiment, "results/scores/lagged/2026060206.nc")
    # Persistence says which points count.
    assert [one[name] for name in names] == [2, 2, 1, 1]


@pytest.mark.slow
def test_a_lead_that_only_the_newest_run_reaches_has_its_members_alone(
    experiment: Experiment,
) -> None:
    experiment.configure(lagged())
    run = experiment.snakemake("results/scores/summary.csv")
    assert run.returncode == 0, run.stdout
    scores = pd.read_csv(experiment.results / "scores" / "summary.csv")
    own = scores[(scores["system"] == "lagged") & (scores["metric"] == "crps_fair")]
    # Three members of the newest run and two of the other, which ends at 2 h.
    assert own.groupby("lead_hours")["members"].unique().map(list).to_dict() == {1: [5], 2: [3]}
    assert (own["cases"] == 2).all()
    assert not list((experiment.results / "ensembles").rglob("*.nc"))


@pytest.mark.slow
def test_what_drives_older_runs_is_simulated_when_they_are_asked_for(
    experiment: Experiment,
) -> None:
    world = "results/archive/simulated_world.nc"
    config = lagged()
    config["archive"]["driving"] = {"model": "gfs"}
    everything = config["ensembles"]["systems"]
    config["ensembles"]["systems"] = [one for one in everything if one["name"] != "lagged"]
    experiment.configure(config)
    run = experiment.snakemake(world)
    assert run.returncode == 0, run.stdout
    assert planned(experiment, world) == {}
    config["ensembles"]["systems"] = everything
    experiment.configure(config)
    assert planned(experiment, world) == {"archive_simulate": 1}
