"""The models of a run, and whether its systems can draw from them."""

from collections.abc import Callable, Mapping
from pathlib import Path

from stormdraw.ensembles.sampler_steps import check_steps
from stormdraw.ensembles.settings import DefSystem, DiffusionSystem, DownscaleSystem, ModelSystem
from stormdraw.errors import StormdrawError
from stormdraw.models.settings import ModelSettings, load_model_settings
from stormdraw.settings import Settings
from stormdraw.variables import STATE_VARIABLES


def load_models(
    settings: Settings, file_of: Callable[[str], str | Path]
) -> dict[str, ModelSettings]:
    """The configurations of all models of a run by name, from the files that `file_of` names.

    Those that name a configuration and a forecaster get both. Raises StormdrawError for a file that
    is wrong, or a forecaster that is none.
    """
    models = {}
    for name, entry in settings.models_by_name().items():
        if isinstance(entry, str):
            models[name] = load_model_settings(file_of(entry))
            continue
        model = load_model_settings(file_of(entry.configuration))
        if model.target != "perturbed_state":
            raise StormdrawError(
                f"models: {name} gives {entry.configuration} a forecaster, but its target is "
                f"{model.target}; only a model with target: perturbed_state has one"
            )
        models[name] = model.model_copy(update={"forecaster": entry.forecaster})
    for name, model in models.items():
        if model.target == "perturbed_state":
            _check_forecaster(f"models: {name}", model.forecaster, models)
    return models


def _check_forecaster(
    origin: str, forecaster: str | None, models: Mapping[str, ModelSettings]
) -> None:
    """Raise StormdrawError if what is named cannot step a perturbed state."""
    if forecaster is None:
        raise StormdrawError(
            f"{origin} perturbs the states of no forecaster; in the list `models` give "
            "{name: ..., configuration: ..., forecaster: ...} with a deterministic model of the "
            "list, or the key forecaster in the model's configuration"
        )
    if forecaster not in models:
        raise StormdrawError(
            f"{origin} perturbs the states of the forecaster {forecaster!r}, which is not in the "
            f"list `models` ({', '.join(models)}); add it"
        )
    model = models[forecaster]
    if model.prediction != "target" or model.loss.kind == "almost_fair_crps":
        raise StormdrawError(
            f"{origin} perturbs the states of the forecaster {forecaster}, which is stochastic "
            f"itself (prediction: {model.prediction}, loss.kind: {model.loss.kind}); name a "
            "deterministic model (prediction: target, loss.kind: mse or mae)"
        )


def stepping_model(system: ModelSystem, models: Mapping[str, ModelSettings]) -> str:
    """The name of the model that takes a system's states from hour to hour."""
    if not isinstance(system, DefSystem):
        return system.model
    forecaster = system.forecaster or models[system.model].forecaster
    if forecaster is None:
        raise StormdrawError(f"ensembles.systems: {system.name} has no forecaster; name one")
    return forecaster


def check_systems(settings: Settings, models: Mapping[str, ModelSettings]) -> None:
    """Raise StormdrawError if a system cannot draw from its model, or not start it."""
    for system in settings.ensembles.systems:
        if isinstance(system, DownscaleSystem):
            _check_downscaling(system, settings, models)
        if not isinstance(system, ModelSystem):
            continue
        model = models[system.model]
        origin = f"ensembles.systems: {system.name} samples the model {system.model}"
        if model.target == "block":
            raise StormdrawError(
                f"{origin} by the method {system.method}, but that model downscales; set the "
                "method to downscale and name it in `models` of the system"
            )
        fitting = _fitting_method(model)
        if system.method != fitting:
            kind = (
                "target is perturbed_state"
                if fitting == "def"
                else f"prediction is {model.prediction}"
            )
            raise StormdrawError(
                f"{origin} by the method {system.method}, but its {kind}; "
                f"set the method to {fitting}"
            )
        if isinstance(system, DiffusionSystem | DefSystem):
            _check_steps(origin, system, model)
        stepping = stepping_model(system, models)
        if isinstance(system, DefSystem):
            _check_forecaster(f"ensembles.systems: {system.name}", stepping, models)
            _check_restandardised(origin, system, settings)
        history = models[stepping].history
        if history > settings.cases.history:
            raise StormdrawError(
                f"{origin}, which starts from {history} hourly states; set cases.history "
                f"(now {settings.cases.history}) to {history}"
                if stepping == system.model
                else f"{origin} for the forecaster {stepping}, which starts from {history} hourly "
                f"states; set cases.history (now {settings.cases.history}) to {history}"
            )


def _check_steps(
    origin: str, system: DiffusionSystem | DefSystem | DownscaleSystem, model: ModelSettings
) -> None:
    try:
        check_steps(system.steps, model.noise_schedule.timesteps)
    except StormdrawError as error:
        raise StormdrawError(f"{origin}: {error}") from None


def _check_downscaling(
    system: DownscaleSystem, settings: Settings, models: Mapping[str, ModelSettings]
) -> None:
    """Raise StormdrawError if the system's models do not each downscale a variable of their own."""
    by_variable: dict[str, str] = {}
    for name in system.models:
        model = models[name]
        origin = f"ensembles.systems: {system.name} downscales with the model {name}"
        if model.target != "block":
            raise StormdrawError(
                f"{origin}, whose target is {model.target}; name models with target: block, such "
                "as downscaler_t2m"
            )
        variable = str(model.variable)
        if variable not in settings.variables:
            raise StormdrawError(
                f"{origin}, which is of {variable}, but the run's variables are "
                f"{', '.join(settings.variables)}; add it, or leave that model out"
            )
        if variable in by_variable:
            raise StormdrawError(
                f"{origin}, which is of {variable}, and so is {by_variable[variable]}; name one "
                "model a variable"
            )
        by_variable[variable] = name
        _check_steps(origin, system, model)


def downscaled_variables(system: DownscaleSystem, models: Mapping[str, ModelSettings]) -> list[str]:
    """The variables that a system has, in the order of a state."""
    own = {models[name].variable for name in system.models}
    return [name for name in STATE_VARIABLES if name in own]


def _fitting_method(model: ModelSettings) -> str:
    if model.target == "perturbed_state":
        return "def"
    return "one_step" if model.prediction == "target" else "diffusion"


def _check_restandardised(origin: str, system: DefSystem, settings: Settings) -> None:
    unknown = [name for name in system.restandardise if name not in settings.variables]
    if unknown:
        raise StormdrawError(
            f"{origin} and brings {', '.join(unknown)} back to its mean and spread, but the run's "
            f"variables are {', '.join(settings.variables)}; leave it out of `restandardise`"
        )
