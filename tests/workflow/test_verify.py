"""`snakemake verify`: forecasts by the clock are scored when their truth has come, and once."""

from typing import Any

import pandas as pd
import pytest
import xarray as xr
from small_experiment import CONFIG, Experiment, planned

from stormdraw.report.style import read_label

# Truth of the later cycle comes at 16 UTC.
LATE = {"2026-06-02T08:00": 7}
SYSTEMS = ("small", "href", "href_mean_spread", "persistence")


def by_the_clock(now: str) -> dict[str, Any]:
    simulated = {**CONFIG["archive"]["simulated"], "now": now, "late": LATE}
    return {**CONFIG, "archive": {**CONFIG["archive"], "simulated": simulated}}


@pytest.fixture(scope="module")
def drawn(finished: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """The finished study with forecasts of two cycles, of which one can be verified."""
    experiment = finished.copy(tmp_path_factory.mktemp("verify") / "checkout")
    experiment.configure(by_the_clock("2026-06-02T10:00"))
    cycles = "cycle=[2026060200,2026060206]"
    members = [f"results/forecasts/ensembles/small/{init}.nc" for init in (2026060200, 2026060206)]
    run = experiment.snakemake(*members, "--config", cycles)
    assert run.returncode == 0, run.stdout
    return experiment


@pytest.fixture(scope="module")
def first(drawn: Experiment) -> dict[str, int]:
    """The times of the files of the first verification, in nanoseconds, once it has scored."""
    run = drawn.snakemake("results/forecasts/scores/summary.csv", "--config", "verify=true")
    assert run.returncode == 0, run.stdout
    told = "2026-06-02 06 UTC waits for 1 of 23 files: hrrr sfc of 2026-06-02 08 UTC + 0 h"
    assert told in run.stdout
    return times(drawn)


@pytest.fixture(scope="module")
def verified(drawn: Experiment, first: dict[str, int]) -> Experiment:
    """The same when the late truth has come."""
    drawn.configure(by_the_clock("2026-06-02T16:00"))
    run = drawn.snakemake("verify")
    assert run.returncode == 0, run.stdout
    return drawn


def times(experiment: Experiment) -> dict[str, int]:
    """When members and scores of cases were written."""
    folder = experiment.results / "forecasts"
    paths = [*folder.glob("ensembles/*/*.nc"), *folder.glob("scores/*/2*.nc")]
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in paths}


def test_a_case_is_scored_as_in_a_study_and_no_member_is_drawn_again(
    verified: Experiment, first: dict[str, int]
) -> None:
    now = times(verified)
    assert {path: now[path] for path in first} == first
    assert {path.split("/")[1] for path in now.keys() - first.keys()} == set(SYSTEMS)
    for system in ("small", "href", "persistence"):
        for init in ("2026060200", "2026060206"):
            case = f"scores/{system}/{init}.nc"
            with (
                xr.open_dataset(verified.results / "forecasts" / case) as own,
                xr.open_dataset(verified.results / case) as of_study,
            ):
                xr.testing.assert_equal(own["crps_fair_sum"], of_study["crps_fair_sum"])
                assert (own["points"] > 0).all()


def test_the_scores_are_of_both_cycles(verified: Experiment) -> None:
    folder = verified.results / "forecasts"
    summary = pd.read_csv(folder / "scores" / "summary.csv")
    assert set(summary["system"]) == set(SYSTEMS)
    assert set(summary["cases"].dropna()) == {2}
    page = (folder / "report" / "scorecard.html").read_text()
    assert "Skill over time" in page
    label = read_label(folder / "report" / "figures" / "rolling_skill.svg")
    assert "Skill against href by initial time" in label.description


def test_nothing_is_done_twice_and_what_was_scored_outlives_its_members(
    verified: Experiment,
) -> None:
    assert planned(verified, "verify") == {}
    folder = verified.results / "forecasts"
    for path in [*folder.glob("ensembles/*/2026060200.nc"), folder / "points" / "2026060200.nc"]:
        path.unlink()
    jobs = planned(verified, "verify")
    assert not jobs.keys() & {"ensembles_take", "ensembles_sample", "scores_case", "fields_truth"}
    # Even if the code of scores changes, the others stay as they are, and no member is drawn.
    again = planned(verified, "verify", "--forcerun", "scores_case", "fields_normalise")
    assert again["scores_case"] == len(SYSTEMS)
    assert "ensembles_sample" not in again


def test_a_study_in_the_folder_stays_as_it_was(verified: Experiment, finished: Experiment) -> None:
    for path in ("scores/summary.csv", "report/scorecard.html", "ensembles/small/2026060206.nc"):
        own, of_study = verified.results / path, finished.results / path
        assert own.stat().st_mtime_ns == of_study.stat().st_mtime_ns
