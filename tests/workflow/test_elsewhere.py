"""The workflow in another folder, inside another workflow, and beside another run."""

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
    # One training, and the model's members at two cases.
    assert "still to run, 3 of them on a GPU" in text
    assert str(elsewhere) in text
    assert not list(experiment.results.glob("[!.]*"))


def test_the_folders_own_model_comes_first(experiment, tmp_path):
    own = tmp_path / "elsewhere" / "config" / "models" / "small.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("family: conditional_unet\nsauce: 1\n")
    run = experiment.snakemake("--directory", tmp_path / "elsewhere", "--dry-run")
    assert run.returncode != 0
    assert "config/models/small.yaml:2: sauce: unknown key" in run.stdout


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
    other = tmp_path / "other"
    other.mkdir()
    (other / "Snakefile").write_text(OTHER_WORKFLOW.format(checkout=experiment.folder))
    (other / "other.yaml").write_text(yaml.safe_dump({"stormdraw": experiment.config}))
    run = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1", "stormdraw_plan"],
        cwd=other,
        env=experiment.environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout
    assert "still to run, 3 of them on a GPU" in run.stdout
    assert (other / "results" / "logs" / "plan.log").exists()


def test_a_second_run_in_the_same_folder_is_refused(experiment):
    locks = experiment.folder / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("results/archive/simulated_world.nc\n")
    run = experiment.snakemake("results/archive/simulated_world.nc")
    assert run.returncode != 0
    assert "Directory cannot be locked" in run.stdout
    assert str(experiment.folder) in run.stdout
    assert not (experiment.results / "archive").exists()
