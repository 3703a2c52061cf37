# stormdraw: from HRRR GRIB to a scored storm-scale ensemble.
#
#   archive -> fields -> models -> ensembles -> scores -> report

from pathlib import Path

from snakemake.utils import min_version

min_version("9.27")

# Not from a code host: the rules import the library that lies beside them.
if not Path(str(workflow.current_basedir)).is_dir():
    raise WorkflowError(
        "stormdraw is more than its Snakefile: clone it, and give the clone's Snakefile as the "
        "`snakefile:` of the module"
    )

AS_MODULE = not workflow.modifier.is_main_snakefile()

# Not merged with a --configfile: a run is described by one file alone.
if not workflow.configfiles and not AS_MODULE:

    configfile: "config/config.yaml"


include: "rules/common.smk"
include: "rules/dependencies/archive.smk"
include: "rules/dependencies/fields.smk"
include: "rules/dependencies/models.smk"
include: "rules/dependencies/ensembles.smk"
include: "rules/dependencies/order.smk"
include: "rules/dependencies/scores.smk"
include: "rules/dependencies/report.smk"
include: "rules/dependencies/forecast.smk"
include: "rules/archive.smk"
include: "rules/fields.smk"
include: "rules/models.smk"
include: "rules/ensembles.smk"
include: "rules/scores.smk"
include: "rules/report.smk"
include: "rules/forecast.smk"


report: "rules/report/workflow.rst"


rule all:
    default_target: not SETTINGS.cycle
    input:
        scorecard="<results>/report/scorecard.html",
        summary="<results>/scores/summary.csv",
        maps=MAPS,
        products=PRODUCTS,
        stations=WANTED_STATION_TABLES.values(),
        exported=EXPORTED,
        packages=EXPORTED_MODELS,
        plans=expand("results/models/{model}/plan.json", model=SETTINGS.model_names),


rule forecast:
    default_target: bool(SETTINGS.cycle) and not SETTINGS.verify
    input:
        pages=forecast_pages,


rule verify:
    default_target: SETTINGS.verify
    input:
        scorecard="<results>/report/scorecard.html",
        summary="<results>/scores/summary.csv",
        stations=WANTED_STATION_TABLES.values(),


onerror:
    if advice := advice_after_failure():
        print(advice, flush=True)


check_named_rules()
