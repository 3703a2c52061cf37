"""The models of a run, and whether its systems can draw from them."""

from collections.abc import Callable, Mapping
from pathlib import Path

from stormdraw.ensembles.fit import require_forecaster
from stormdraw.errors import StormdrawError
from stormdraw.model_entries import GivenModel
from stormdraw.models.driving import as_driven
from stormdraw.models.given import given_settings
from stormdraw.models.settings import ModelSettings, load_model_settings
from stormdraw.settings import Settings


def load_models(
    settings: Settings, file_of: Callable[[str], str | Path]
) -> dict[str, ModelSettings]:
    """The configurations of all models of a run by name, from the files that `file_of` gives.

    Entries with a configuration and a forecaster get both; those with a checkpoint get what that
    was trained with. Raises StormdrawError for an invalid file, forecaster or checkpoint.
    """
    models = {}
    for name, entry in settings.models_by_name().items():
        if isinstance(entry, GivenModel):
            models[name] = given_settings(entry, settings)
            continue
        if isinstance(entry, str):
            models[name] = _as_driven(name, load_model_settings(file_of(entry)), settings)
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
            try:
                require_forecaster(model.forecaster, models)
            except ValueError as error:
                raise StormdrawError(f"models: {name} {error}") from None
    return models


def _as_driven(name: str, model: ModelSettings, settings: Settings) -> ModelSettings:
    try:
        return as_driven(model, settings)
    except StormdrawError as error:
        raise StormdrawError(f"models: {name}: {error}") from None


def check_systems(settings: Settings, models: Mapping[str, ModelSettings]) -> None:
    """Raise StormdrawError if a system cannot draw from its model, or cannot start it."""
    for index, system in enumerate(settings.ensembles.given()):
        try:
            system.check_models(settings, models)
        except ValueError as error:
            raise StormdrawError(f"ensembles.systems.{index}: {system.name} {error}") from None
