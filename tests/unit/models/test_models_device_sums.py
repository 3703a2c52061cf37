"""Sums that wait on the device, and training steps that never wait for it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from synthetic_hours import START
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from stormdraw.fields.statistics import Statistics
from stormdraw.models.accumulation import Windows
from stormdraw.models.augmentation import Augmenter, Change
from stormdraw.models.device_sums import DeviceSums
from stormdraw.models.engine import TrainingModule
from stormdraw.models.finite_losses import CheckLosses
from stormdraw.models.forcings import channels_of
from stormdraw.models.forecasters import make_forecaster
from stormdraw.models.metrics import MetricsFile
from stormdraw.models.pairs import Batch
from stormdraw.models.settings import ModelSettings
from stormdraw.models.watching import RecordMetrics
from stormdraw.times import hours

NAMES = ("REFC", "T2M", "D2M", "U10", "V10", "CAPE", "CIN")
ONES = np.ones(len(NAMES), dtype=np.float32)
STATISTICS = Statistics(NAMES, ("identity",) * len(NAMES), ONES, ONES, ONES, ONES)

DENOISER = {"family": "conditional_unet", "network": {"base_channels": 8}, "prediction": "v"}
KINDS: dict[str, dict[str, Any]] = {
    "diffusion": {**DENOISER, "target": "residual", "forcings": ["hour_of_day"]},
    "perturbation": {**DENOISER, "target": "perturbed_state"},
    "generator": {
        "family": "stochastic_unet",
        "network": {"channels": [8, 8], "noise_scales": [1, 4]},
        "prediction": "target",
        "target": "residual",
        "loss": {"kind": "almost_fair_crps", "bounded": True},
        "physics": {},
        "training": {"epochs": 1, "augmentation": {"probability": 1.0}},
    },
    "downscaler": {"family": "block_mlp", "target": "block", "variable": "T2M", "prediction": "v"},
}


def test_sums_by_hand() -> None:
    sums = DeviceSums()
    assert sums.totals() == {}
    sums.add(losses=torch.tensor([1.0, 2.0]), samples=torch.tensor([2]))
    sums.add(losses=torch.tensor([0.5, 4.0]), samples=torch.tensor([1]))
    assert sums.totals() == {"losses": [1.5, 6.0], "samples": [3.0]}
    sums.add(losses=torch.tensor([1.0, 1.0]), steps=torch.tensor([1.0]))
    assert sums.totals() == {"losses": [2.5, 7.0], "samples": [3.0], "steps": [1.0]}
    later = DeviceSums()
    later.restart_from(sums.totals())
    later.add(samples=torch.tensor([4]))
    assert later.totals() == {"losses": [2.5, 7.0], "samples": [7.0], "steps": [1.0]}
    later.restart_from({})
    assert later.totals() == {}


def test_sums_of_a_long_epoch_lose_no_digits() -> None:
    # In single precision a sum of 2^24 stays there when 1 is added.
    sums = DeviceSums()
    for value in (2.0**24, 1.0, 1.0):
        sums.add(losses=torch.tensor([value]))
    assert sums.totals() == {"losses": [2.0**24 + 2.0]}


class Loop:
    """What the step and the callbacks ask Lightning's loop."""

    accumulate_grad_batches = 2
    num_training_batches = 4
    global_step = 0
    current_epoch = 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_step_never_waits_for_the_device(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fake tensors hold no numbers, as those of a busy GPU hold none yet: asking one raises."""
    # What to change is drawn on the CPU, wherever the samples are.
    monkeypatch.setattr(Augmenter, "draw", lambda *_: [Change(1, 1.05), Change(3)])
    settings = ModelSettings.model_validate({"training": {"epochs": 1}, **KINDS[kind]})
    with FakeTensorMode():
        model = make_forecaster(settings, STATISTICS)
        asked = settings.training.augmentation
        augmenter = asked and Augmenter(asked, STATISTICS)
        module = TrainingModule(
            model, settings.training, "small", 1, 1, Windows(8, 2, 2), augmenter=augmenter
        )
        loop: Any = Loop()
        module.trainer = loop
        record = RecordMetrics(
            MetricsFile(tmp_path / "metrics.json", {}),
            *(model.loss_names, "a device"),
            laws=model.law_names,
        )
        check = CheckLosses("small", model)
        now, following = torch.empty(2, 2, len(NAMES), 32, 32)
        forcings = torch.empty(2, len(channels_of(settings, model.roles)), 32, 32)
        batch = Batch(now, following, forcings, (START, START + hours(1)))
        for index in range(4):
            check.on_train_batch_start(loop, module, batch, index)
            outputs = module.training_step(batch, index)
            outputs["loss"].backward()
            if index % 2:
                module.on_after_backward()
                module.on_before_optimizer_step(None)  # type: ignore[arg-type]
                loop.global_step += 1
            for callback in (check, record):
                callback.on_train_batch_end(loop, module, outputs, batch, index)
        outputs = module.validation_step(batch, 0)
        record.on_validation_batch_end(loop, module, outputs, batch, 0)
        with pytest.raises(DataDependentOutputException):
            record.state_dict()
        with pytest.raises(DataDependentOutputException):
            check.on_train_epoch_end(loop, module)
