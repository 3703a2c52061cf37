"""Mistakes that can be known before the first job are told before the first job."""

import re


def told(experiment):
    """What a run says that stops before its first job."""
    run = experiment.snakemake()
    assert run.returncode != 0
    assert "Traceback" not in run.stdout
    assert not list(experiment.results.glob("[!.]*"))
    return run.stdout


def test_a_wrong_key_is_named_with_its_line_before_any_job(experiment):
    experiment.configure({**experiment.config, "sauce": 1})
    assert re.search(r"config/small\.yaml:\d+: sauce: unknown key", told(experiment))


def test_what_the_grid_has_not_is_told_before_any_job(experiment):
    sea = {"west": -40, "east": -30, "south": 30, "north": 40}
    experiment.configure({**experiment.config, "scores": {"regions": {"sea": sea}}})
    said = told(experiment)
    assert re.search(
        r"config/small\.yaml:\d+: scores\.regions\.sea: it contains no point of the grid", said
    )


def test_a_wrong_key_of_a_model_names_its_file(experiment):
    experiment.model_path.write_text("family: conditional_unet\nlearning_rate: 1\n")
    said = told(experiment)
    assert "small.yaml:2: " in said
    assert "learning_rate: unknown key" in said


def test_a_remark_and_threads_of_a_rule_that_is_not_there(experiment):
    box = {"west": -60, "east": -80, "south": 30, "north": 45}
    experiment.configure({**experiment.config, "scores": {"regions": {"plains": box}}})
    run = experiment.snakemake("--dry-run", "--set-threads", "models_trains=4")
    assert run.stdout.count("scores.regions.plains crosses the 180th meridian") == 1
    assert run.returncode != 0
    assert "set-threads or set-resources names models_trains, which is not a rule" in run.stdout
    assert "Traceback" not in run.stdout


def test_a_profile_may_name_a_rule_that_a_run_has_no_use_for(experiment):
    """As profiles/slurm names what downscales, which most runs do not."""
    run = experiment.snakemake("--dry-run", "--quiet", "--set-threads", "ensembles_downscale=4")
    assert run.returncode == 0, run.stdout
