"""Perturbation models and forecasters in a configuration: two lines, and what can be wrong."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from perturbation_models import forecaster_settings, perturbation_settings
from synthetic_hours import make_model_settings, make_settings

from stormdraw.ensembles.models import check_systems, load_models
from stormdraw.errors import StormdrawError
from stormdraw.models.settings import ModelSettings
from stormdraw.settings import Settings

CROSSED = {"name": "def_steady", "configuration": "def_perturbation", "forecaster": "steady"}
STOCHASTIC = {
    "family": "stochastic_unet",
    "network": {"channels": [8, 8], "noise_scales": [1]},
    "loss": {"kind": "almost_fair_crps"},
}


def run(models: list[Any], history: int = 1, **system: Any) -> Settings:
    systems = [{"name": "ensemble", "method": "def", "model": "def_steady", **system}]
    return make_settings(models=models, cases={"history": history}, ensembles={"systems": systems})


@pytest.fixture
def file_of(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Files of some models; the perturbation names no forecaster."""
    kinds: dict[str, ModelSettings] = {
        "steady": forecaster_settings(),
        "frames": forecaster_settings(3),
        "crps": forecaster_settings(**STOCHASTIC),
        "diffusion": make_model_settings(),
        "def_perturbation": perturbation_settings(forecaster=None),
        "def_own": perturbation_settings(forecaster="frames"),
    }
    for name, kind in kinds.items():
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(kind.model_dump(mode="json")))
    return lambda name: tmp_path / f"{name}.yaml"


def test_two_lines_cross_any_forecaster(file_of) -> None:  # type: ignore[no-untyped-def]
    settings = run(
        ["steady", "frames", CROSSED, {**CROSSED, "name": "two", "forecaster": "frames"}]
    )
    assert settings.model_names == ["steady", "frames", "def_steady", "two"]
    models = load_models(settings, file_of)
    check_systems(settings, models)
    assert models["def_steady"].forecaster == "steady"
    assert models["two"].forecaster == "frames"
    assert models["two"].model_copy(update={"forecaster": "steady"}) == models["def_steady"]
    system = settings.ensembles.systems[0]
    assert system.stepping(models) == "steady"  # type: ignore[union-attr]
    # Another forecaster than the one it was trained with.
    other = run(["steady", "frames", CROSSED], history=3, forecaster="frames")
    check_systems(other, load_models(other, file_of))
    assert other.ensembles.systems[0].stepping(models) == "frames"  # type: ignore[union-attr]
    # The settings go to the processes of a training as JSON.
    assert Settings.model_validate(settings.model_dump(mode="json")) == settings


def test_a_configuration_may_name_its_own_forecaster(file_of) -> None:  # type: ignore[no-untyped-def]
    settings = run(["frames", "def_own"], history=3, model="def_own")
    models = load_models(settings, file_of)
    check_systems(settings, models)
    assert models["def_own"].forecaster == "frames"


@pytest.mark.parametrize(
    ("models", "system", "complaint"),
    [
        ([CROSSED], {}, r"models: def_steady perturbs .* 'steady', which is not in the list"),
        (
            ["crps", {**CROSSED, "forecaster": "crps"}],
            {},
            "the forecaster crps, which is stochastic itself",
        ),
        (
            ["diffusion", {**CROSSED, "forecaster": "diffusion"}],
            {},
            r"the forecaster diffusion, which is stochastic itself \(prediction: v",
        ),
        (
            ["steady", "def_perturbation"],
            {"model": "def_perturbation"},
            "models: def_perturbation has no forecaster whose states it perturbs; in the list",
        ),
        (
            ["steady", {**CROSSED, "configuration": "diffusion"}],
            {},
            "def_steady gives diffusion a forecaster, but its target is residual",
        ),
        (["steady", CROSSED], {"forecaster": "gone"}, r"ensemble perturbs .* 'gone', which is not"),
        (
            ["steady", "crps", CROSSED],
            {"forecaster": "crps"},
            "ensemble perturbs the states of the forecaster crps, which is stochastic",
        ),
        (
            ["steady", "frames", CROSSED],
            {"forecaster": "frames"},
            r"is stepped by the model frames, which starts from 3 hourly states; set cases.history",
        ),
        (["steady", CROSSED], {"model": "steady"}, "prediction is target; set the method to one_s"),
        (
            ["steady", CROSSED],
            {"method": "diffusion"},
            "target is perturbed_state; set the method to def",
        ),
        (["steady", CROSSED], {"steps": 2000}, "2000 sampling steps are more than"),
    ],
)
def test_what_cannot_be(  # type: ignore[no-untyped-def]
    file_of, models: list[Any], system: dict[str, Any], complaint: str
) -> None:
    settings = run(models, **system)
    with pytest.raises(StormdrawError, match=complaint) as error:
        check_systems(settings, load_models(settings, file_of))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"models": ["steady", {**CROSSED, "name": "steady"}]}, "steady occurs twice"),
        ({"models": ["steady", {"name": "def_steady"}]}, "forecaster"),
        ({"guidance": -0.1}, "guidance"),
        ({"walks": 0}, "walks"),
        ({"eta": 0.5}, "eta is of the sampler ddim"),
        ({"restandardise": ["U10"]}, "restandardises U10, but"),
        ({"model": "gone"}, "which is not in the list `models`"),
    ],
)
def test_wrong_values(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        run(changes.pop("models", ["steady", CROSSED]), **changes)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"prediction": "target"}, "target: perturbed_state needs a diffusion model"),
        ({"forcings": ["terrain"]}, "uses only the state it perturbs"),
        ({"history": 2}, "uses only the state it perturbs"),
        ({"target": "next_state"}, "forecaster is steady, but only a model with target"),
        ({"noise_schedule": {"largest_beta": 0.999}}, "largest_beta is 0.999"),
    ],
)
def test_what_a_perturbation_model_cannot_have(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        perturbation_settings(**changes)
