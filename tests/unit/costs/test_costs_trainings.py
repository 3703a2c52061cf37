"""What a model's configuration asks of the machine besides memory."""

import pytest
import torch
from one_system import configuration

from stormdraw.costs.examination import check_configuration
from stormdraw.costs.trainings import check_trainings
from stormdraw.models.settings import ModelSettings
from stormdraw.settings import load_settings

MODEL = {"family": "conditional_unet", "prediction": "v", "target": "residual"}


def model(**training) -> ModelSettings:
    return ModelSettings.model_validate({**MODEL, "training": {"epochs": 1, **training}})


@pytest.fixture
def gpus(monkeypatch):
    """How many GPUs PyTorch sees."""

    def seen(count: int) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)

    return seen


@pytest.mark.parametrize(
    ("count", "training", "said"),
    [
        (0, {"precision": "float16"}, "only a GPU trains it in float16"),
        (1, {"precision": "float16"}, None),
        (0, {"precision": "bfloat16"}, None),
        (2, {"devices": 4, "batch_size": 4}, "asks for 4 GPUs, and PyTorch sees 2"),
        (4, {"devices": 4, "batch_size": 4}, None),
        (0, {"devices": 4, "batch_size": 4}, None),
    ],
)
def test_gpus_that_a_model_asks_for(gpus, count, training, said):
    gpus(count)
    findings = check_trainings({"good": model(), "asking": model(**training)})
    assert [finding.what for finding in findings] == ([] if said is None else ["model asking"])
    if said is not None:
        assert findings[0].state == "problem"
        assert said in findings[0].found


def test_a_compiler_for_compiled_networks(gpus, tmp_path, monkeypatch):
    gpus(0)
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    compiled = {"compiled": model(compile="default"), "plain": model()}
    (finding,) = check_trainings(compiled)
    assert "there is no C++ compiler (g++, clang++, c++)" in finding.found
    for name in ("clang++", "mine"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    assert check_trainings(compiled) == []
    monkeypatch.setenv("CXX", "mine")
    assert check_trainings(compiled) == []
    monkeypatch.setenv("CXX", "theirs")
    assert "there is no C++ compiler (theirs)" in check_trainings(compiled)[0].found


def test_what_is_remarked_on_and_what_is_wrong():
    (good,) = check_configuration(load_settings(configuration()), {})
    assert good.state == "good"
    box = {"west": 170, "east": 160, "south": 30, "north": 40}
    swapped = load_settings(configuration(scores={"regions": {"box": box}}))
    (note,) = check_configuration(swapped, {})
    assert (note.state, note.what) == ("note", "configuration")
    assert "crosses the 180th meridian" in note.found
    mirror = load_settings(configuration(archive={"source": {"mirror": "/no/such"}}))
    (problem,) = check_configuration(mirror, {})
    assert (problem.state, "there is no folder /no/such" in problem.found) == ("problem", True)
