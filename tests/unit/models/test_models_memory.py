"""Memory of a training and a pass: counted by hand, and measured."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from allocations import largest_allocation
from torch.profiler import ProfilerActivity, profile

from stormdraw.configuration import configuration_of_file
from stormdraw.fields.statistics import Statistics
from stormdraw.models.devices import autocast
from stormdraw.models.execution import recompute_activations
from stormdraw.models.implementations import largest_implementations
from stormdraw.models.memory import (
    LiveMemory,
    TrainingMemory,
    sampling_bytes,
    training_memory,
    validated_at_once,
)
from stormdraw.models.pairs import Batch
from stormdraw.models.settings import ModelSettings, load_model_settings
from stormdraw.models.training import new_model
from stormdraw.roles import Roles

SEVEN = Roles(predicted=("REFC", "T2M", "D2M", "U10", "V10", "CAPE", "CIN"))


@pytest.mark.slow
def test_plan_of_13_billion_parameters_for_eight_devices(root: Path) -> None:
    path = root / "config" / "models" / "transformer_13b.yaml"
    settings = load_model_settings(path)
    # As it is shipped: whoever names it trains it so.
    assert (settings.training.devices, settings.training.device_memory_gigabytes) == (8, 80)
    memory = training_memory(settings, SEVEN, (1059, 1799), validates=True)
    assert memory.parameters == pytest.approx(13.14e9, rel=0.005)
    # Weights, gradients, two moments and the average, in float32.
    held = 5 * 4 * memory.parameters / 8
    assert memory.peak - memory.activations == pytest.approx(held, rel=1e-6)
    assert memory.peak < 80e9
    # The file says it.
    text = path.read_text().replace("\n# ", " ")
    assert f"{memory.peak / 1e9:.1f} GB a device" in text
    # Weights, two moments and the average, whole in the first process.
    assert f"whole in main memory: {4 * 4 * memory.parameters / 1e9:.0f} GB" in text
    training = settings.training.model_copy(update={"nodes": 2, "batch_size": 16})
    settings = settings.model_copy(update={"training": training})
    on_two = training_memory(settings, SEVEN, (1059, 1799), validates=True)
    assert on_two.peak < memory.peak
    assert f"a step takes {on_two.peak / 1e9:.1f} GB a device" in text


@pytest.mark.slow
@pytest.mark.parametrize(("kept", "gigabytes"), [(False, 24), (True, 80)])
def test_the_conus_model_fits_a_gpu_as_its_run_configures_it(
    root: Path, kept: bool, gigabytes: int
) -> None:
    settings, models = configuration_of_file(str(root / "config" / "conus.yaml"), root)
    model = models["crps_conus"]
    assert model.training.precision == "bfloat16"
    assert model.training.crop is None
    if kept:
        training = model.training.model_copy(update={"activation_checkpointing": 0.0})
        model = model.model_copy(update={"training": training})
    memory = training_memory(model, settings.roles, (1059, 1799), validates=True)
    assert 30e6 < memory.parameters < 100e6
    assert memory.peak < gigabytes * 1e9
    # The file says it.
    text = (root / "config" / "models" / "crps_conus.yaml").read_text().replace("\n# ", " ")
    stated = "take {:.1f} GB" if kept else "{:.1f} GB with what config/conus.yaml gives it"
    assert stated.format(memory.peak / 1e9) in text


# The grids that the files name, where it is not the full one.
GRIDS = {"ddpm_medium": (265, 450), "transformer_small": (97, 131)}


@pytest.mark.slow
def test_a_configuration_states_the_memory_that_is_planned(root: Path) -> None:
    stated = {}
    for path in sorted((root / "config" / "models").glob("*.yaml")):
        text = path.read_text().replace("\n# ", " ")
        if found := re.search(r"([\d.]+) GB at most in a (training )?step", text):
            stated[path] = float(found[1])
    assert len(stated) > 10
    for path, gigabytes in stated.items():
        grid = GRIDS.get(path.stem, (1059, 1799))
        memory = training_memory(load_model_settings(path), SEVEN, grid)
        assert memory.peak / 1e9 == pytest.approx(gigabytes, abs=0.051), path.name


def test_live_memory_by_hand() -> None:
    with LiveMemory() as memory:
        first = torch.empty(1000, device="meta")  # 4,000 bytes
        second = first * 2  # 4,000 more
        view = second[:10]  # of the same storage
        assert memory.now == 8000
        del first
        assert memory.now == 4000
        third = torch.empty(500, device="meta")
        assert (memory.now, memory.peak) == (6000, 8000)
        del second
        assert memory.now == 6000  # the view keeps it
        del view, third
        assert memory.now == 0


def test_small_blocks_lie_in_the_heap() -> None:
    with LiveMemory() as memory:
        small = torch.empty(2**20, device="meta")  # 4 MiB
        large = torch.empty(2**23, device="meta")  # 32 MiB
        del small
        other = torch.empty(2**18, device="meta")  # 1 MiB
    assert (memory.heap_now, memory.heap_peak) == (2**20, 2**22)
    assert memory.now == large.nbytes + other.nbytes


def test_saved_activations_grow_with_batch_and_grid(residual: ModelSettings) -> None:
    def saved(batch: int, shape: tuple[int, int]) -> int:
        training = residual.training.model_copy(update={"batch_size": batch, "crop": None})
        settings = residual.model_copy(update={"training": training})
        return training_memory(settings, SEVEN, shape).saved_activations

    small = saved(1, (64, 64))
    assert saved(4, (64, 64)) == pytest.approx(4 * small, rel=0.01)
    assert saved(1, (128, 192)) == pytest.approx(6 * small, rel=0.01)
    # Channels kept for each point of the fine grid at base 16, operation by operation. A block
    # keeps 5 of its width: convolved, normalised, the second input, convolved, normalised.
    fine_block, coarse_blocks = 5 * 16, 3 * 5 * 32
    entrance = 18 + 16 + fine_block + 16  # input, entered, block, its output
    coarse = (32 + coarse_blocks + 3 * 32) / 4  # downsampled, three blocks and their outputs
    merging = 16 + fine_block + 16  # enlarged, block, its output; the skip is kept already
    leaving = 16 + 16 + 7  # normalised, activated, error
    expected = entrance + coarse + merging + leaving
    assert small / (64 * 64 * 4) == pytest.approx(expected, rel=0.01)


def test_a_crop_bounds_the_activations(residual: ModelSettings) -> None:
    def memory(**changes: object) -> int:
        training = residual.training.model_copy(update=changes)
        settings = residual.model_copy(update={"training": training})
        return training_memory(settings, SEVEN, (97, 131)).saved_activations

    assert memory(crop=(97, 131)) == memory(crop=None) == memory(crop=(500, 500))
    ratio = 48 * 64 / (98 * 132)  # the whole grid is padded to even sides
    assert memory(crop=(48, 64)) == pytest.approx(ratio * memory(crop=None), rel=0.02)


@pytest.mark.parametrize(
    ("shape", "changes"),
    [
        ((64, 64), {"batch_size": 2}),
        ((65, 97), {"channels_last": True}),
        ((65, 97), {"channels_last": False}),
        ((64, 64), {"activation_checkpointing": 1.0}),
        ((64, 64), {"precision": "bfloat16"}),
        # Planned for a GPU: with layers in the way of most memory.
        ((64, 64), {"device_memory_gigabytes": 24.0}),
    ],
    ids=str,
)
def test_peak_as_measured_by_an_allocation_tracker(
    residual: ModelSettings, shape: tuple[int, int], changes: dict[str, Any]
) -> None:
    plain = {"batch_size": 1, "crop": None, "precision": "float32"}
    training = residual.training.model_copy(update={**plain, **changes})
    settings = residual.model_copy(update={"training": training})
    predicted = training_memory(settings, SEVEN, shape).activations
    ones = np.ones(7, dtype=np.float32)
    statistics = Statistics(SEVEN.predicted, ("identity",) * 7, ones, ones, ones, ones)
    model = new_model("any", 0, settings, statistics)
    recompute_activations(model.network, training.activation_checkpointing)
    batch = training.batch_size
    now, following, noise = torch.randn(3, batch, 7, *shape)
    forcings, timestep = torch.randn(batch, 4, *shape), torch.tensor([3] * batch)
    for weights in model.parameters():
        weights.grad = torch.zeros_like(weights)
    with (
        profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler,
        autocast(training.precision, torch.device("cpu")),
        largest_implementations("device_memory_gigabytes" in changes),
    ):
        model.losses(now, following, forcings, timestep, noise).mean().backward()
    inputs = 3 * now.nbytes + forcings.nbytes
    measured = inputs + largest_allocation(profiler)
    assert predicted == pytest.approx(measured, rel=0.15)


def unrolled(hours: int, family: str = "stochastic_unet", **training: Any) -> ModelSettings:
    """A generator of three members that is unrolled over so many hours."""
    return ModelSettings.model_validate(
        {
            "family": family,
            "prediction": "target",
            "target": "residual",
            "loss": {"kind": "almost_fair_crps", "members": 3},
            "training": {
                **{"epochs": 1, "batch_size": 2, "precision": "float32", "channels_last": False},
                **training,
                "rollout": {"hours": [hours], "steps": [1]} if hours > 1 else None,
            },
        }
    )


@pytest.mark.parametrize(
    "settings",
    [
        *(pytest.param(unrolled(hours), id=f"{hours} h") for hours in (1, 4)),
        pytest.param(unrolled(1, "residual_unet"), id="residual"),
        pytest.param(unrolled(1, "residual_unet", precision="bfloat16"), id="half precision"),
        pytest.param(unrolled(2, "residual_unet", activation_checkpointing=1.0), id="both"),
    ],
)
def test_an_unrolled_step_is_planned_as_measured(settings: ModelSettings) -> None:
    """Three members of a generator; between hours only their states are kept."""
    shape, batch, hours = (32, 32), 2, settings.training.hours_ahead
    predicted = training_memory(settings, SEVEN, shape).activations
    ones = np.ones(7, dtype=np.float32)
    statistics = Statistics(SEVEN.predicted, ("identity",) * 7, ones, ones, ones, ones)
    model = new_model("any", 0, settings, statistics)
    recompute_activations(model.network, settings.training.activation_checkpointing)
    for weights in model.parameters():
        weights.grad = torch.zeros_like(weights)
    now, following = torch.randn(2, batch, 7, *shape)
    later, none = torch.randn(batch, hours - 1, 7, *shape), torch.empty(batch, 0, *shape)
    given = Batch(now, following, none, ())
    if hours > 1:
        given = replace(
            given, later=later, later_forcings=none[:, None].expand(-1, hours - 1, -1, -1, -1)
        )
    with (
        profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler,
        autocast(settings.training.precision, torch.device("cpu")),
    ):
        model.objective(model.training_losses(given, None)).backward()
    inputs = now.nbytes + following.nbytes + later.nbytes
    assert predicted == pytest.approx(inputs + largest_allocation(profiler), rel=0.15)


def test_memory_grows_by_states_and_not_by_activations() -> None:
    def planned(hours: int) -> int:
        return training_memory(unrolled(hours), SEVEN, (64, 64)).activations

    alone, two, six = planned(1), planned(2), planned(6)
    assert (six - two) / 4 < 0.2 * alone


def test_a_gpu_is_planned_with_the_implementations_of_most_memory(residual: ModelSettings) -> None:
    def planned(gigabytes: float | None) -> int:
        changes = {"device_memory_gigabytes": gigabytes, "crop": None}
        training = residual.training.model_copy(update=changes)
        model = residual.model_copy(update={"training": training})
        return training_memory(model, SEVEN, (64, 64)).activations

    # Beside some 25 fields of 16 channels: two for the enlarged field, two for the joined one.
    assert 1.08 < planned(24.0) / planned(None) < 1.3


def test_a_validation_is_planned_as_measured_by_an_allocation_tracker(
    residual: ModelSettings,
) -> None:
    shape = (96, 128)
    plain = {"batch_size": 9, "crop": (64, 64), "precision": "float32"}
    training = residual.training.model_copy(update=plain)
    settings = residual.model_copy(update={"training": training})
    # Nine crops of 64 x 64 points are as many as three grids.
    assert validated_at_once(settings, shape) == 3
    planned = training_memory(settings, SEVEN, shape, validates=True)
    ones = np.ones(7, dtype=np.float32)
    statistics = Statistics(SEVEN.predicted, ("identity",) * 7, ones, ones, ones, ones)
    model = new_model("any", 0, settings, statistics)
    with (
        profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler,
        torch.inference_mode(),
    ):
        batch = Batch(
            torch.ones(3, 7, *shape), torch.ones(3, 7, *shape), torch.ones(3, 4, *shape), ()
        )
        model.training_losses(batch, None)
    assert planned.validation == pytest.approx(largest_allocation(profiler), rel=0.15)


def test_each_device_has_a_grid_to_validate_on(residual: ModelSettings) -> None:
    def at_once(batch: int, crop: tuple[int, int] | None, devices: int = 1) -> int:
        changes = {"batch_size": batch, "crop": crop, "devices": devices}
        training = residual.training.model_copy(update=changes)
        return validated_at_once(residual.model_copy(update={"training": training}), (100, 200))

    assert at_once(8, None) == 8
    assert at_once(8, (50, 100)) == 2
    assert at_once(8, (10, 10)) == 1
    assert at_once(8, (10, 10), devices=4) == 4


def test_sharding_divides_all_but_the_activations(residual: ModelSettings) -> None:
    def planned(**changes: Any) -> TrainingMemory:
        training = residual.training.model_copy(update={"devices": 4, **changes})
        return training_memory(residual.model_copy(update={"training": training}), SEVEN, (97, 131))

    whole, shared = planned(), planned(sharding="full")
    assert shared.weights == -(-whole.weights // 4)
    assert shared.optimizer == 2 * shared.weights
    assert shared.saved_activations == whole.saved_activations
    # Four devices take a batch of four apart.
    alone = planned(devices=1)
    assert alone.saved_activations == pytest.approx(4 * whole.saved_activations, rel=0.01)


def test_sampling_needs_no_saved_activations(residual: ModelSettings) -> None:
    one = training_memory(
        residual.model_copy(
            update={
                "training": residual.training.model_copy(update={"batch_size": 1, "crop": None})
            }
        ),
        *(SEVEN, (64, 64)),
    )
    assert sampling_bytes(residual, SEVEN, (64, 64)) < 0.5 * one.activations
