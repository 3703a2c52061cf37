"""Which forecasts of the driving model a run needs, and whether the archive can have them."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from stormdraw.archive.base_model import base_model_names
from stormdraw.archive.driving_registry import driving_model, larger_scale_models
from stormdraw.archive.driving_schedule import DrivenHour, DrivingForecast, Schedule
from stormdraw.archive.public import FIRST_RUNS, first_run
from stormdraw.archive.settings import Driving
from stormdraw.errors import StormdrawError
from stormdraw.simulated import SIMULATED_DRIVING, SIMULATED_DRIVING_MODEL
from stormdraw.variables import variable

if TYPE_CHECKING:
    from stormdraw.settings import Settings


def schedule_of(settings: "Settings") -> Schedule:
    """The cycles of the run's driving model, which must have one."""
    driving = _driving(settings)
    model = driving_model(driving.model)
    return Schedule(model, driving.latency_hours, max(settings.leads), settings.seed)


def driving_variables(settings: "Settings") -> tuple[str, ...]:
    """The variables that drive: the configured ones, or the usual ones of the driving model.

    Of the usual ones the simulated archive has some.
    """
    driving = _driving(settings)
    if driving.variables:
        return tuple(driving.variables)
    usual = driving_model(driving.model).variables
    if settings.simulated:
        return tuple(name for name in usual if name in SIMULATED_DRIVING)
    return usual


def learnt_hours(settings: "Settings") -> list[datetime]:
    """The hours that training and validation predict: all of their periods but the first."""
    periods = settings.periods
    return [*periods.training_times()[1:], *periods.validation_times()[1:]]


def hours_to_learn_from(settings: "Settings") -> Iterator[DrivenHour]:
    """What drives the hours that training and validation predict, at every age it may have."""
    schedule = schedule_of(settings)
    for valid in learnt_hours(settings):
        yield from schedule.possible(valid)


def forecasts_to_learn_from(settings: "Settings") -> set[DrivingForecast]:
    """The forecasts of the archive for `hours_to_learn_from`."""
    weights = schedule_of(settings).weights
    driven = {hour.forecast for hour in hours_to_learn_from(settings)}
    return {one for forecast in driven for one, _ in weights(forecast)}


def needed_forecasts(settings: "Settings") -> list[DrivingForecast]:
    """All forecasts of the archive that drive an hour of the run, ascending.

    Of a learnt hour these are the forecasts of every age that forecasting may have for it; of a
    case those of each hour to the longest lead, for as many members as are drawn.
    """
    schedule = schedule_of(settings)
    needed: set[DrivingForecast] = set()
    for hour in _driven_hours(settings, schedule):
        needed.update(forecast for forecast, _ in schedule.weights(hour.forecast))
    return sorted(needed)


def _driven_hours(settings: "Settings", schedule: Schedule) -> Iterator[DrivenHour]:
    yield from hours_to_learn_from(settings)
    most = max(settings.members(system) for system in settings.ensembles.systems)
    members = range(min(most, max(schedule.model.members, 1)))
    for init in _cases(settings):
        for lead in range(1, schedule.longest_lead + 1):
            for member in members:
                yield schedule.hour(init, lead, member)


def _cases(settings: "Settings") -> list[datetime]:
    """The initial times of all cases, and of those that the spread of a system is calibrated on."""
    calibrated = any(getattr(one, "calibrate", False) for one in settings.ensembles.systems)
    more = settings.calibration_times() if calibrated else []
    return sorted({*settings.all_cases(), *more})


def require_driving_fits(settings: "Settings") -> None:
    """Raise ValueError if the archive cannot have the forecasts that drive a run."""
    driving = settings.archive.driving
    if driving is None:
        return
    source = settings.archive.source
    _require_statistics(driving)
    _require_surfaces(driving)
    if source == "simulated":
        _require_simulated(driving)
    if driving.model in base_model_names() and driving.model != settings.archive.model:
        others = " or ".join((settings.archive.model, *larger_scale_models()))
        raise ValueError(
            f"archive.driving: {driving.model} drives as an earlier run of the base model, but "
            f"archive.model is {settings.archive.model}; choose {others}"
        )
    schedule = schedule_of(settings)
    try:
        # Of learnt hours a day: the length of runs depends on the hour, and grows with the years.
        driven = [
            hour for valid in learnt_hours(settings)[:24] for hour in schedule.possible(valid)
        ]
        driven += [schedule.hour(init, schedule.longest_lead) for init in settings.all_cases()]
    except StormdrawError as error:
        raise ValueError(str(error)) from None
    if not isinstance(source, list):
        return
    first = first_run(driving.model, source)
    if first is None:
        raise ValueError(
            f"archive.driving: {', '.join(source)} has no {driving.model}; add "
            f"{' or '.join(FIRST_RUNS[driving.model])} to archive.source"
        )
    oldest = min(hour.forecast.cycle for hour in driven)
    if oldest < first:
        raise ValueError(
            f"archive.driving: the run needs {driving.model} of {oldest:%Y-%m-%d %H} UTC, and "
            f"{', '.join(source)} has it since {first:%Y-%m-%d}; take later periods"
        )


def _require_statistics(driving: Driving) -> None:
    """Raise ValueError for sums and extremes that the model has over other hours.

    GFS's rain, for one, is that since the last of 00, 06, 12 and 18 UTC.
    """
    model = driving_model(driving.model)
    for name in driving.variables:
        hours_of_it = variable(name).shortest_lead
        if hours_of_it and not model.has_statistic(hours_of_it):
            raise ValueError(
                f"archive.driving.variables: {name} is a statistic over {hours_of_it} h, which "
                f"{driving.model} does not have of every forecast; leave it out"
            )


def _require_surfaces(driving: Driving) -> None:
    """Raise ValueError for a variable on surfaces on which the model has no field at all."""
    none_on = set(driving_model(driving.model).none_on)
    for name in driving.variables:
        grib = variable(name).grib
        if none_on.issuperset(grib.surfaces):
            where = grib.inventory.partition(":")[2]
            raise ValueError(
                f"archive.driving.variables: {name} is at {where}, where {driving.model} has no "
                "field; leave it out, or choose another model"
            )


def _require_simulated(driving: Driving) -> None:
    if driving.model != SIMULATED_DRIVING_MODEL:
        raise ValueError(
            f"archive.driving: the simulated archive has {SIMULATED_DRIVING_MODEL} and no "
            f"{driving.model}; set model to {SIMULATED_DRIVING_MODEL}"
        )
    unknown = [name for name in driving.variables if name not in SIMULATED_DRIVING]
    if unknown:
        raise ValueError(
            f"archive.driving.variables: the simulated {SIMULATED_DRIVING_MODEL} has "
            f"{', '.join(SIMULATED_DRIVING)} and no {', '.join(unknown)}; leave it out"
        )


def _driving(settings: "Settings") -> Driving:
    if settings.archive.driving is None:
        raise ValueError("the configuration has no archive.driving")
    return settings.archive.driving
