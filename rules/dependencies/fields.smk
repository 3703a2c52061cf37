# Paths of the fields that rules of any stage read.

import functools

from stormdraw.archive.base_model import base_models
from stormdraw.archive.driving_needs import (
    driving_variables,
    hours_to_learn_from,
    schedule_of,
)
from stormdraw.external.inputs import local_files
from stormdraw.times import hours, parse_init


def analysis_file(valid):
    """The day file of the analysis valid at a time."""
    start, _ = SETTINGS.archive.state_run(valid)
    return f"<results>/fields/{BASE_MODEL.name}/{SETTINGS.folder_of(start)}.nc"


def analysis_files(times):
    return sorted({analysis_file(time) for time in times})


def initial_file(wildcards):
    return analysis_file(parse_init(wildcards.init))


# What the truth of each variable depends on, and the modules behind these truths.
TRUTH_OF = {name: SETTINGS.archive.truth_of(name).as_given() for name in STATE}
TRUTH_MODULES = sorted({type(SETTINGS.archive.truth_of(name)).__module__ for name in STATE})


def truth_of(times):
    """The day files of the truth at some valid times."""
    if SETTINGS.archive.truth_is_analysis:
        return analysis_files(times)
    return sorted({f"<results>/fields/truth/{SETTINGS.folder_of(time)}.nc" for time in times})


def initial_files(wildcards):
    """The files of the states that a model's forecast starts from."""
    init = parse_init(wildcards.init)
    history = MODELS[STEPPING[wildcards.system]]["history"]
    return analysis_files(init - hours(age) for age in range(history))


def manifest_of_reference(wildcards):
    """The manifest that has the forecasts of others of a case."""
    folder = SETTINGS.folder_of(parse_init(wildcards.init))
    return f"<results>/archive/{wildcards.reference}/{folder}/manifest.csv"


def truth_files(wildcards):
    init = parse_init(wildcards.init)
    return truth_of(init + hours(lead) for lead in SETTINGS.leads)


def times_of_truth(wildcards):
    """The times of a day that forecasts are compared at."""
    return [
        time for time in SETTINGS.compared_times() if SETTINGS.folder_of(time) == wildcards.date
    ]


def manifest_of_truth(wildcards):
    """The manifest of a day of the truth, if any of it is in the archive."""
    wanted = wildcards.date in wanted_of("truth")
    return f"<results>/archive/truth/{wildcards.date}/manifest.csv" if wanted else []


def analyses_of_truth(wildcards):
    """The analyses for a day of the truth, if the run has any: its grid and variables it lacks."""
    return analysis_files(times_of_truth(wildcards)) if SETTINGS.uses_archive else []


def own_files_of_truth(wildcards):
    """The files of one's own for a day of the truth, as far as they are on this machine."""
    return sorted(
        {
            path
            for name in STATE
            for truth in [SETTINGS.archive.truth_of(name)]
            if truth.external
            for time in times_of_truth(wildcards)
            for path in local_files(truth.own_files, truth.name, time, [name], [0])
        }
    )


# What models write where there is no echo.
NO_ECHO = {model.name: model.reflectivity_floor for model in base_models()}

TRAINING_FILES = analysis_files(SETTINGS.periods.training_times() if SETTINGS.uses_archive else [])
# Any of the analyses, for their grid.
GRID_FILE = next(iter(TRAINING_FILES or analysis_files(SETTINGS.analysis_times()[:1])), [])
# Those that thresholds are, if any is one.
PERCENTILES = "<results>/fields/percentiles.nc" if SETTINGS.scores.percentiles else []
# A forecast has them of its own cycle, so that another one changes nothing of it.
OF_STATIC = "static/{date}" if SETTINGS.cycle else "static"
STATIC_FILES = [f"<results>/fields/{OF_STATIC}.nc"] if SETTINGS.static_fields else []


def static_manifest(wildcards):
    """The manifest of the hour that the fields are of which never change."""
    if SETTINGS.cycle:
        return [f"<results>/archive/static/{wildcards.date}/manifest.csv"]
    return manifests("static")


def static_of_case(wildcards):
    """The fields that never change, for a case."""
    start, _ = SETTINGS.archive.state_run(parse_init(wildcards.init))
    return [path.format(date=SETTINGS.folder_of(start)) for path in STATIC_FILES]


DRIVING = SETTINGS.archive.driving
DRIVING_NAMES = driving_variables(SETTINGS) if DRIVING else ()
# What the table of variables says of what drives.
DRIVING_ROWS = [computing(name) for name in DRIVING_NAMES]


def driving_rows_of(source):
    """The rows that a source's files depend on besides those of the run's variables."""
    return DRIVING_ROWS if source == "driving" else []


def driving_of(hours_of_ours):
    """The day files of the forecasts that drive some hours of ours (`DrivenHour`)."""
    # A year has a hundred thousand such hours, and few cycles.
    days = map(SETTINGS.folder_of, {hour.forecast.cycle for hour in hours_of_ours})
    return [f"<results>/fields/driving/{day}.nc" for day in sorted(set(days))]


def driving_to_learn_from():
    """The day files of the forecasts of every age that the hours of training may have."""
    schedule = schedule_of(SETTINGS)
    learnt = SETTINGS.periods.training_times()[1:]
    return driving_of(hour for valid in learnt for hour in schedule.possible(valid))


def driving_of_cases(inits):
    """The day files of the forecasts that drive some cases: each has one cycle for all its hours."""
    schedule = schedule_of(SETTINGS)
    return driving_of(schedule.hour(init, 1) for init in inits)


def driving_settings(wildcards):
    """What a day of driving forecasts depends on."""
    return {
        "variables": list(DRIVING_NAMES),
        "rows": digest(DRIVING_ROWS),
        "forecasts": driving_by_day()[wildcards.date],
        **TARGET,
    }


@functools.cache
def driving_by_day():
    """The driving forecasts by the day of their cycle, listed only once: a year has thousands."""
    by_day = {}
    for one in SETTINGS.driving_forecasts():
        by_day.setdefault(SETTINGS.folder_of(one.cycle), []).append(str(one))
    return by_day


def driving_statistics_settings():
    """What the statistics of the driving forecasts depend on."""
    return {
        "seed": SETTINGS.seed,
        "rows": digest(DRIVING_ROWS),
        "leads": max(SETTINGS.leads),
        "driving": DRIVING.model_dump(mode="json"),
        "training": SETTINGS.periods.training.model_dump(mode="json"),
    }


def all_quality():
    """The tables of suspicious values of the fields."""
    days = [
        f"<results>/fields/quality/{source}/{date}.csv"
        for source in (BASE_MODEL.name, "driving")
        for date in sorted(wanted_of(source))
    ]
    if not SETTINGS.archive.truth_is_analysis:
        dates = {SETTINGS.folder_of(time) for time in SETTINGS.compared_times()}
        days += [f"<results>/fields/quality/truth/{date}.csv" for date in sorted(dates)]
    of_static = sorted(wanted_of("static")) if SETTINGS.cycle else ["all"]
    static = [f"<results>/fields/quality/static/{name}.csv" for name in of_static]
    cycles = [
        f"<results>/fields/quality/{source}/{format_init(time)}.csv"
        for source in {need.source: None for need in SETTINGS.needs()}
        for time in SETTINGS.cases_from(source)
    ]
    read = [
        f"<results>/fields/quality/{system.name}/{format_init(time)}.csv"
        for system in SYSTEMS.values()
        if system.of_files
        for time in SETTINGS.cases_of(system)
    ]
    return days + (static if SETTINGS.static_fields else []) + cycles + read
