"""The first setting that fits, in the order of what it costs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from synthetic_hours import make_model_settings

from stormdraw.models.ladder import Fit, climb, next_rung
from stormdraw.models.memory import model_without_data
from stormdraw.models.registry import families, options_of
from stormdraw.models.settings import ModelSettings, load_model_settings
from stormdraw.roles import Roles
from stormdraw.variables import DEFAULT_STATE

GRID = (265, 450)


@dataclass
class Needed:
    peak: int
    gathered: int = 4 * 10**9


def memory(settings: ModelSettings) -> Any:
    """A model of memory in which every rung helps, but what is compiled."""
    training = settings.training
    rows, columns = training.crop or GRID
    size = getattr(settings.network_options, settings.network_options.halved[0])
    width = sum(size) if isinstance(size, list) else size
    peak = -(-training.batch_size // training.devices) * rows * columns * settings.history * width
    peak *= 2 if training.precision in ("bfloat16", "float16") else 4
    peak //= training.devices if training.sharding == "full" else 1
    return Needed(int(peak * (1.0 - 0.8 * training.activation_checkpointing)))


def changes(fit: Fit) -> list[str]:
    return [rung.change for rung in fit.rungs[1:]]


def frames_settings(training: dict[str, Any] | None = None) -> ModelSettings:
    return make_model_settings(
        {"batch_size": 3, "accumulation": 1, **(training or {})},
        family="cnn_transformer",
        network={"channels": [64, 128], "frames": 5, "layers": 1},
        prediction="target",
        target="next_state",
        forcings=[],
        history=5,
    )


def test_every_rung_in_order() -> None:
    settings = frames_settings(
        {"batch_size": 6, "accumulation": 2, "devices": 2, "compile": "max-autotune"}
    )
    assert changes(climb(settings, GRID, 0, memory)) == [
        # Twelve samples an optimizer step, as configured.
        "training.batch_size: 3, training.accumulation: 4",
        "training.batch_size: 2, training.accumulation: 6",
        "training.activation_checkpointing: 0.5",
        "training.activation_checkpointing: 1.0",
        "training.sharding: full (to save, the first process gathers 4 GB of main memory)",
        "training.precision: bfloat16",
        "training.crop: [128, 224]",
        "training.crop: [64, 112]",
        "training.crop: [64, 64]",
        "history: 3, network.frames: 3",
        "history: 2, network.frames: 2",
        "history: 1, network.frames: 1",
        "network.channels: [32, 64]",
        "network.channels: [32, 32]",
    ]


@pytest.mark.parametrize(
    ("batch_size", "accumulation", "devices"),
    [(20, 1, 1), (20, 1, 3), (16, 1, 4), (7, 3, 1), (5, 3, 2), (1, 8, 1), (12, 5, 5)],
)
def test_an_optimizer_step_keeps_its_samples(
    batch_size: int, accumulation: int, devices: int
) -> None:
    settings = make_model_settings(
        {"batch_size": batch_size, "accumulation": accumulation, "devices": devices}
    )
    trainings = [rung.settings.training for rung in climb(settings, GRID, 0, memory).rungs]
    samples = {each.batch_size * each.accumulation for each in trainings}
    assert samples == {batch_size * accumulation}
    assert all(each.batch_size >= devices for each in trainings)
    # Each of all devices has one sample in the end, if whole batches of so many make a step.
    if batch_size * accumulation % devices == 0:
        assert trainings[-1].batch_size == devices


def test_takes_the_first_rung_that_fits() -> None:
    settings = make_model_settings({"batch_size": 4})
    one = 8 * 265 * 450 * 4  # a sample of eight channels in float32
    fit = climb(settings, GRID, one, memory)
    assert [rung.settings.training.batch_size for rung in fit.rungs] == [4, 2, 1]
    assert (fit.chosen.settings.training.accumulation, fit.missing) == (8, 0)
    assert fit.chosen.settings.training.precision == "auto"
    assert climb(settings, GRID, 1e9, memory).rungs[0].settings == settings
    assert len(climb(settings, GRID, 1e9, memory).rungs) == 1


def test_says_by_how_much_nothing_fits() -> None:
    settings = make_model_settings({"may_shrink": False})
    fit = climb(settings, GRID, 500, memory)
    smallest = 8 * 64 * 64 * 2 * (1.0 - 0.8)
    assert fit.chosen.peak == pytest.approx(smallest, abs=1)
    assert fit.missing == fit.chosen.peak - 500


def test_rungs_that_save_nothing_are_left_out() -> None:
    # A validation of whole grids is what takes most: crops do not help.
    def validating(settings: ModelSettings) -> Any:
        half = 2 if settings.training.precision == "bfloat16" else 1
        return Needed(max(memory(settings).peak, 10_000_000 // half))

    fit = climb(make_model_settings({"may_shrink": False}), GRID, 6_000_000, validating)
    assert changes(fit) == ["training.precision: bfloat16"]
    assert fit.missing == 0


def test_a_network_that_learns_positions_is_not_given_crops(root: Path) -> None:
    settings = load_model_settings(root / "config" / "models" / "transformer_90m.yaml")
    fit = climb(settings, GRID, 0, memory)
    assert not any("crop" in change for change in changes(fit))
    assert changes(fit)[-3:] == ["network.layers: 7", "network.layers: 3", "network.layers: 1"]


def test_the_model_is_unchanged_if_it_may_not_shrink(root: Path) -> None:
    shipped = load_model_settings(root / "config" / "models" / "transformer_13b.yaml")
    assert changes(climb(shipped, GRID, 0, memory)) == []
    taken = changes(climb(frames_settings({"may_shrink": False}), GRID, 0, memory))
    assert taken[-1] == "training.crop: [64, 64]"


def test_crops_of_a_downscaler_hold_a_block() -> None:
    settings = make_model_settings(
        {"batch_size": 1, "may_shrink": False},
        family="block_mlp",
        network={"block": 128},
        target="block",
        variable="T2M",
        forcings=[],
    )
    crops = [
        rung.settings.training.crop
        for rung in climb(settings, GRID, 0, memory).rungs
        if "crop" in rung.change
    ]
    assert crops == [(128, 224), (128, 128)]


def test_changes_of_one_state_are_none() -> None:
    settings = make_model_settings(history=2, history_as="changes")
    fit = climb(settings, GRID, 0, memory)
    assert "history: 1, history_as: states" in changes(fit)
    # What the ladder makes is a configuration.
    for rung in fit.rungs:
        assert ModelSettings.model_validate(rung.settings.model_dump()) == rung.settings


def test_what_is_compiled_is_taken_as_it_is_when_memory_ran_out() -> None:
    settings = make_model_settings({"batch_size": 1, "compile": "default"})
    rung = next_rung(settings, GRID, memory)
    assert rung is not None
    assert rung.change == "training.compile: none"


def test_after_each_rung_comes_the_next_until_none_is_left() -> None:
    settings = frames_settings({"compile": "default", "precision": "float32"})
    taken: list[str] = []
    while (rung := next_rung(settings, GRID, memory, "float16")) is not None:
        taken.append(rung.change)
        settings = rung.settings
    planned = changes(climb(frames_settings(), GRID, 0, memory))
    assert taken == [
        planned[0],
        "training.compile: none",
        *(change.replace("bfloat16", "float16") for change in planned[1:]),
    ]
    assert taken[0] == "training.batch_size: 1, training.accumulation: 3"


def test_a_rung_that_saves_nothing_is_taken_once_no_other_is_left() -> None:
    settings = make_model_settings({"batch_size": 1})

    def without_activations(settings: ModelSettings) -> Any:
        return Needed(1000 if settings.network["base_channels"] == 8 else 2000)

    # The network is the smallest there is, and weights are all that is planned.
    rung = next_rung(settings, GRID, without_activations)
    assert rung is not None
    assert rung.change == "training.activation_checkpointing: 0.5"
    wide = settings.model_copy(update={"network": {"base_channels": 16}})
    rung = next_rung(wide, GRID, without_activations)
    assert rung is not None
    assert rung.change == "network.base_channels: 8"


@pytest.mark.parametrize("family", families())
def test_every_family_has_smaller_networks(root: Path, family: str) -> None:
    shipped = [load_model_settings(path) for path in (root / "config" / "models").glob("*.yaml")]
    settings = max(
        (each for each in shipped if each.family == family),
        key=lambda each: len(str(each.network)),
    )
    sizes = []
    options = options_of(family).model_validate(settings.network)
    while options is not None:
        network = options.model_dump(mode="json")
        model = model_without_data(
            settings.model_copy(update={"network": network}), Roles(predicted=DEFAULT_STATE)
        )
        sizes.append(sum(weights.numel() for weights in model.parameters()))
        options = options.smaller()
    assert len(sizes) > 1
    assert sizes == sorted(set(sizes), reverse=True)
