"""The documents that must keep up with the code."""

import json
import re
import subprocess

import pytest
import yaml
from pydantic import BaseModel

from stormdraw import __version__
from stormdraw.models.settings import ModelSettings
from stormdraw.settings import Settings


def keys_of(schema: dict) -> set[str]:
    """Every key that some part of a configuration may have."""
    parts = [schema, *schema.get("$defs", {}).values()]
    return {key for part in parts for key in part.get("properties", {})}


def documented(root) -> set[str]:
    text = (root / "config" / "README.md").read_text()
    return {part for code in re.findall(r"`([^`]+)`", text) for part in re.split(r"[^\w]+", code)}


def undocumented(model: type[BaseModel], root) -> set[str]:
    return keys_of(model.model_json_schema()) - documented(root) - {"mirror", "method", "name"}


def test_every_key_is_explained(root):
    assert undocumented(Settings, root) == set()
    assert undocumented(ModelSettings, root) == set()


def test_schema_is_the_settings(root):
    text = (root / "config" / "schema.json").read_text()
    assert json.loads(text) == json.loads(json.dumps(Settings.model_json_schema()))


def commands(path) -> list[str]:
    """The commands in the code blocks of a document, without their remarks."""
    blocks = re.findall(r"^```\n(.*?)^```", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    lines = [line.partition(" #")[0].strip() for block in blocks for line in block.splitlines()]
    return [part for line in lines for part in line.split(" && ") if part]


# Those with commands of users; `make docs` checks the links of all.
GUIDES = ["README.md", "docs/tutorial.md", "docs/how-to/others.md", "docs/how-to/running.md"]
DOCUMENTS = [*GUIDES, "CONTRIBUTING.md", "profiles/README.md"]


# Which test runs each command of the guides, or, where it takes the internet, a cluster or hours,
# the same in small. Without a test, no command.
RUN_BY = {
    "make demo": "tests/workflow/test_readme.py::test_what_make_demo_would_run",
    "git clone <this repository>": "tests/workflow/test_readme.py::test_a_clone_has_all_it_needs",
    "cd stormdraw": "tests/workflow/test_readme.py::test_a_clone_has_all_it_needs",
    "make .venv/installed": ".ci/run",
    "$EDITOR config/config.yaml": (
        "tests/unit/core/test_shipped_configurations.py::test_two_lines_make_it_href"
    ),
    "make plan doctor": "tests/workflow/test_readme.py::test_make_plan_and_doctor",
    ".venv/bin/snakemake --cores all": (
        "tests/workflow/test_end_to_end.py::test_every_stage_left_its_files"
    ),
    ".venv/bin/snakemake --cores all forecast --config cycle=latest": (
        "tests/workflow/test_forecast.py::test_the_page_stands_beside_its_products"
    ),
    ".venv/bin/snakemake --cores all verify": (
        "tests/workflow/test_verify.py::test_the_scores_are_of_both_cycles"
    ),
    "ln -s <the folder with its members/ and truth/> mogreps_uk": (
        "tests/workflow/test_scoring_others.py::test_what_a_real_ensemble_would_run"
    ),
    ".venv/bin/snakemake --cores all --configfile config/mogreps.yaml": (
        "tests/workflow/test_scoring_others.py::test_what_a_real_ensemble_would_run"
    ),
    ".venv/bin/snakemake --workflow-profile workstation": (
        "tests/workflow/test_elsewhere.py::test_in_another_folder_with_another_profile"
    ),
    ".venv/bin/snakemake --workflow-profile slurm": (
        "tests/cluster/test_slurm_profile.py::test_it_ends_with_a_scorecard"
    ),
    ".venv/bin/snakemake --cores all --directory ../june": (
        "tests/workflow/test_elsewhere.py::test_in_another_folder_with_another_profile"
    ),
}


def test_every_command_of_a_guide_is_run_by_a_test(root):
    assert {command for guide in GUIDES for command in commands(root / guide)} == set(RUN_BY)


def test_a_stranger_reads_the_readme_to_its_end(root):
    """What is longer stands in docs/, and the files that it leads to are there."""
    text = (root / "README.md").read_text()
    assert len(text.splitlines()) <= 150
    linked = re.findall(r"\]\((?!http)([^)#]+)", text)
    assert {"docs/demo.md", "config/README.md"} <= set(linked)
    assert [link for link in linked if not (root / link).exists()] == []


@pytest.mark.parametrize("place", sorted(set(RUN_BY.values())))
def test_what_runs_a_command_is_there(root, place):
    file, _, name = place.partition("::")
    text = (root / file).read_text()
    assert f"def {name}(" in text if name else "make test" in text


@pytest.mark.parametrize("document", DOCUMENTS)
def test_make_knows_every_target_of_a_document(root, document):
    text = (root / document).read_text()
    written = [line for line in commands(root / document) if line.startswith("make ")]
    written += re.findall(r"`(make [^`]+)`", text)
    for command in set(written):
        run = subprocess.run(
            ["make", "--dry-run", *command.split()[1:]],
            cwd=root,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("document", DOCUMENTS)
def test_snakemake_knows_every_option_of_a_document(root, document):
    from snakemake.cli import get_argument_parser

    parser = get_argument_parser()
    for command in commands(root / document):
        program, *arguments = command.split()
        if program == ".venv/bin/snakemake":
            parsed = parser.parse_args(arguments)
            profile = parsed.workflow_profile or "default"
            assert (root / "profiles" / profile / "config.yaml").exists()


def test_profiles_hold_options_that_snakemake_knows(root):
    from snakemake.cli import get_argument_parser

    known = {option.lstrip("-") for option in get_argument_parser()._option_string_actions}
    for path in (root / "profiles").glob("*/config.yaml"):
        options = {key for key in yaml.safe_load(path.read_text()) if not key.startswith("slurm-")}
        assert options <= known, path


def test_conda_has_the_pins_of_pip(root):
    conda = yaml.safe_load((root / "envs" / "stormdraw.yaml").read_text())
    pins = (root / "envs" / "requirements.txt").read_text().splitlines()
    assert conda["dependencies"][-1]["pip"] == [pin for pin in pins if not pin.startswith("#")]


def test_the_container_has_the_pins_of_pip_and_the_python_of_conda(root):
    recipe = (root / "envs" / "Dockerfile").read_text()
    instructions = [line.split() for line in recipe.splitlines() if line and line[0] not in "# "]
    conda = yaml.safe_load((root / "envs" / "stormdraw.yaml").read_text())
    python = next(d for d in conda["dependencies"] if str(d).startswith("python="))
    assert ["FROM", f"python:{python.removeprefix('python=')}-slim-bookworm"] in instructions
    installs = [line for line in instructions if line[:3] == ["RUN", "pip", "install"]]
    assert installs == [
        ["RUN", "pip", "install", "--no-cache-dir", "--requirement", "envs/requirements.txt"]
    ]
    copied = [line[1:] for line in instructions if line[0] == "COPY"]
    assert copied == [["envs/requirements.txt", "envs/"], [".", "."]]
    # What it starts is there, and the options are Snakemake's.
    from snakemake.cli import get_argument_parser

    started = json.loads(recipe.partition("ENTRYPOINT ")[2])
    assert started[0] == "snakemake"
    options = get_argument_parser().parse_args(started[1:])
    assert str(options.snakefile) == "/stormdraw/Snakefile"


def test_what_is_cited_is_this_version(root):
    assert yaml.safe_load((root / "CITATION.cff").read_text())["version"] == __version__
