"""The workflow in another folder, inside another workflow, and beside another run."""

import re
import subprocess
import sys

import pytest
import yaml


def test_in_another_folder_with_another_profile(experiment, tmp_path):
    """What is planned there is what would run there; nothing is left in the checkout."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    run = experiment.snakemake(
        *("--directory", elsewhere, "--workflow-profile", "workstation"),
        *("--dry-run", "--quiet", "rules"),
    )
    assert run.returncode == 0, run.stdout
    total = re.search(r"^total +(\d+)$", run.stdout, flags=re.MULTILINE)
    plan = subprocess.run(
        [sys.executable, experiment.folder / "workflow_scripts/plan.py", experiment.config_path],
        cwd=elsewhere,
        env=experiment.environment(),
        capture_output=True,
        text=True,
    )
    assert plan.returncode == 0, plan.stderr
    # One training, one calibration, one diagnosis, and the model's members at two cases, with
    # calibration and without. The total of a dry run counts the target, too.
    said = rf"jobs +{int(total[1]) - 1}   still to run, 7 of them on a GPU"
    assert re.search(said, plan.stdout), plan.stdout
    assert str(elsewhere) in plan.stdout
    assert not list((elsewhere / "results").glob("[!.]*"))
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
    run = dry_run(other, experiment.environment())
    assert run.returncode == 0, run.stdout
    assert re.search(r"^stormdraw_models_train +1$", run.stdout, flags=re.MULTILINE)
    assert re.search(r"^paper +1$", run.stdout, flags=re.MULTILINE)


REMOTE = 'gitfile("{checkout}", path="Snakefile", ref="HEAD")'


def dry_run(folder, environment, python=sys.executable):
    return subprocess.run(
        [python, "-m", "snakemake", "--cores", "1", "--dry-run", "--quiet", "rules"],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
    )


@pytest.mark.slow
def test_as_a_module_from_a_code_host_it_says_what_it_needs(experiment, tmp_path):
    """What a catalog's deployment does: it brings the Snakefile, and not the library beside it."""
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "All"]):
        subprocess.run([*git, *command], cwd=experiment.folder, check=True)
    other = tmp_path / "other"
    other.mkdir()
    text = OTHER_WORKFLOW.replace('"{checkout}/Snakefile"', REMOTE)
    (other / "Snakefile").write_text(text.format(checkout=experiment.folder))
    (other / "other.yaml").write_text(yaml.safe_dump({"stormdraw": experiment.config}))
    run = dry_run(other, experiment.environment())
    assert run.returncode != 0
    assert "stormdraw is more than its Snakefile: clone it" in run.stdout
    assert "Traceback" not in run.stdout


@pytest.mark.slow
def test_a_space_in_the_path_of_python_is_told_before_any_job(experiment, tmp_path):
    """As in `.venv` of a checkout in "my models"."""
    folder = tmp_path / "my models"
    experiment.folder.rename(folder)
    (folder / ".venv").symlink_to(sys.prefix)
    run = dry_run(folder, experiment.environment(), folder / ".venv" / "bin" / "python")
    assert run.returncode != 0
    assert "my models/.venv/bin/python', a path that Snakemake's shell takes apart" in run.stdout
    assert "Traceback" not in run.stdout


@pytest.mark.slow
def test_another_stormdraw_on_the_path_of_python_is_told_before_any_job(experiment, tmp_path):
    other = tmp_path / "other" / "stormdraw"
    other.mkdir(parents=True)
    (other / "__init__.py").touch()
    environment = {**experiment.environment(), "PYTHONPATH": str(other.parent)}
    run = dry_run(experiment.folder, environment)
    assert run.returncode != 0
    assert f"Python finds another stormdraw first, {other}" in run.stdout


@pytest.mark.slow
def test_a_second_run_in_the_same_folder_is_refused(experiment):
    locks = experiment.folder / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("results/archive/simulated_world.nc\n")
    run = experiment.snakemake("results/archive/simulated_world.nc")
    assert run.returncode != 0
    assert "Directory cannot be locked" in run.stdout
    assert str(experiment.folder) in run.stdout
    assert not (experiment.results / "archive").exists()
