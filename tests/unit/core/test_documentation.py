"""The documents that must keep up with the code."""

import json
import re
import subprocess

import pytest
import yaml
from pydantic import BaseModel

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


DOCUMENTS = ["README.md", "CONTRIBUTING.md", "profiles/README.md"]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_make_knows_every_target_of_a_document(root, document):
    text = (root / document).read_text()
    written = [line for line in commands(root / document) if line.startswith("make ")]
    written += re.findall(r"`(make [^`]+)`", text)
    for command in set(written):
        subprocess.run(
            ["make", "--dry-run", *command.split()[1:]],
            cwd=root,
            check=True,
            capture_output=True,
            timeout=30,
        )


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
