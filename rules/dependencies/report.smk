# What the rules of the report depend on.

from stormdraw.report.figure import as_rst, figure_paths, figures_of, module_of_figure, settings_of
from stormdraw.report.mapped import mapped_systems, wanted_for_maps
from stormdraw.scores.memory import products_megabytes

# Maps show one of these cases. Ensembles that are deleted are not kept until the last exists, and
# of forecasts the newest one is shown.
MAPPED_INITS = INITS if KEPT else INITS[:1]
if SETTINGS.verify:
    MAPPED_INITS = INITS[-1:]
SHOWN_ON_MAPS = expand("<results>/report/maps/{system}.nc", system=mapped_systems(SETTINGS))
# Before an ensemble is deleted, the fields for possible maps are extracted.
MAPS = SHOWN_ON_MAPS if KEPT else expand("<results>/report/maps/{system}.nc", system=SYSTEMS)


# The page tells of these models how they were trained; a verification only of what they forecast.
TOLD_OF = [] if SETTINGS.verify else SETTINGS.model_names

_MAPPED_TIMES = [parse_init(init) for init in MAPPED_INITS]
# Maps are of cases that all systems can start, where any of them starts from an analysis.
_STARTED = any(system.on_analyses(SETTINGS) for system in SYSTEMS.values())
MAPPED_STATES = analysis_files(_MAPPED_TIMES if _STARTED else [])
MAPPED_TRUTH = truth_of(time + hours(lead) for time in _MAPPED_TIMES for lead in SETTINGS.leads)

# (name, variable or model) of each figure, by its path without suffix.
FIGURES = figures_of(SETTINGS)
FIGURE_PATHS = figure_paths(FIGURES, scored_variables(STATE), DIAGNOSED)


def figure_of(wildcards):
    name, _ = FIGURE_PATHS[wildcards.figure]
    return FIGURES[name]


def files_of_figure(wildcards):
    """The inputs of a figure."""
    _, of = FIGURE_PATHS[wildcards.figure]
    files = {
        "summary": "<results>/scores/summary.csv",
        "statistics": all_statistics,
        "maps": SHOWN_ON_MAPS,
        "audit": "<results>/archive/audit.csv",
        "metrics": expand("results/models/{model}/metrics.json", model=SETTINGS.model_names),
        "places": STATION_TABLES["by_place"],
        "diagnosis": f"results/models/{of}/diagnosis.nc",
    }
    return {name: files[name] for name in figure_of(wildcards).reads}


def label_of_figure(wildcards):
    """The labels of a figure in Snakemake's report."""
    name, of = FIGURE_PATHS[wildcards.figure]
    title = {"figure": FIGURES[name].title}
    return title | ({FIGURES[name].each: of} if of else {})
