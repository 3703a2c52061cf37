"""Trainings and checkpoints of models whose variables have roles."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hours_with_roles import ROLES, TIMES, in_roles, settings_of, statistics_of
from synthetic_hours import VARIABLES, make_model_settings, make_settings, small_grid

from stormdraw.errors import StormdrawError
from stormdraw.fields.statistics import compute_statistics, read_statistics, write_statistics
from stormdraw.models.checkpoint import load_model, save_model
from stormdraw.models.plan import plan
from stormdraw.models.training import new_model, train
from stormdraw.models.training_data import training_data
from stormdraw.models.training_files import TrainingFiles
from stormdraw.roles import Roles

CPU = torch.device("cpu")


@pytest.fixture
def files_with_roles(
    synthetic: Path, training_files: Callable[[str], TrainingFiles], tmp_path: Path
) -> Callable[[str], TrainingFiles]:
    """What a training reads and writes, with statistics in the order of the roles."""
    paths = [synthetic / "first.nc", synthetic / "second.nc"]
    statistics = tmp_path / "statistics.nc"
    write_statistics(compute_statistics(paths, ROLES.every, TIMES), statistics, {})
    return lambda name: replace(training_files(name), statistics=statistics)


@pytest.mark.parametrize("kind", ["conditional_unet", "cnn_transformer"])
def test_a_model_is_trained_and_read_back_with_its_roles(
    files_with_roles: Callable[[str], TrainingFiles], kind: str
) -> None:
    training = {"epochs": 1, "augmentation": {}, "crop": [8, 8]}
    model_settings = settings_of(kind, training=training, forcings=["terrain"])
    if kind == "cnn_transformer":
        model_settings = settings_of(kind, history_as="states", loss={"bounded": True})
    for name in ("one", "two"):
        train("m", in_roles(), model_settings, files_with_roles(name))
    one, two = (load_model(files_with_roles(name).model, CPU, ROLES) for name in ("one", "two"))
    assert one.model.roles == ROLES
    weights = zip(one.model.parameters(), two.model.parameters(), strict=True)
    assert all(torch.equal(first, second) for first, second in weights)
    # It knows how old what it is given may be.
    assert one.longest_lead == 2
    # Statistics of inputs come with it.
    wanted = read_statistics(files_with_roles("one").statistics).of(["D2M"])
    assert one.model.statistics.of(["D2M"]).mean.tolist() == wanted.mean.tolist()


def test_a_perturbation_model_learns_the_state_alone_from_a_forecaster_with_roles(
    files_with_roles: Callable[[str], TrainingFiles],
) -> None:
    forecaster = settings_of("cnn_transformer", training={"epochs": 1})
    train("g", in_roles(), forecaster, files_with_roles("g"))
    perturbing = make_model_settings(target="perturbed_state", forecaster="g", forcings=[])
    files = replace(files_with_roles("p"), forecaster=files_with_roles("g").model)
    train("p", in_roles(), perturbing, files)
    trained = load_model(files.model, CPU, ROLES)
    assert trained.model.roles == Roles(predicted=("T2M",))
    assert trained.longest_lead is None


def test_a_checkpoint_of_other_roles_is_refused_in_one_line(tmp_path: Path) -> None:
    statistics = statistics_of(ROLES)
    model = new_model("m", 1, settings_of("conditional_unet"), statistics, roles=ROLES)
    path = tmp_path / "model.pt"
    save_model(path, "m", model, statistics, None, small_grid())
    assert load_model(path, CPU, ROLES).model.roles == ROLES
    for other in (
        Roles(predicted=("T2M", "CAPE"), input=("D2M",)),
        Roles(predicted=("T2M",), diagnosed=("CAPE",)),
        Roles(predicted=ROLES.every),
    ):
        with pytest.raises(StormdrawError) as caught:
            load_model(path, CPU, other)
        message = str(caught.value)
        assert "\n" not in message
        assert f"trained for {ROLES}, but" in message
        assert f"are {other}; delete it" in message


def test_a_checkpoint_from_before_there_were_roles_predicts_all(tmp_path: Path) -> None:
    roles = Roles(predicted=VARIABLES)
    model = new_model("m", 1, settings_of("conditional_unet"), statistics_of(roles))
    path = tmp_path / "model.pt"
    save_model(path, "m", model, statistics_of(roles), None, small_grid())
    content = torch.load(path, weights_only=True)
    # Nor were there inputs or driving models.
    for key in ("roles", "driving", "longest_lead"):
        del content[key]
    for key in ("inputs", "driven_by"):
        del content["settings"][key]
    torch.save(content, path)
    trained = load_model(path, CPU, roles)
    assert (trained.driving, trained.longest_lead) == (None, None)
    old = trained.model
    assert old.roles == roles
    state, forcings = torch.randn(1, 3, 8, 8), torch.empty(1, 0, 8, 8)
    assert torch.equal(old.condition(state, forcings), model.condition(state, forcings))


def test_inputs_too_large_for_memory_leave_it_to_the_states(
    files_with_roles: Callable[[str], TrainingFiles],
) -> None:
    """The inputs of 5 + 4 hours take 9 fields, the states 2 x 5 and 2 x 4."""
    (shape, settings), field = (small_grid().shape, in_roles()), 4 * 13 * 10
    for room, planned in [(8, 8), (7, 0), (9, 9), (16, 9), (18, 17), (19, 19), (27, 27)]:
        training = {"data_gigabytes": (room + 0.5) * field / 1e9}
        of_room = settings_of("conditional_unet", training=training)
        assert plan("m", settings, of_room, shape)["training_bytes"]["data"] == planned * field
        # As a training keeps them.
        files = files_with_roles("m")
        model = new_model("m", 1, of_room, read_statistics(files.statistics), roles=ROLES)
        learnt, validated = training_data(settings, model, files, small_grid(), CPU)
        (forcing,) = learnt.forcings
        kept = forcing._fields.bytes + learnt.bytes + validated.bytes
        assert kept == planned * field


def test_one_spelling_without_roles_gives_the_same_weights(
    training_files: Callable[[str], TrainingFiles],
) -> None:
    spelled = {"list": list(VARIABLES), "mapping": {"predicted": list(VARIABLES)}}
    found = []
    for name, variables in spelled.items():
        train("m", make_settings(variables=variables), make_model_settings(), training_files(name))
        found.append(load_model(training_files(name).model, CPU).model)
    pairs = zip(*(model.parameters() for model in found), strict=True)
    assert all(torch.equal(first, second) for first, second in pairs)
