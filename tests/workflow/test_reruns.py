"""What runs again after a change, and what does not."""

import os
import re
import shutil

import pytest
import yaml
from small_experiment import edited_code, planned


@pytest.fixture(scope="module")
def changed(finished, tmp_path_factory):
    """A copy of the finished experiment that tests may change, one after the other."""
    return finished.copy(tmp_path_factory.mktemp("changed") / "checkout")


def test_touching_every_source_and_a_comment_rerun_nothing(changed):
    for path in changed.folder.rglob("*"):
        if path.suffix in {".py", ".smk", ".yaml"} and "results" not in path.parts:
            os.utime(path)
    path = changed.folder / "workflow_scripts" / "stormdraw" / "grids.py"
    text = path.read_text()
    path.write_text(text + "\n# a remark\n")
    try:
        assert planned(changed) == {}
    finally:
        path.write_text(text)


def test_a_learning_rate_retrains_that_model_and_what_follows(changed):
    text = changed.model_path.read_text()
    model = yaml.safe_load(text)
    model["training"]["learning_rate"] = 1e-4
    changed.model_path.write_text(yaml.safe_dump(model))
    try:
        jobs = planned(changed)
    finally:
        changed.model_path.write_text(text)
    assert jobs["models_train"] == 1
    # The system, and the same without calibration.
    assert jobs["ensembles_sample"] == jobs["scores_case"] == 4
    assert not {"archive_fetch", "fields_normalise", "fields_statistics"} & set(jobs)
    drawn = {"ensembles_calibrate", "ensembles_sample"}
    assert {rule for rule in jobs if rule.startswith("ensembles_")} == drawn


def test_the_code_of_a_score_never_retrains(changed):
    with edited_code(changed, "scores/statistics/crps.py"):
        jobs = planned(changed)
    assert jobs["scores_case"] == 14
    # What other libraries say does not depend on it; whether they agree does.
    assert (jobs.get("scores_second_opinion"), jobs["scores_check"]) == (None, 1)
    assert not {rule for rule in jobs if rule.startswith(("archive", "fields", "models", "ens"))}


def test_the_code_of_a_network_retrains(changed):
    with edited_code(changed, "models/networks/conditional_unet.py"):
        jobs = planned(changed)
    assert jobs["models_train"] == 1
    assert "fields_normalise" not in jobs


def test_the_code_that_writes_ensembles_makes_them_again(changed):
    with edited_code(changed, "ensembles/files.py"):
        jobs = planned(changed)
    of_ensembles = {rule for rule in jobs if rule.startswith("ensembles_")}
    assert of_ensembles >= {"ensembles_sample", "ensembles_take"}
    assert "models_train" not in jobs


def test_the_code_of_a_kind_of_system_makes_only_its_cases_again(changed):
    """Where no system is of the kind, it makes nothing."""

    def jobs_of(kind):
        with edited_code(changed, f"ensembles/systems/{kind}.py"):
            return planned(changed, "results/scores/summary.csv")

    jobs = jobs_of("climatology")
    assert {rule: count for rule, count in jobs.items() if rule.startswith("ensembles_")} == {
        "ensembles_take": 2
    }
    assert jobs_of("lagged") == {}


def test_a_confidence_level_only_sums_again(changed):
    config = changed.config
    changed.configure({**config, "scores": config["scores"] | {"confidence": 0.9}})
    try:
        jobs = planned(changed)
    finally:
        changed.configure(config)
    assert jobs["scores_summary"] == 1
    assert "scores_case" not in jobs


@pytest.mark.slow
def test_where_ensembles_go_a_case_is_drawn_and_scored_before_the_next(finished, tmp_path):
    """On one core, jobs run in the order of their priorities."""
    experiment = finished.copy(tmp_path / "checkout")
    for stage in ("ensembles", "points", "scores"):
        shutil.rmtree(experiment.results / stage)
    config = experiment.config
    experiment.configure({**config, "ensembles": {**config["ensembles"], "keep": False}})
    run = experiment.snakemake("results/scores/summary.csv", "--cores", "1")
    assert run.returncode == 0, run.stdout
    lines = run.stdout.splitlines()
    told = [line for line in lines if re.match(r" *\d+/\d+ .* (at|of) 202606020[06]", line)]
    first, second = (
        [line for line in told if init in line] for init in ("2026060200", "2026060206")
    )
    assert len(first) == len(second) == 7 + 7 + 1
    assert told == first + second
    assert not list(experiment.results.glob("ensembles/*/*.nc"))
