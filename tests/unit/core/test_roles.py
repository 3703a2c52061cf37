"""The roles of variables in a configuration, and what each stage makes of them."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from diffusion_run import diffusion_run

from stormdraw.archive.wanted import requests
from stormdraw.configuration import read_configuration
from stormdraw.costs.disk import disk_bytes
from stormdraw.costs.fetching import wanted_files
from stormdraw.errors import StormdrawError
from stormdraw.fields.expected_grid import target_shape
from stormdraw.roles import Roles
from stormdraw.settings import Settings, load_settings
from stormdraw.variables import DEFAULT_STATE, scored_variables

GIVEN = {
    "predicted": ["V10", "T2M", "U10"],
    "diagnosed": ["CAPE", "REFC"],
    "input": ["CIN", "D2M"],
}
ROLES = Roles(predicted=("T2M", "U10", "V10"), diagnosed=("REFC", "CAPE"), input=("D2M", "CIN"))


@pytest.fixture
def config(root: Path) -> dict[str, Any]:
    config = diffusion_run(root)
    # Its truth is of a variable that not all of these runs have.
    del config["archive"]["truth"]
    return config


def run_of(config: dict[str, Any], variables: Any) -> Settings:
    return load_settings({**copy.deepcopy(config), "variables": variables})


def test_each_role_has_the_order_of_the_table(config: dict[str, Any]) -> None:
    run = run_of(config, GIVEN)
    assert run.roles == ROLES
    # Those of forecasts, the state first.
    assert run.variables == ["T2M", "U10", "V10", "REFC", "CAPE"]
    assert scored_variables(run.variables) == [*run.variables, "WIND10"]
    assert ROLES.every == ("T2M", "U10", "V10", "REFC", "CAPE", "D2M", "CIN")


def test_a_plain_list_predicts_all(config: dict[str, Any]) -> None:
    plain, mapping = run_of(config, ["T2M", "CAPE"]), run_of(config, {"predicted": ["CAPE", "T2M"]})
    assert plain == mapping
    assert plain.roles == Roles(predicted=("T2M", "CAPE"))
    assert not plain.roles.differ
    # Whatever depends on the configuration sees no difference either.
    assert plain.model_dump(mode="json")["variables"] == ["T2M", "CAPE"]


@pytest.mark.parametrize("variables", [GIVEN, ["T2M", "CAPE"], list(DEFAULT_STATE)])
def test_roles_are_written_as_they_are_read(config: dict[str, Any], variables: Any) -> None:
    run = run_of(config, variables)
    assert load_settings(run.model_dump(mode="json")) == run


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"predicted": ["T2M"], "input": ["T2M"]}, r"variables: give each variable once"),
        ({"predicted": ["T2M", "U10"], "input": ["V10"]}, r"variables: give U10 and V10 together"),
        ({"predicted": [], "input": ["T2M"]}, r"variables: give at least one predicted variable"),
        ({"input": ["T2M"]}, r"variables\.predicted"),
        ({"predicted": ["T2M"], "diagnosed": ["T3M"]}, r"variables\.diagnosed\.0: unknown variab"),
        ({"predicted": ["T2M"], "derived": []}, r"variables\.derived: unknown key"),
        ("T2M", r"variables: must have keys of its own"),
    ],
)
def test_contradictory_roles_are_errors(
    config: dict[str, Any], variables: Any, complaint: str
) -> None:
    with pytest.raises(StormdrawError, match=complaint) as caught:
        run_of(config, variables)
    assert "\n" not in str(caught.value)


def test_an_input_must_be_in_the_archive(config: dict[str, Any]) -> None:
    run_of(config, {"predicted": ["T2M"], "input": ["PWAT"]})
    with pytest.raises(StormdrawError, match="no HPBL; leave it out"):
        run_of(config, {"predicted": ["T2M"], "input": ["HPBL"]})


def test_analyses_have_inputs_and_forecasts_of_others_do_not(config: dict[str, Any]) -> None:
    run = run_of(config, GIVEN)
    init = run.initial_times()[0]
    analyses = requests(run, "hrrr", f"{init:%Y%m%d}")
    assert {request.variables for request in analyses} == {ROLES.every}
    others = requests(run, "href", f"{init:%Y%m%d}")
    assert {request.variables for request in others} == {ROLES.forecast}


def test_inputs_take_room_among_the_analyses_alone(config: dict[str, Any]) -> None:
    both, without = (run_of(config, {**GIVEN, "input": given}) for given in (GIVEN["input"], []))
    files = wanted_files(without)
    more = {
        stage: count - disk_bytes(without, files)[stage]
        for stage, count in disk_bytes(both, files).items()
    }
    rows, columns = target_shape(both)
    assert more.pop("fields") == 2 * 4 * rows * columns * len(files["hrrr"])
    assert set(more.values()) == {0}


def test_a_model_is_given_only_inputs_of_its_run(
    config: dict[str, Any], root: Path, tmp_path: Path
) -> None:
    shipped = yaml.safe_load((root / "config" / "models" / "ddpm_residual.yaml").read_text())
    (tmp_path / "ddpm_residual.yaml").write_text(yaml.safe_dump({**shipped, "inputs": ["D2M"]}))

    def read(variables: Any) -> None:
        given = {**copy.deepcopy(config), "variables": variables}
        read_configuration(given, [], lambda name: tmp_path / f"{name}.yaml")

    read(GIVEN)
    complaint = r"^models: ddpm_residual: inputs names D2M, but .* role is input are CIN; add it"
    with pytest.raises(StormdrawError, match=complaint):
        read({**GIVEN, "input": ["CIN"]})


def test_only_the_state_is_perturbed_and_restandardised(config: dict[str, Any]) -> None:
    system = {"method": "def", "name": "d", "model": "p", "forecaster": "g"}
    crossed = {**config, "models": ["p", "g"], "report": {}}
    crossed["ensembles"] = {"members": 4, "systems": [system]}
    crossed["scores"] = {}
    run = run_of(crossed, GIVEN)
    (made,) = run.ensembles.systems
    assert made.noisy(run) == list(ROLES.predicted)
    assert made.groups(run) == {"gaussian": ["T2M", "U10", "V10"]}
    crossed["ensembles"]["systems"] = [{**system, "restandardise": ["REFC"]}]
    with pytest.raises(StormdrawError, match=r"restandardises REFC, but .* are T2M, U10, V10;"):
        run_of(crossed, GIVEN)
