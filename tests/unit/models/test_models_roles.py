"""Roles of variables in models: settings, networks, normalization, augmentation and memory."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hours_with_roles import (
    GIVEN,
    KINDS,
    LONGEST,
    ROLES,
    TIMES,
    in_roles,
    initial_fields,
    numbered_pairs,
    settings_of,
    statistics_of,
)
from synthetic_hours import make_model_settings

from stormdraw.errors import StormdrawError
from stormdraw.fields.statistics import Statistics
from stormdraw.models.augmentation import Augmenter, Change
from stormdraw.models.forcings import channels_of
from stormdraw.models.forcings.initial_fields import AGE
from stormdraw.models.memory import model_without_data, sampling_bytes, training_memory
from stormdraw.models.normalization import Normalization
from stormdraw.models.pairs import Pairs
from stormdraw.models.plan import plan
from stormdraw.models.training import new_model
from stormdraw.models.training_settings import Augmentation
from stormdraw.roles import Roles


@pytest.mark.parametrize("family", KINDS)
def test_every_family_gives_predicted_and_diagnosed_variables(family: str, numbered: Path) -> None:
    settings = settings_of(family)
    model = new_model("m", 1, settings, statistics_of(ROLES), roles=ROLES)
    pairs = Pairs(
        *([numbered], ROLES.forecast, TIMES, initial_fields(numbered), 0.0, settings.history),
        diagnosed=ROLES.diagnosed,
        longest_lead=LONGEST,
    )
    batch = pairs.batch([0, 1])
    losses = model.training_losses(batch, torch.Generator().manual_seed(1))
    assert losses.shape == (2, 2)
    assert model.loss_names == ("T2M", "CAPE")
    model.objective(losses).backward()
    assert model.rehearse(batch.now, batch.forcings, batch.before).shape == (2, 2, 13, 10)
    # The plan is of the same network.
    counted = model_without_data(settings, ROLES)
    sizes = [[each.shape for each in one.parameters()] for one in (counted, model)]
    assert sizes[0] == sizes[1]


def test_a_condition_holds_states_then_fields_of_the_initial_time_and_their_age() -> None:
    settings = settings_of("conditional_unet", forcings=["hour_of_day"])
    assert channels_of(settings, ROLES) == ("hour_sine", "hour_cosine", "D2M", AGE)
    model = new_model("m", 1, settings, statistics_of(ROLES, mean=5.0, std=2.0), roles=ROLES)
    now, forcings = torch.full((1, 1, 4, 4), 9.0), torch.arange(4.0)[None, :, None, None]
    condition = model.condition(now, forcings.expand(1, 4, 4, 4))
    assert condition[0, :, 0, 0].tolist() == [2.0, 0.0, 1.0, 2.0, 3.0]


def test_a_residual_is_of_what_is_predicted_and_a_diagnosed_variable_is_itself() -> None:
    numbers = [np.float32(each) for each in ([10, 4], [2, 8], [1, 100], [0.5, 100])]
    statistics = Statistics(("T2M", "PWAT"), ("identity",) * 2, *numbers)
    normalization = Normalization(statistics, "residual", diagnosed=1)
    now, following = torch.full((1, 1, 2, 2), 12.0), torch.full((1, 2, 2, 2), 14.0)
    encoded = normalization.encode(now, following)
    # (14 - 12 - 1) / 0.5 and (14 - 4) / 8.
    assert encoded[0, :, 0, 0].tolist() == [2.0, 1.25]
    assert torch.equal(normalization.decode(now, encoded), following)
    members = torch.cat([encoded, 0 * encoded])
    advanced = normalization.transformed(now.expand(2, 1, 2, 2), members)
    assert advanced[:, :, 0, 0].tolist() == [[14, 14], [13, 4]]
    # From any state back to the target, also one of several hours.
    assert torch.equal(normalization.relative(now.expand(2, 1, 2, 2), advanced), members)
    # The upper bound of PWAT is far above what T2M's change would allow.
    bounded = normalization.within_bounds(now, torch.full((1, 2, 2, 2), -1e3), 0.0)
    assert normalization.decode(now, bounded)[0, 1].unique().item() == pytest.approx(0.0, abs=1e-5)
    # Nothing changes, and the mean of what is not known.
    assert normalization.persistence(now)[0, :, 0, 0].tolist() == [-2.0, 0.0]


def test_fields_of_the_initial_time_turn_and_stretch_with_the_states() -> None:
    roles = Roles(predicted=("T2M",), diagnosed=("CAPE",), input=("U10", "V10"))
    statistics = statistics_of(roles, mean=1.0, std=2.0)
    augmenter = Augmenter(
        Augmentation(noise={}), statistics, roles, [(1, statistics.of(roles.input))]
    )
    forcings = torch.zeros(4, 3, 3)
    forcings[0, 0, 2], forcings[3, 0, 2] = 5.0, 7.0
    # A wind of 11 m/s to the east in the lower right corner, calm elsewhere: (v - 1) / 2.
    forcings[1:3] = -0.5
    forcings[1, 0, 2] = 5.0
    changed = augmenter._changed_forcings(forcings, Change(turns=1, scale=2.0))
    # A quarter turn to the left: to the north in the upper right corner, at twice the speed; what
    # is no field of the initial time only turns.
    assert changed[2, 2, 2].item() == pytest.approx((22.0 - 1.0) / 2.0)
    assert changed[1].unique().item() == pytest.approx(-0.5)
    assert (changed[0, 2, 2].item(), changed[3, 2, 2].item()) == (5.0, 7.0)


def test_augmented_samples_keep_their_variables(numbered: Path) -> None:
    settings = Augmentation(probability=1.0, noise={"T2M": 0.1}, scale=(1.0, 1.0))
    augmenter = Augmenter(
        settings, statistics_of(ROLES), ROLES, [(0, statistics_of(ROLES).of(ROLES.input))]
    )
    batch = numbered_pairs(numbered).batch([5, 6])
    changed = augmenter(batch, *(torch.Generator().manual_seed(seed) for seed in (1, 2)))
    assert (changed.now.shape, changed.following.shape) == (batch.now.shape, batch.following.shape)
    assert torch.equal(changed.following[:, 1], batch.following[:, 1])
    assert (changed.now - batch.now).std().item() == pytest.approx(0.1, rel=0.3)


def test_a_model_may_leave_out_inputs_of_its_run() -> None:
    run = Roles(predicted=("T2M",), input=("D2M", "U10", "V10"))
    assert settings_of("conditional_unet").roles_of(run) == run
    assert settings_of("conditional_unet", inputs=[]).roles_of(run).input == ()
    assert settings_of("conditional_unet", inputs=["D2M"]).roles_of(run).input == ("D2M",)
    with pytest.raises(StormdrawError, match=r"inputs names CAPE, but .* input are D2M, U10, V10;"):
        settings_of("conditional_unet", inputs=["CAPE"]).roles_of(run)
    with pytest.raises(StormdrawError, match=r"inputs is U10: give U10 and V10 together"):
        settings_of("conditional_unet", inputs=["U10"]).roles_of(run)


def test_a_downscaler_takes_all_variables_of_a_forecast_alike() -> None:
    settings = make_model_settings(
        family="block_mlp", network={}, target="block", variable="CAPE", forcings=[]
    )
    assert settings.roles_of(ROLES) == Roles(predicted=("T2M", "CAPE"))
    with pytest.raises(ValueError, match="remove history, forcings and inputs"):
        make_model_settings(
            family="block_mlp", network={}, target="block", variable="CAPE", inputs=["D2M"]
        )


def test_memory_counts_inputs_and_what_is_diagnosed() -> None:
    settings, shape = settings_of("conditional_unet"), (16, 16)
    less = Roles(predicted=("T2M",))
    small, large = (sampling_bytes(settings, roles, shape) for roles in (less, ROLES))
    # The solver's four fields of CAPE, and those of D2M and its age at least.
    assert large - small >= (4 + 2) * 4 * 16 * 16
    small, large = (training_memory(settings, roles, shape).activations for roles in (less, ROLES))
    assert large > small


def test_a_plan_counts_inputs_once(tmp_path: Path) -> None:
    settings, shape = in_roles(), (8, 12)
    hours_each, field = 5 + 4, 4 * 8 * 12
    model = settings_of("conditional_unet")
    assert plan("m", settings, model, shape)["roles"] == GIVEN
    assert plan("m", settings, model, shape)["training_bytes"]["data"] == hours_each * 3 * field
    without = settings_of("conditional_unet", inputs=[])
    assert plan("m", settings, without, shape)["training_bytes"]["data"] == hours_each * 2 * field
    # If there is room for the inputs alone, the states are read from the disk.
    only = settings_of("conditional_unet", training={"data_gigabytes": 9 * field / 1e9})
    assert plan("m", settings, only, shape)["training_bytes"]["data"] == hours_each * field
