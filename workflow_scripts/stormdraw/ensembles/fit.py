"""Checks that the trained models of a run fit the systems that draw from them.

Each function raises ValueError if not. Its message continues after the name of a system.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from stormdraw.ensembles.sampler_steps import check_sampler
from stormdraw.errors import StormdrawError

if TYPE_CHECKING:
    from stormdraw.ensembles.system import Sampled
    from stormdraw.models.settings import ModelSettings
    from stormdraw.settings import Settings


def require_method(method: str, name: str, model: ModelSettings) -> None:
    """The method is the one for this kind of model."""
    origin = f"samples the model {name} by the method {method}, but"
    if model.target == "block":
        raise ValueError(
            f"{origin} that model downscales; set the method to downscale and name it in `models` "
            "of the system"
        )
    if model.target == "perturbed_state":
        fitting, kind = "def", "target is perturbed_state"
    else:
        fitting = "one_step" if model.prediction == "target" else "diffusion"
        kind = f"prediction is {model.prediction}"
    if method != fitting:
        raise ValueError(f"{origin} its {kind}; set the method to {fitting}")


def require_sampler(sampled: Sampled, name: str, model: ModelSettings) -> None:
    """The sampler fits the model's noise and takes no more steps than there are timesteps."""
    try:
        check_sampler(sampled.sampler, sampled.steps, model.formulation)
    except StormdrawError as error:
        raise ValueError(f"samples the model {name}: {error}") from None


def require_history(run: Settings, stepping: str, models: Mapping[str, ModelSettings]) -> None:
    """Each case has as many initial states as the model that steps them needs."""
    history = models[stepping].history
    if history > run.cases.history:
        raise ValueError(
            f"is stepped by the model {stepping}, which starts from {history} hourly states; set "
            f"cases.history (now {run.cases.history}) to {history}"
        )


def require_forecaster(forecaster: str | None, models: Mapping[str, ModelSettings]) -> str:
    """The model that steps perturbed states is a deterministic model of the run."""
    if forecaster is None:
        raise ValueError(
            "has no forecaster whose states it perturbs; in the list `models` give {name: ..., "
            "configuration: ..., forecaster: ...} with a deterministic model of the list, or the "
            "key forecaster in the model's configuration"
        )
    if forecaster not in models:
        raise ValueError(
            f"perturbs the states of the forecaster {forecaster!r}, which is not in the list "
            f"`models` ({', '.join(models)}); add it"
        )
    model = models[forecaster]
    if model.prediction != "target" or model.by_chance:
        raise ValueError(
            f"perturbs the states of the forecaster {forecaster}, which is stochastic itself "
            f"(prediction: {model.prediction}, loss.kind: {model.loss.kind}); name a deterministic "
            "model (prediction: target, loss.kind: mse or mae)"
        )
    return forecaster


def require_noise(name: str, model: ModelSettings, key: str) -> None:
    """The model draws members that differ; `key` is the system's key that changes their noise."""
    if not model.by_chance:
        raise ValueError(
            f"samples the model {name}, which forecasts one member (loss.kind: {model.loss.kind}) "
            f"and has no noise that `{key}` could change; leave that key out"
        )


def require_downscalers(names: tuple[str, ...], models: Mapping[str, ModelSettings]) -> None:
    """Each of these models downscales a different variable."""
    by_variable: dict[str, str] = {}
    for name in names:
        model = models[name]
        origin = f"downscales with the model {name}"
        if model.target != "block":
            raise ValueError(
                f"{origin}, whose target is {model.target}; name models with target: block, such "
                "as downscaler_t2m"
            )
        variable = str(model.variable)
        if variable in by_variable:
            raise ValueError(
                f"{origin}, which is of {variable}, and so is {by_variable[variable]}; name one "
                "model per variable"
            )
        by_variable[variable] = name


def require_package(name: str, models: Mapping[str, ModelSettings]) -> None:
    """The model can forecast alone, without files of the run."""
    if name not in models:
        raise ValueError(f"is not in the list `models` ({', '.join(models) or 'empty'})")
    model = models[name]
    if model.target not in ("next_state", "residual"):
        raise ValueError(f"does not forecast by itself (target: {model.target}); leave it out")
    if model.driven:
        raise ValueError(
            "is driven by forecasts of another model, which no package has; leave it out"
        )
