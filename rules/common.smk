# Shared by all stages: the checked configuration, names in paths, and what makes jobs rerun.

import json
import os
import re
import sys
from pathlib import Path

# The folder of this file, not of the main Snakefile: the workflow may be a module of another one.
CHECKOUT = Path(workflow.current_basedir).parent
LIBRARY = CHECKOUT / "workflow_scripts"
# The first entry is the folder of the started program.
SEARCHED = [path for path in sys.path[1:] if path != str(LIBRARY)]
sys.path.insert(0, str(LIBRARY))

# Matplotlib keeps its cache of fonts with the results, not in the home folder.
os.environ.setdefault("MPLCONFIGDIR", os.path.abspath("results/.cache/matplotlib"))

from snakemake.cli import get_argument_parser
from snakemake.logging import logger

from stormdraw.archive.base_model import module_of_base_model
from stormdraw.archive.wanted import case_sources, sources_of
from stormdraw.code_digest import code_digest
from stormdraw.configuration import check_places, read_configuration, remarks, require_past
from stormdraw.ensembles.registry import module_of_system
from stormdraw.errors import StormdrawError
from stormdraw.forecasts.folder import drawn
from stormdraw.forecasts.start import forecast_of
from stormdraw.forecasts.verification import verification_of
from stormdraw.models.definitions import definition_file
from stormdraw.provenance import digest
from stormdraw.surroundings import check_interpreter, check_library
from stormdraw.times import format_init, now_utc
from stormdraw.variables import computing, scored_variables
from terminal import one_line_a_job

# Those of the working folder (`--directory`), then those of the workflow.
MODEL_FOLDERS = [folder / "config" / "models" for folder in (Path(), CHECKOUT)]
# The configuration of a module is part of another workflow's file.
CONFIG_FILES = [] if AS_MODULE else workflow.configfiles

# A dry run lists what it would do, a module is told of by the workflow that it is part of.
if workflow.is_main_process and not AS_MODULE:
    one_line_a_job(logger, workflow.output_settings)

try:
    check_interpreter()
    check_library(SEARCHED)
    # Snakemake tells the rules of its targets only after it has read them.
    if "verify" in sys.argv and "verify" in get_argument_parser().parse_known_args()[0].targets:
        config["verify"] = True
    if "cycle" in config or config.get("verify"):
        start = verification_of if config.get("verify") else forecast_of
        found = start(config, CONFIG_FILES, workflow.is_main_process)
        for remark in found.remarks:
            logger.info(f"stormdraw: {remark}")
        # Their files are thus asked for again.
        for manifest in [] if workflow.output_settings.dryrun else found.outdated:
            manifest.unlink()
        config.clear()
        config.update(found.config)
        # Jobs elsewhere read the configuration again, and must not look for another cycle.
        own = {key: config[key] for key in ("cycle", "verify") if key in config}
        workflow.config_settings.config_args = [
            *(one for one in workflow.config_settings.config_args if one.split("=")[0] not in own),
            *(f"{key}={value}" for key, value in own.items()),
        ]
    SETTINGS, loaded = read_configuration(
        config, CONFIG_FILES, lambda name: definition_file(name, *MODEL_FOLDERS)
    )
    if workflow.is_main_process:
        require_past(SETTINGS, now_utc())
        for remark in remarks(SETTINGS, loaded, now_utc()):
            logger.warning(f"stormdraw: {remark}")
        check_places(SETTINGS, loaded, CONFIG_FILES)
    MODELS = {name: model.model_dump(mode="json") for name, model in loaded.items()}
except StormdrawError as error:
    raise WorkflowError(str(error)) from None

# Cycles that were scored before, and whose members are gone, stay as they are.
SCORED_BEFORE = []
if SETTINGS.verify:
    by_model = [system.name for system in SETTINGS.ensembles.systems if system.by_model]
    there = [cycle for cycle in SETTINGS.cycle if drawn(cycle, by_model)]
    SCORED_BEFORE = [format_init(cycle) for cycle in SETTINGS.cycle if cycle not in there]
    SETTINGS = SETTINGS.model_copy(update={"cycle": there})


# What a forecast makes, and what it is made of, is no study's. A verification adds to it.
pathvars:
    results="results/forecasts" if SETTINGS.cycle else "results",


# The model that advances the states of a system from hour to hour.
STEPPING = {
    system.name: system.stepping(loaded) for system in SETTINGS.ensembles.systems if system.by_model
}

INITS = [format_init(time) for time in SETTINGS.initial_times()]
SYSTEMS = {system.name: system for system in SETTINGS.ensembles.systems}
# The variables of forecasts, and those of analyses, which have inputs of models as well.
STATE = list(SETTINGS.variables)
ANALYSED = list(SETTINGS.roles.every)
BASE_MODEL = SETTINGS.archive.base_model
BASE_MODULE = module_of_base_model(BASE_MODEL.name)

# What the table of variables says of those of this run.
ROWS = [
    computing(name)
    for name in (*scored_variables(STATE), *SETTINGS.roles.input, *SETTINGS.fields.static)
]


def one_of(names):
    """A wildcard's regular expression: any of the names, or no match at all."""
    return "|".join(names) or r"(?!)"


wildcard_constraints:
    date=r"\d{10}" if SETTINGS.cycle else r"\d{8}",
    init=one_of(INITS) if SETTINGS.verify else r"\d{10}",
    source=one_of(sources_of(SETTINGS)),
    reference=one_of(case_sources(SETTINGS)),
    system=one_of(SYSTEMS),
    model=one_of(SETTINGS.model_names),


def code(script, *modules):
    """A digest of the script, of every library module its result depends on and of ROWS.

    Snakemake reruns when a parameter changes, but does not check imported modules.
    `modules` are those chosen by a name in the configuration.
    """
    return digest([code_digest(LIBRARY / f"{script}.py", *modules), ROWS])


def growing(amount):
    """A resource that grows with each attempt (`retries` of a profile): `amount` times 1, 2, 3."""
    return lambda wildcards, attempt: amount * attempt


def stays_here(name):
    """Whether jobs of that name run on Snakemake's own node: unless a profile sets a partition."""
    given = workflow.resource_settings.overwrite_resources.get(name, {})
    return "slurm_partition" not in given


def advice_after_failure():
    """How to get a scorecard without models whose training started but did not finish."""
    logs = Path("results/logs/models_train")
    lost = [
        name
        for name in SETTINGS.model_names
        if (logs / f"{name}.log").exists() and not Path(f"results/models/{name}/model.pt").exists()
    ]
    if not lost:
        return ""
    return (
        f"stormdraw: not trained: {', '.join(lost)}. To score the other systems meanwhile, comment "
        "out each such model and its systems in the configuration and run the same command again"
    )


def check_named_rules():
    """Raise WorkflowError if a profile sets resources of unknown rules, which Snakemake ignores.

    A rule that this run has no use for is known by its name in the files. In a module, rules have
    other names, and there are other rules.
    """
    given = workflow.resource_settings
    named = {*given.overwrite_threads, *given.overwrite_resources}
    files = CHECKOUT.glob("rules/**/*.smk")
    rule_line = re.compile(r"^\s*(?:rule|use rule \w+ as) (\w+)", re.MULTILINE)
    known = {name for file in files for name in rule_line.findall(file.read_text())}
    unknown = sorted(named - known)
    if unknown and not AS_MODULE:
        raise WorkflowError(
            f"set-threads or set-resources names {', '.join(unknown)}, which is not a rule of this "
            "workflow; correct the profile or the command line"
        )


def networks_of(*models):
    """The modules of the networks of some models and of their forecasters."""
    names = {name for model in models for name in (model, MODELS[model]["forecaster"]) if name}
    return sorted({f"stormdraw.models.networks.{MODELS[name]['family']}" for name in names})


def modules_of_system(system):
    """The modules behind a system's members that names choose: its kind and its networks."""
    models = {*SYSTEMS[system].drawn_from, STEPPING.get(system, "")} - {""}
    return [module_of_system(SYSTEMS[system]), *networks_of(*models)]
