"""The data of a training: its pairs of hours, and the fields among their forcings."""

from datetime import datetime

import numpy as np
import torch

from stormdraw.archive.driving_needs import hours_to_learn_from
from stormdraw.errors import StormdrawError
from stormdraw.fields.driving_statistics import read_driving_statistics
from stormdraw.fields.statistics import Statistics
from stormdraw.grids import Grid
from stormdraw.map_factor import map_factor, require_square
from stormdraw.models.checkpoint import TrainedModel, load_model
from stormdraw.models.driving import RunDriving, require_driving
from stormdraw.models.forcings import DrivingFields, channels_of, forcings_of, make_forcings
from stormdraw.models.forecast_pairs import ForecastPairs, OneHourForecaster
from stormdraw.models.forecaster import Forecaster
from stormdraw.models.pairs import Pairs
from stormdraw.models.stored_states import StoredStates
from stormdraw.models.training_files import TrainingFiles
from stormdraw.settings import Settings


def training_data(
    settings: Settings, model: Forecaster, files: TrainingFiles, grid: Grid, device: torch.device
) -> tuple[Pairs, Pairs | None]:
    """The training pairs, and the validation pairs if there is a validation period."""
    training, roles = model.settings.training, model.roles
    periods = settings.periods.training, settings.periods.validation
    times = [[] if period is None else period.times() for period in periods]
    forecaster = None
    if model.settings.target == "perturbed_state":
        forecaster = _forecaster(settings, files, device)
    stepping = model if forecaster is None else forecaster.model
    inputs = StoredStates(
        *(files.fields, stepping.roles.input, [*times[0], *times[1]], grid.shape),
        bytes_in_memory=training.data_gigabytes * 1e9,
        readers=training.readers,
    )
    bound = training.data_gigabytes * 1e9 - inputs.bytes
    driving = _driving(settings, stepping, files, forecaster)
    if driving is not None:
        bound -= driving.reader.hold(hours_to_learn_from(settings), bound)
    terrain = None if forecaster is None else forecaster.terrain
    forcings = forcings_of(stepping, grid, files.static, terrain, inputs, driving)
    longest = max(settings.leads)
    factor = None if model.settings.physics is None else _map_factor(grid)

    def pairs(times: list[datetime], bound: float, hours_ahead: int) -> Pairs:
        source = (files.fields, roles.forecast, times)
        if forecaster is not None:
            none = make_forcings((), grid)
            ahead = OneHourForecaster(forecaster, forcings)
            return ForecastPairs(*source, none, bound, ahead, training.readers, longest)
        return Pairs(
            *(*source, forcings, bound, model.settings.history, factor, training.readers),
            diagnosed=roles.diagnosed,
            longest_lead=longest,
            hours_ahead=hours_ahead,
        )

    learnt = pairs(times[0], bound, training.hours_ahead)
    # Validation is of one hour, so that all epochs can be compared.
    return learnt, pairs(times[1], bound - learnt.bytes, 1) if times[1] else None


def _forecaster(settings: Settings, files: TrainingFiles, device: torch.device) -> TrainedModel:
    """The forecaster of a perturbation model, from its checkpoint."""
    if files.forecaster is None:
        raise StormdrawError("target: perturbed_state needs the checkpoint of its forecaster")
    return load_model(files.forecaster, device, settings.roles, RunDriving.of(settings))


def _driving(
    settings: Settings,
    stepping: Forecaster,
    files: TrainingFiles,
    forecaster: TrainedModel | None,
) -> DrivingFields | None:
    """The fields that drive the model that makes forecasts, if any do.

    They are standardised as the training period says, or as its own training said.
    """
    run = RunDriving.of(settings, files.driving)
    if forecaster is not None:
        return forecaster.driven(run)
    if not stepping.settings.driven:
        return None
    require_driving(stepping.settings, None if run is None else run.by, "model")
    if run is None or files.driving_statistics is None:
        raise ValueError("the training of a driven model needs driving statistics")
    statistics = read_driving_statistics(files.driving_statistics)
    if statistics.variables != run.by.variables:
        raise StormdrawError(
            f"{files.driving_statistics}: made for {', '.join(statistics.variables)}, but "
            f"{', '.join(run.by.variables)} drive the run; delete it"
        )
    return DrivingFields(statistics, run.reader())


def fields_among_forcings(
    model: Forecaster, driving: DrivingFields | None
) -> list[tuple[int, Statistics]]:
    """The fields among a model's forcings: the number of the first, and their statistics."""
    channels, names = channels_of(model.settings, model.roles), model.roles.input
    found = [(channels.index(names[0]), model.statistics.of(names))] if names else []
    if driving is not None:
        known = driving.statistics
        # They are never targets, so that the statistics of their changes are not used.
        unused = np.zeros_like(known.mean), np.ones_like(known.std)
        of_fields = Statistics(known.variables, known.transforms, known.mean, known.std, *unused)
        found.append((channels.index(driving.channels[0]), of_fields))
    return found


def _map_factor(grid: Grid) -> np.ndarray:
    """The map factor (y, x) of a grid of square cells; raises StormdrawError for other cells."""
    require_square(grid)
    return map_factor(grid)
