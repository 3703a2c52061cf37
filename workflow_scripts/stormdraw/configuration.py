"""The configuration of a run and those of its models, checked against each other."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from stormdraw.archive.settings import Mirror
from stormdraw.archive.truths.external import ExternalTruth
from stormdraw.ensembles.fit import require_package
from stormdraw.ensembles.models import check_systems, load_models
from stormdraw.errors import StormdrawError
from stormdraw.fields.expected_grid import target_grid
from stormdraw.forecasts.places import nearest_points
from stormdraw.grids import Grid
from stormdraw.map_factor import require_conformal, require_square
from stormdraw.models.definitions import definition_file
from stormdraw.models.given import given_checkpoint
from stormdraw.models.settings import STATIC_FIELDS, ModelSettings
from stormdraw.scores.settings import Box
from stormdraw.settings import Settings, load_settings, load_yaml
from stormdraw.yaml_lines import located


def read_configuration(
    config: dict[str, Any],
    files: Iterable[str | Path],
    model_file: Callable[[str], str | Path],
) -> tuple[Settings, dict[str, ModelSettings]]:
    """The settings of a run, read from these YAML files, and those of its models by name.

    `model_file` gives the path of a model's file. Raises StormdrawError with one line for any error
    that can be found before anything is fetched; `check_places` finds more.
    """
    files = list(files)
    settings = load_settings(config, *files)
    try:
        models = load_models(settings, model_file)
        check_systems(settings, models)
        for name, model in models.items():
            _check_model(f"models: {name}", model, settings, models)
        for name in settings.models_export:
            try:
                require_package(name, models)
            except ValueError as error:
                raise StormdrawError(f"models_export: {name} {error}") from None
    except StormdrawError as error:
        raise StormdrawError(located(str(error), files)) from None
    return settings, models


def configuration_of_file(
    file: str | Path, checkout: Path
) -> tuple[Settings, dict[str, ModelSettings]]:
    """The same from one file; models are defined below the working folder or the checkout."""
    folders = [folder / "config" / "models" for folder in (Path(), checkout)]
    return read_configuration(load_yaml(file), [file], lambda name: definition_file(name, *folders))


def _check_model(
    origin: str, model: ModelSettings, settings: Settings, models: Mapping[str, ModelSettings]
) -> None:
    """Raise StormdrawError if the run lacks data that a model learns from."""
    try:
        model.roles_of(settings.roles)
    except StormdrawError as error:
        raise StormdrawError(f"{origin}: {error}") from None
    for forcing, field in STATIC_FIELDS.items():
        if forcing in model.forcings and field not in settings.fields.static:
            raise StormdrawError(
                f"fields.static lacks {field}, which the forcing {forcing} of the model "
                f"{origin.removeprefix('models: ')} is; add it, or leave the forcing out of the "
                "model"
            )
    if model.variable is not None and model.variable not in settings.variables:
        raise StormdrawError(
            f"{origin} downscales {model.variable}, but the run's variables are "
            f"{', '.join(settings.variables)}; add it, or leave that model out"
        )
    stepping = models[model.forecaster] if model.forecaster else model
    for key, period in settings.periods.named():
        if key != "test" and len(period.times()) <= stepping.history:
            raise StormdrawError(
                f"periods.{key} has {len(period.times())} hours, but {origin} learns from "
                f"{stepping.history + 1} consecutive hours; make it longer"
            )


def check_places(
    settings: Settings, models: Mapping[str, ModelSettings], files: Iterable[str | Path]
) -> None:
    """Raise StormdrawError if a mirror's folder does not exist, or the grid is too small.

    The grid must be large enough for the crop, block averages, regions and a downscaler's block. It
    is only checked if it is known (`stormdraw.fields.expected_grid`).
    """
    try:
        if isinstance(settings.archive.source, Mirror):
            # Imported here, since other configurations do not need it.
            from stormdraw.archive.sources import place_of

            place_of(settings)
        if settings.archive.stations is not None:
            # Likewise.
            from stormdraw.archive.stations.own_files import require_readable

            require_readable(settings)
        _require_files_of_others(settings)
        grid = target_grid(settings)
        if grid is not None:
            _check_grid(grid, settings, models)
    except StormdrawError as error:
        raise StormdrawError(located(str(error), list(files))) from None


def _require_files_of_others(settings: Settings) -> None:
    """Raise StormdrawError if files of others, where they are on this machine, are of no case."""
    for system in settings.ensembles.systems:
        system.require_files(settings)
    for name in settings.variables:
        own = settings.archive.truth_of(name)
        if isinstance(own, ExternalTruth):
            from stormdraw.external.inputs import require_any

            times = settings.compared_times()
            require_any(own.own_files, f"archive.truth: {name}", own.name, times, [name], [0])


def _check_grid(grid: Grid, settings: Settings, models: Mapping[str, ModelSettings]) -> None:
    if settings.report.products_of is not None:
        from stormdraw.grib_encoding import require_encodable

        products = f"report.products_of is {settings.report.products_of}"
        _require([require_encodable], grid, products, "leave it out")
    if settings.scores.regions:
        from stormdraw.scores.regions import region_masks

        region_masks(grid, settings.scores.regions)
    nearest_points(grid, settings.forecast.places)
    longest = max(settings.scores.variogram_lags, default=0)
    if longest >= max(grid.shape):
        raise StormdrawError(
            f"scores.variogram_lags has {longest} points, but the grid only {grid.shape[0]} x "
            f"{grid.shape[1]}; take shorter ones"
        )
    for name, entry in settings.given_models.items():
        given_checkpoint(entry).header.grid.check(grid, f"models: {name}")
    for name, model in models.items():
        if model.physics is not None:
            laws = f"models: {name} has physics"
            _require([require_conformal, require_square], grid, laws, "leave it out")
        block = getattr(model.network_options, "block", 0)
        if block > min(grid.shape):
            raise StormdrawError(
                f"models: {name} draws blocks of {block} x {block} points, but the grid has only "
                f"{grid.shape[0]} x {grid.shape[1]}; take a larger part of it"
            )


def _require(
    properties: Iterable[Callable[[Grid], None]], grid: Grid, origin: str, to_do: str
) -> None:
    try:
        for require in properties:
            require(grid)
    except StormdrawError as error:
        raise StormdrawError(f"{origin}, and {error}; {to_do}") from None


def require_past(settings: Settings, now: datetime) -> None:
    """Raise StormdrawError if a period that no simulation makes ends after `now`, in UTC."""
    for name, period in [] if settings.simulated else settings.periods.named():
        if period.end > now:
            raise StormdrawError(
                f"periods.{name} ends {period.end}, in the future: no archive has those hours yet; "
                "end it earlier, or forecast with --config cycle=latest"
            )


def remarks(settings: Settings, models: Mapping[str, ModelSettings], now: datetime) -> list[str]:
    """Valid but suspicious settings, one line each; `now` is in UTC."""
    return [
        *_suspicious_boxes(settings),
        *_unused_exclusions(settings),
        *_unused_driving(settings, models),
    ]


def _unused_driving(settings: Settings, models: Mapping[str, ModelSettings]) -> list[str]:
    if settings.archive.driving is None or any(model.driven for model in models.values()):
        return []
    return [
        f"archive.driving is {settings.archive.driving.model}, but no model has the forcing "
        "driving: its forecasts are fetched and used by nothing"
    ]


def _unused_exclusions(settings: Settings) -> list[str]:
    wanted = set(settings.analysis_times())
    return [
        f"archive.exclude names {time}, which is not an hour of the run"
        for time in settings.archive.exclude
        if time not in wanted
    ]


def _suspicious_boxes(settings: Settings) -> list[str]:
    boxes = {
        name: region for name, region in settings.scores.regions.items() if isinstance(region, Box)
    }
    return [
        f"scores.regions.{name} {_extent(box)}; if that is not intended, exchange its west "
        f"({box.west:g}) and east ({box.east:g})"
        for name, box in boxes.items()
        if box.west > box.east or box.width > 180.0
    ]


def _extent(box: Box) -> str:
    crosses = "crosses the 180th meridian and " if box.west > box.east else ""
    return f"{crosses}is {box.width:g} degrees wide"
