"""The workflow in another folder, inside another workflow, and beside another run."""

import re
import subprocess
import sys

import yaml


def test_a_plan_in_another_folder_with_another_profile(experiment, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    run = experiment.snakemake(
        *("--directory", elsewhere, "--workflow-profile", "workstation", "plan")
    )
    assert run.returncode == 0, run.stdout
    text = (elsewhere / "results" / "logs" / "plan.log").read_text()
    assert text in run.stdout
    # One training, one calibration, one diagnosis, and the model's members at two cases.
    assert "still to run, 5 of them on a GPU" in text
    assert str(elsewhere) in text
    assert not list(experiment.results.glob("[!.]*"))


OTHER_WORKFLOW = """\
configfile: "other.yaml"

module stormdraw:
    snakefile:
        "{checkout}/Snakefile"
    config:
        config["stormdraw"]

use rule * from stormdraw as stormdraw_*

rule paper:
    default_target: True
    input:
        "results/report/scorecard.html",
"""


def test_as_a_module_of_another_workflow(experiment, tmp_path):
    """With a model of the other workflow's own."""
    other = tmp_path / "other"
    (other / "config" / "models").mkdir(parents=True)
    experiment.model_path.rename(other / "config" / "models" / "small.yaml")
    (other / "Snakefile").write_text(OTHER_WORKFLOW.format(checkout=experiment.folder))
    (other / "other.yaml").write_text(yaml.safe_dump({"stormdraw": experiment.config}))
    run = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run", "--quiet", "rules"],
        cwd=other,
        env=experiment.environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout
    assert re.search(r"^stormdraw_models_train +1$", run.stdout, flags=re.MULTILINE)
    assert re.search(r"^paper +1$", run.stdout, flags=re.MULTILINE)


def test_a_second_run_in_the_same_folder_is_refused(experiment):
    locks = experiment.folder / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("results/archive/simulated_world.nc\n")
    run = experiment.snakemake("results/archive/simulated_world.nc")
    assert run.returncode != 0
    assert "Directory cannot be locked" in run.stdout
    assert str(experiment.folder) in run.stdout
    assert not (experiment.results / "archive").exists()
