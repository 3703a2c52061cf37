# What the rules of the ensembles depend on.

import math

from stormdraw.costs.disk import keeps_ensembles
from stormdraw.costs.runtime import minutes_to_draw
from stormdraw.ensembles.export import NO_EXPORT, megabytes_to_export, module_of_export
from stormdraw.ensembles.stretch import stretches_of
from stormdraw.fields.expected_grid import target_shape

KEPT = keeps_ensembles(SETTINGS)


def unless_kept(path):
    """An ensemble is deleted when no job needs it any more, unless the run keeps ensembles."""
    return path if KEPT else temp(path)


# The format that ensembles are exported to, and the files that say which cases are there. They are
# within the exported ensembles, whose deletion thus makes them again.
EXPORT = SETTINGS.ensembles.export
EXPORTED_CASE = f"<results>/ensembles/{{system}}.{EXPORT}/.cases/{{init}}.json"
EXPORTED = [] if EXPORT == NO_EXPORT else expand(EXPORTED_CASE, system=SYSTEMS, init=INITS)

MEMBERS_IN_FILES = {name: system.most_drawn(SETTINGS, loaded) for name, system in SYSTEMS.items()}

# Systems forecast by a trained model, unless they were drawn before and are verified; those of them
# whose members several jobs share; those downscaled from forecasts by trained models; those in files
# of others; and those without a model.
DRAWN = [] if SETTINGS.verify else list(STEPPING)
SPLIT = [
    name for name in DRAWN if SETTINGS.ensembles.jobs_per_case > 1 and MEMBERS_IN_FILES[name] > 1
]
# Those whose hours are drawn in stretches: the first ones are shown before the last is there.
STRETCHES = [str(one) for one in stretches_of(SETTINGS.leads, SETTINGS.forecast.first_leads)]
STRETCHED = DRAWN if SETTINGS.cycle and len(STRETCHES) > 1 else []
DOWNSCALED = [
    name for name, system in SYSTEMS.items() if system.drawn_from and name not in STEPPING
]
READ = [name for name, system in SYSTEMS.items() if system.of_files]
TAKEN = [name for name, system in SYSTEMS.items() if not system.drawn_from and name not in READ]
# Those of them that are fitted to other systems.
CALIBRATED = [name for name, system in SYSTEMS.items() if system.fitted_on(SETTINGS)]
# All systems are compared with these: only points that these have count.
COMPARED_WITH = [
    system.name
    for system in SYSTEMS.values()
    if system.of_others or system.role_among(SETTINGS.ensembles) in ("reference", "baseline")
    # What is calibrated has the points of what it is made from.
    if system.made_from is None
]


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


def parts_of_case(wildcards):
    """The files of the jobs that share the members of a case."""
    return [
        f"<results>/ensembles/{wildcards.system}/{wildcards.init}.part{part}.nc"
        for part in range(SETTINGS.ensembles.jobs_per_case)
    ]


def members_of_part(wildcards):
    """The first member of a job, and the one after its last."""
    members = SETTINGS.members_of_part(SYSTEMS[wildcards.system], int(wildcards.part))
    return [members.start, members.stop]


def stretches_of_case(wildcards):
    """The files of the stretches of hours of a case."""
    return [
        f"<results>/ensembles/{wildcards.system}/{wildcards.init}.hours_{hours}.nc"
        for hours in STRETCHES
    ]


def states_before(wildcards):
    """The states that the first hour of a stretch is drawn from, unless it is the first of all."""
    return [
        f"<results>/ensembles/{wildcards.system}/{wildcards.init}.hours_{before}.states"
        for before, hours in zip(STRETCHES, STRETCHES[1:])
        if hours == wildcards.hours
    ]


def case_settings(wildcards):
    """The settings that a case of a system depends on."""
    system = SYSTEMS[wildcards.system]
    return {
        "seed": SETTINGS.seed,
        "variables": system.variables(SETTINGS, loaded),
        **({"roles": SETTINGS.roles.model_dump(mode="json")} if SETTINGS.roles.differ else {}),
        "leads": list(SETTINGS.leads),
        "system": system.model_dump(mode="json"),
        **system.depends_on(SETTINGS),
    }


def forecasts_of_case(wildcards):
    """The external forecasts that a system uses."""
    return f"<results>/fields/{SYSTEMS[wildcards.system].need(SETTINGS).source}/{wildcards.init}.nc"


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
        files["ensembles"] = [
            f"<results>/ensembles/{system.made_from}/{format_init(time)}.nc"
            for time in system.made_at(parse_init(wildcards.init))
        ]
    if system.name in CALIBRATED:
        files["coefficients"] = f"<results>/ensembles/{system.name}/coefficients.json"
    return files


def files_of_others(wildcards):
    """The files that a case is read from, as far as they are on this machine."""
    return list(SYSTEMS[wildcards.system].files_of(SETTINGS, parse_init(wildcards.init)))


def grid_of_case(wildcards):
    """A file on the target grid: of the truth of the case."""
    return truth_files(wildcards)[0]


def fitted_cases(system):
    """The validation cases that a system is fitted on."""
    return [format_init(time) for time in SYSTEMS[system].fitted_on(SETTINGS)]


def raw_ensemble(wildcards):
    """The ensemble that a system is calibrated from, of a case."""
    return f"<results>/ensembles/{SYSTEMS[wildcards.system].made_from}/{wildcards.init}.nc"


def pairs_of_system(wildcards):
    """What all validation cases say of the ensemble that a system is calibrated from."""
    return [
        f"<results>/ensembles/{wildcards.system}/pairs/{init}.nc"
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


def memory_to_export(wildcards, attempt):
    members = MEMBERS_IN_FILES[wildcards.system]
    return attempt * megabytes_to_export(math.prod(target_shape(SETTINGS)), members)


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


def driving_of_case(wildcards):
    """What drives a case; nothing if no driven model steps the states of the system."""
    if not driven(STEPPING[wildcards.system]):
        return []
    return driving_of_cases([parse_init(wildcards.init)])


def driving_of_calibration(wildcards):
    """What drives the cases that a system's noise and spread are chosen on."""
    if not driven(STEPPING[wildcards.system]):
        return []
    return driving_of_cases(SETTINGS.calibration_times())


def checkpoint(wildcards):
    return f"results/models/{SYSTEMS[wildcards.system].model}/model.pt"


def forecaster_of_system(wildcards):
    """The checkpoint that steps a system's states, if it is not the one that draws them."""
    stepping = STEPPING[wildcards.system]
    if stepping == SYSTEMS[wildcards.system].model:
        return []
    return f"results/models/{stepping}/model.pt"
