# The files and settings that the rules of each stage depend on.

import functools

from stormdraw.archive.wanted import requests_by_date, used_sources
from stormdraw.costs.disk import keeps_ensembles
from stormdraw.costs.runtime import minutes_to_draw, minutes_to_train
from stormdraw.models.diagnosis.hours import can_be_diagnosed, diagnosed_hours
from stormdraw.report.figure import as_rst, figure_paths, figures, module_of_figure, settings_of
from stormdraw.report.mapped import mapped_systems, wanted_for_maps
from stormdraw.scores.memory import (
    case_megabytes,
    grid_points,
    points_megabytes,
    products_megabytes,
    summary_megabytes,
)
from stormdraw.times import format_date, hours, parse_init
from stormdraw.variables import scored_variables


def analysis_file(valid):
    """The day file of the analysis valid at a time."""
    start = valid - hours(SETTINGS.archive.analysis_lead)
    return f"results/fields/hrrr/{format_date(start)}.nc"


def analysis_files(times):
    return sorted({analysis_file(time) for time in times})


def initial_file(wildcards):
    return analysis_file(parse_init(wildcards.init))


def truth_of(times):
    """The day files of the truth at some valid times."""
    if SETTINGS.archive.truth == "hrrr":
        return analysis_files(times)
    return sorted({f"results/fields/truth/{format_date(time)}.nc" for time in times})


def initial_files(wildcards):
    """The files of the states that a model's forecast starts from."""
    init = parse_init(wildcards.init)
    history = MODELS[STEPPING[wildcards.system]]["history"]
    return analysis_files(init - hours(age) for age in range(history))


def truth_files(wildcards):
    init = parse_init(wildcards.init)
    return truth_of(init + hours(lead) for lead in SETTINGS.leads)


def analyses_of_truth(wildcards):
    """The analyses for a day of the truth: they give its grid and the variables it lacks."""
    times = SETTINGS.compared_times()
    return analysis_files(time for time in times if format_date(time) == wildcards.date)


TRAINING_FILES = analysis_files(SETTINGS.periods.training.times())
STATIC_FILES = ["results/fields/static.nc"] if SETTINGS.fields.static else []


# archive

SIMULATED = "results/archive/simulated"
# The simulated archive replaces the cloud as a mirror folder.
MIRROR = SIMULATED if SETTINGS.archive.source == "simulated" else []


@functools.cache
def wanted_of(source):
    """A source's files by day, listed only once since a year has thousands."""
    return requests_by_date(SETTINGS, source)


def manifests(source):
    return expand(
        "results/archive/{source}/{date}/manifest.csv",
        source=source,
        date=sorted(wanted_of(source)),
    )


# models


def plan_of(model):
    """The plan of a model, or None if it does not exist yet."""
    path = Path(f"results/models/{model}/plan.json")
    plan = json.loads(path.read_text()) if path.exists() else {}
    return plan if "work" in plan else None


def memory_to_train(wildcards, attempt):
    """Megabytes, as planned; without a plan, what a small model needs."""
    plan = plan_of(wildcards.model)
    return attempt * (4000 if plan is None else plan["training_bytes"]["peak"] // 10**6 + 1)


def time_to_train(wildcards, attempt):
    """Minutes."""
    return minutes_to_train(plan_of(wildcards.model), devices_to_train(wildcards), attempt)


def time_to_draw(members):
    """A resource in minutes; `members` gives the number of members from the wildcards."""

    def minutes(wildcards, attempt):
        passes = SYSTEMS[wildcards.system].passes(SETTINGS, loaded)
        plans = {model: plan_of(model) for model in passes}
        return minutes_to_draw(plans, passes, members(wildcards), attempt)

    return minutes


def members_of_case(wildcards):
    return MEMBERS_IN_FILES[wildcards.system]


def members_to_calibrate(wildcards):
    """The members of all calibration cases, for all amplitudes that are tried."""
    return SYSTEMS[wildcards.system].calibration_draws(SETTINGS)


def devices_to_train(wildcards):
    """The number of GPUs, or of the processes that replace them."""
    return MODELS[wildcards.model]["training"]["devices"]


def trained_on(model):
    """The settings that a training depends on."""
    forecaster = MODELS[model]["forecaster"]
    return {
        "seed": SETTINGS.seed,
        "variables": STATE,
        "periods": SETTINGS.periods.model_dump(mode="json", include={"training", "validation"}),
        "model": MODELS[model],
        **({"forecaster": MODELS[forecaster]} if forecaster else {}),
    }


def forecaster_of_model(wildcards):
    """The trained forecaster whose states a perturbation model learns to perturb."""
    forecaster = MODELS[wildcards.model]["forecaster"]
    return f"results/models/{forecaster}/model.pt" if forecaster else []


_VALIDATION = SETTINGS.periods.validation
VALIDATION_FILES = analysis_files(_VALIDATION.times()) if _VALIDATION else []

DIAGNOSED = [name for name, model in MODELS.items() if can_be_diagnosed(model)]
# Hours that are never scored: validation, or else the end of training.
DIAGNOSED_FILES = analysis_files(diagnosed_hours(SETTINGS.periods)[1])


# ensembles

KEPT = keeps_ensembles(SETTINGS)


def unless_kept(path):
    """An ensemble is deleted when no job needs it any more, unless the run keeps ensembles."""
    return path if KEPT else temp(path)


MEMBERS_IN_FILES = {name: system.most_drawn(SETTINGS, loaded) for name, system in SYSTEMS.items()}

# Systems forecast by a trained model; those of them whose members several jobs share; those
# downscaled from forecasts by trained models; and those without a model.
DRAWN = list(STEPPING)
SPLIT = [
    name for name in DRAWN if SETTINGS.ensembles.jobs_per_case > 1 and MEMBERS_IN_FILES[name] > 1
]
DOWNSCALED = [
    name for name, system in SYSTEMS.items() if system.drawn_from and name not in STEPPING
]
TAKEN = [name for name, system in SYSTEMS.items() if not system.drawn_from]
# Those of them that are calibrated from other systems.
CALIBRATED = [name for name, system in SYSTEMS.items() if system.made_from is not None]
# All systems are compared with these: only points that these have count.
COMPARED_WITH = [
    system.name
    for system in SETTINGS.ensembles.in_role("reference", "baseline")
    # What is calibrated has the points of what it is made from.
    if system.made_from is None
]


def parts_of_case(wildcards):
    """The files of the jobs that share the members of a case."""
    return [
        f"results/ensembles/{wildcards.system}/{wildcards.init}.part{part}.nc"
        for part in range(SETTINGS.ensembles.jobs_per_case)
    ]


def members_of_part(wildcards):
    """The first member of a job, and the one after its last."""
    members = SETTINGS.members_of_part(SYSTEMS[wildcards.system], int(wildcards.part))
    return [members.start, members.stop]


def case_settings(wildcards):
    """The settings that a case of a system depends on."""
    system = SYSTEMS[wildcards.system]
    return {
        "seed": SETTINGS.seed,
        "variables": system.variables(SETTINGS, loaded),
        "leads": list(SETTINGS.leads),
        "system": system.model_dump(mode="json"),
        **system.depends_on(SETTINGS),
    }


def forecasts_of_case(wildcards):
    """The external forecasts that a system uses."""
    return f"results/fields/{SYSTEMS[wildcards.system].need(SETTINGS).source}/{wildcards.init}.nc"


def files_of_case(wildcards):
    """The inputs of a case of a system without a network."""
    system = SYSTEMS[wildcards.system]
    analyses = analysis_files(system.analyses(SETTINGS, parse_init(wildcards.init)))
    files = {"analyses": TRAINING_FILES if system.of_training else analyses}
    if system.need(SETTINGS) is not None:
        files["forecasts"] = forecasts_of_case(wildcards)
    if system.of_world:
        files["world"] = rules.archive_simulate.output.world
    if system.made_from is not None:
        files["ensemble"] = f"results/ensembles/{system.made_from}/{wildcards.init}.nc"
        files["coefficients"] = f"results/ensembles/{system.name}/coefficients.json"
    return files


def fitted_cases(system):
    """The validation cases that a system is fitted on."""
    return [format_init(time) for time in SYSTEMS[system].fitted_on(SETTINGS)]


def raw_ensemble(wildcards):
    """The ensemble that a system is calibrated from, of a case."""
    return f"results/ensembles/{SYSTEMS[wildcards.system].made_from}/{wildcards.init}.nc"


def pairs_of_system(wildcards):
    """What all validation cases say of the ensemble that a system is calibrated from."""
    return [
        f"results/ensembles/{wildcards.system}/pairs/{init}.nc"
        for init in fitted_cases(wildcards.system)
    ]


def fitting_settings(wildcards):
    """What the pairs of a system and what is fitted to them depend on: not the test period."""
    system = SYSTEMS[wildcards.system]
    return {
        "variables": system.variables(SETTINGS, loaded),
        "leads": list(SETTINGS.leads),
        **system.depends_on(SETTINGS),
    }


def memory_to_take(wildcards, attempt):
    return attempt * SYSTEMS[wildcards.system].megabytes_to_write


def checkpoints(wildcards):
    return expand("results/models/{model}/model.pt", model=SYSTEMS[wildcards.system].drawn_from)


def calibration_file(wildcards):
    """The calibration of a system's noise and spread, if configured."""
    system = SYSTEMS[wildcards.system]
    calibrated = f"results/models/{system.model}/calibration_{system.name}.json"
    return [calibrated] if system.calibrate else []


def calibration_settings(wildcards):
    """The settings of a calibration: neither the test period nor the number of members."""
    system = SYSTEMS[wildcards.system]
    return {
        "seed": SETTINGS.seed,
        "variables": STATE,
        "leads": list(SETTINGS.leads),
        "members": SETTINGS.calibration_members(system),
        "amplitudes": SETTINGS.ensembles.calibration_amplitudes,
        "cases": [format_init(time) for time in SETTINGS.calibration_times()],
        "system": system.model_dump(mode="json", exclude={"members"}),
    }


def checkpoint(wildcards):
    return f"results/models/{SYSTEMS[wildcards.system].model}/model.pt"


def forecaster_of_system(wildcards):
    """The checkpoint that steps a system's states, if it is not the one that draws them."""
    stepping = STEPPING[wildcards.system]
    if stepping == SYSTEMS[wildcards.system].model:
        return []
    return f"results/models/{stepping}/model.pt"


# scores

# Compiled loops are cached for the next job here, since they may otherwise go to the home folder.
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path("results/compiled").absolute()))

# Jobs on the way to a trained model's members go first: they take longest, and references and
# baselines can be made and scored meanwhile. Trainings go before sampling, so that the longest job
# does not start last.
EARLY = 1
EARLIEST = 2


def in_order_of_cases(wildcards):
    """A priority that falls from EARLIEST to EARLY from the first case to the last.

    Validation cases, which others are fitted on, come first.
    """
    if wildcards.init not in INITS:
        return EARLIEST
    return EARLIEST - (INITS.index(wildcards.init) + 1) / (len(INITS) + 1)


# If ensembles are deleted, each case is drawn and scored before the next one begins, so that few
# are on disk at once. The references and baselines are there by then.
TO_DRAW = EARLY if KEPT else in_order_of_cases
TO_FOLLOW = 0 if KEPT else in_order_of_cases
TO_COMPARE = 0 if KEPT else EARLIEST

# More threads do not pay on a small grid; another job is better.
SMALL_GRID = grid_points(SETTINGS) <= 250_000
THREADS_TO_SCORE = 1 if SMALL_GRID else 2
THREADS_TO_DIAGNOSE = 1 if SMALL_GRID else 8


def memory_to_score(wildcards, attempt):
    """Megabytes, by the number of members."""
    return attempt * case_megabytes(SETTINGS, MEMBERS_IN_FILES[wildcards.system])


# These settings affect only the summary of cases.
_OF_SUMMARIES = {"reference", "bootstrap_samples", "confidence", "equivalence"}


def scored_with():
    """The settings that the scores of a case depend on."""
    scores = SETTINGS.scores.model_dump(mode="json", exclude=_OF_SUMMARIES)
    return {"seed": SETTINGS.seed, "leads": list(SETTINGS.leads), "scores": scores}


def region_files(wildcards):
    """The files with the outlines of regions."""
    return [region.file for region in SETTINGS.scores.regions.values() if hasattr(region, "file")]


# scores and report

all_statistics = expand("results/scores/{system}/{init}.nc", system=SYSTEMS, init=INITS)


def all_manifests():
    return [path for source in used_sources(SETTINGS) for path in manifests(source)]


def all_quality():
    """The tables of suspicious values of the fields."""
    days = [
        f"results/fields/quality/{source}/{date}.csv"
        for source in ("hrrr", "truth")
        for date in sorted(wanted_of(source))
    ]
    static = ["results/fields/quality/static/all.csv"] if SETTINGS.fields.static else []
    cycles = [
        f"results/fields/quality/{source}/{format_init(time)}.csv"
        for source in {need.source: None for need in SETTINGS.needs()}
        for time in SETTINGS.cases_from(source)
    ]
    return days + static + cycles


# Maps show one of these cases. Ensembles that are deleted are not kept until the last exists.
MAPPED_INITS = INITS if KEPT else INITS[:1]
SHOWN_ON_MAPS = expand("results/report/maps/{system}.nc", system=mapped_systems(SETTINGS))
# Before an ensemble is deleted, the fields for possible maps are extracted.
MAPS = SHOWN_ON_MAPS if KEPT else expand("results/report/maps/{system}.nc", system=SYSTEMS)


_MAPPED_TIMES = [parse_init(init) for init in MAPPED_INITS]
MAPPED_STATES = analysis_files(_MAPPED_TIMES)
MAPPED_TRUTH = truth_of(time + hours(lead) for time in _MAPPED_TIMES for lead in SETTINGS.leads)

# (name, variable or model) of each figure, by its path without suffix.
FIGURES = figures()
FIGURE_PATHS = figure_paths(FIGURES, scored_variables(STATE), DIAGNOSED)


def figure_of(wildcards):
    name, _ = FIGURE_PATHS[wildcards.figure]
    return FIGURES[name]


def files_of_figure(wildcards):
    """The inputs of a figure."""
    _, of = FIGURE_PATHS[wildcards.figure]
    files = {
        "summary": "results/scores/summary.csv",
        "statistics": all_statistics,
        "maps": SHOWN_ON_MAPS,
        "audit": "results/archive/audit.csv",
        "metrics": expand("results/models/{model}/metrics.json", model=SETTINGS.model_names),
        "diagnosis": f"results/models/{of}/diagnosis.nc",
    }
    return {name: files[name] for name in figure_of(wildcards).reads}


def label_of_figure(wildcards):
    """The labels of a figure in Snakemake's report."""
    name, of = FIGURE_PATHS[wildcards.figure]
    title = {"figure": FIGURES[name].title}
    return title | ({FIGURES[name].each: of} if of else {})
