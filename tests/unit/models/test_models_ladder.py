"""The first setting that fits, in the order of what it costs."""

from dataclasses import dataclass

import pytest
from synthetic_hours import make_model_settings

from stormdraw.models.ladder import climb, ladder, next_rung
from stormdraw.models.settings import ModelSettings

GRID = (265, 450)


@dataclass
class Needed:
    peak: int


def memory(settings: ModelSettings) -> Needed:
    """A model of memory in which every rung helps."""
    training = settings.training
    crop = training.crop or GRID
    bytes_each = 2 if training.precision == "bfloat16" else 4
    kept = 1.0 - 0.8 * training.activation_checkpointing
    weights = 1000 // (training.devices if training.sharding == "full" else 1)
    return Needed(weights + int(training.batch_size * crop[0] * crop[1] * bytes_each * kept))


def test_every_rung_in_order() -> None:
    settings = make_model_settings({"batch_size": 5, "accumulation": 3, "devices": 2})
    assert [change for change, _ in ladder(settings, GRID)] == [
        # At least 15 samples an optimizer step, as configured.
        "training.batch_size: 2, training.accumulation: 9",
        "training.precision: bfloat16",
        "training.activation_checkpointing: 0.5",
        "training.activation_checkpointing: 1.0",
        "training.sharding: full",
        "training.crop: [128, 224]",
        "training.crop: [64, 112]",
        "training.crop: [64, 64]",
    ]


def test_takes_the_first_that_fits() -> None:
    settings = make_model_settings({"batch_size": 4})
    # One sample in float32 takes 4 x 265 x 450 and the weights 1000 bytes.
    fit = climb(settings, GRID, 1000 + 265 * 450 * 4, memory)  # type: ignore[arg-type]
    assert [rung.training.batch_size for rung in fit.rungs] == [4, 2, 1]
    assert (fit.chosen.training.accumulation, fit.missing) == (8, 0)
    assert fit.chosen.training.precision == "auto"
    assert climb(settings, GRID, 1e9, memory).rungs[0] is not None  # type: ignore[arg-type]
    assert len(climb(settings, GRID, 1e9, memory).rungs) == 1  # type: ignore[arg-type]


def test_says_by_how_much_nothing_fits() -> None:
    fit = climb(make_model_settings(), GRID, 500, memory)  # type: ignore[arg-type]
    smallest = 1000 + int(64 * 64 * 2 * (1.0 - 0.8))
    assert fit.chosen.peak == pytest.approx(smallest, abs=1)
    assert fit.missing == fit.chosen.peak - 500


def test_what_to_try_next() -> None:
    assert next_rung(make_model_settings(), GRID).startswith("training.batch_size: 1")
    last = make_model_settings(
        {
            "batch_size": 1,
            "precision": "bfloat16",
            "activation_checkpointing": 1.0,
            "crop": [64, 64],
        }
    )
    assert next_rung(last, GRID) == "a smaller network"
