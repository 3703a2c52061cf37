"""Mistakes that can be known before the first job are told before the first job."""

import re

import pytest


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        ({"sauce": 1}, ": sauce: unknown key"),
        ({"models": ["medium"]}, "which is not in the list `models`"),
        ({"models": ["small", "medium"]}, "medium.yaml: no such file"),
        ({"variables": ["REFC", "T3M"]}, "variables.1"),
        ({"leads": [1, 2, 12]}, "must be at least the longest lead (12 h) apart"),
        (
            {"scores": {"regions": {"sea": {"west": -40, "east": -30, "south": 30, "north": 40}}}},
            "scores.regions.sea: no point of the grid lies in it",
        ),
    ],
)
def test_a_wrong_key_stops_before_any_job(experiment, edit, complaint):
    experiment.configure({**experiment.config, **edit})
    run = experiment.snakemake()
    assert run.returncode != 0
    assert complaint in run.stdout
    assert re.search(r"config/(models/)?\w+\.yaml:(\d+:)? ", run.stdout)
    assert "Traceback" not in run.stdout
    assert not list(experiment.results.glob("[!.]*"))


def test_a_wrong_key_of_a_model_names_its_file(experiment):
    experiment.model_path.write_text("family: conditional_unet\nlearning_rate: 1\n")
    run = experiment.snakemake("--dry-run")
    assert run.returncode != 0
    assert "small.yaml:2: " in run.stdout
    assert "learning_rate: unknown key" in run.stdout
    assert "Traceback" not in run.stdout


def test_a_remark_and_threads_of_a_rule_that_is_not_there(experiment):
    box = {"west": -60, "east": -80, "south": 30, "north": 45}
    experiment.configure({**experiment.config, "scores": {"regions": {"plains": box}}})
    run = experiment.snakemake("--dry-run", "--set-threads", "models_trains=4")
    assert run.stdout.count("scores.regions.plains crosses the 180th meridian") == 1
    assert run.returncode != 0
    assert "set-threads or set-resources names models_trains, which is no rule" in run.stdout
    assert "Traceback" not in run.stdout
