"""The commands of README.md that no other test runs; dry where they take hours or the internet."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from small_experiment import Experiment

pytestmark = pytest.mark.slow


def programs(root, *arguments):
    """What make would run for some targets, but for installing: a list of command lines."""
    listed = subprocess.run(
        ["make", "--dry-run", *arguments], cwd=root, capture_output=True, text=True, check=True
    )
    lines = listed.stdout.replace("\\\n", " ").splitlines()
    found = [re.findall(r"\.venv/bin/(?:snakemake|python) [^|;]+", line) for line in lines]
    return [command.split() for of_line in found for command in of_line]


def run(experiment, command, *more):
    program, *arguments = command
    beside = Path(sys.executable).parent / Path(program).name
    return subprocess.run(
        [beside, *arguments, *more],
        cwd=experiment.folder,
        env=experiment.environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=600,
    )


def test_a_clone_has_all_it_needs(root, tmp_path):
    """Nothing that the workflow reads is left out of the repository."""
    clone = Experiment(tmp_path / "stormdraw")
    subprocess.run(["git", "clone", "--quiet", str(root), str(clone.folder)], check=True)
    workflow, *_ = programs(clone.folder, "demo")
    done = run(clone, workflow, "--dry-run", "--quiet", "rules")
    assert done.returncode == 0, done.stdout
    assert re.search(r"^report_scorecard +1$", done.stdout, flags=re.MULTILINE)


def test_what_make_demo_would_run(root, experiment):
    workflow, report, headline = programs(root, "demo")
    done = run(experiment, workflow, "--dry-run", "--quiet", "rules")
    assert done.returncode == 0, done.stdout
    assert re.search(r"^models_train +1$", done.stdout, flags=re.MULTILINE)
    # These need the results; the first is run by the tests of the report, below.
    assert report[-2:] == ["--report", "results/report.zip"]
    assert (root / headline[1]).exists()


def test_make_plan_and_doctor(root, experiment):
    planned, examined = (run(experiment, command) for command in programs(root, "plan", "doctor"))
    assert planned.returncode == 0, planned.stdout
    assert re.search(r"^ +to fetch +[\d.]+ GB", planned.stdout, flags=re.MULTILINE)
    # Whether the machine is ready depends on the machine: the answer is told in any case.
    assert "Traceback" not in examined.stdout
    assert "Python" in examined.stdout
