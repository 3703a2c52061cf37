# report: the results as page, figures and products.

from dataclasses import asdict

from stormdraw.report.candidates import candidates
from stormdraw.report.product import kinds
from stormdraw.variables import variable

CANDIDATES = candidates(SETTINGS)

# Products of one ensemble for other programs: the best one, or that of report.products_of.
GRIB_PRODUCTS = {name: f"{kind.ending}.grib2" for name, kind in kinds().items()}
PRODUCTS = expand(
    "<results>/report/products/{init}.{kind}",
    init=INITS if CANDIDATES else [],
    kind=["nc", *GRIB_PRODUCTS.values(), *(f"{ending}.idx" for ending in GRIB_PRODUCTS.values())],
)

COLOURS = {name: variable(name).colours for name in scored_variables(STATE)}


rule report_map:
    input:
        ensembles=expand("<results>/ensembles/{{system}}/{init}.nc", init=MAPPED_INITS),
        states=MAPPED_STATES,
        truth=MAPPED_TRUTH,
    output:
        case="<results>/report/maps/{system}.nc",
    log:
        "results/logs/report_map/{system}.log",
    benchmark:
        "results/benchmarks/report_map/{system}.tsv"
    priority: TO_COMPARE
    conda:
        "../envs/stormdraw.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        code=code("report_map"),
        wanted=asdict(wanted_for_maps(SETTINGS)),
    message:
        "Extracting the fields of {wildcards.system} for maps"
    script:
        "../workflow_scripts/report_map.py"


rule report_figure:
    input:
        unpack(files_of_figure),
    output:
        figure=report(
            "<results>/report/figures/{figure}.svg",
            caption="report/figure.rst",
            category=lambda wildcards: figure_of(wildcards).category,
            labels=label_of_figure,
        ),
    log:
        "results/logs/report_figure/{figure}.log",
    benchmark:
        "results/benchmarks/report_figure/{figure}.tsv"
    wildcard_constraints:
        figure=one_of(FIGURE_PATHS),
    conda:
        "../envs/stormdraw.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        code=lambda wildcards: code(
            "report_figure",
            module_of_figure(FIGURE_PATHS[wildcards.figure][0]),
            *TRUTH_MODULES,
        ),
        colours=COLOURS,
        name=lambda wildcards: FIGURE_PATHS[wildcards.figure][0],
        of=lambda wildcards: FIGURE_PATHS[wildcards.figure][1],
        settings=lambda wildcards: settings_of(figure_of(wildcards), SETTINGS),
        caption=lambda wildcards: as_rst(figure_of(wildcards)),
    message:
        "Drawing {wildcards.figure}"
    script:
        "../workflow_scripts/report_figure.py"


rule report_scorecard:
    input:
        summary="<results>/scores/summary.csv",
        verdicts="<results>/scores/verdicts.csv",
        overall="<results>/scores/overall.csv",
        missing="<results>/scores/missing.csv",
        by_hour="<results>/scores/by_hour.csv",
        check="<results>/scores/check.csv",
        analysis="<results>/scores/analysis.csv" if WITH_ANOTHER_TRUTH else [],
        plans=expand("results/models/{model}/plan.json", model=TOLD_OF),
        metrics=expand("results/models/{model}/metrics.json", model=TOLD_OF),
        manifests=all_manifests(),
        figures=expand("<results>/report/figures/{figure}.svg", figure=FIGURE_PATHS),
        diagnoses=expand("results/models/{model}/diagnosis.nc", model=DIAGNOSED),
        maps=SHOWN_ON_MAPS,
        quality=all_quality(),
        stations=list(WANTED_STATION_TABLES.values()),
        station_quality=STATION_QUALITY,
    output:
        headline="<results>/report/headline.json",
        scorecard=report(
            "<results>/report/scorecard.html",
            caption="report/scorecard.rst",
            category="Scorecard",
            labels={"figure": "Scorecard"},
        ),
    log:
        "results/logs/report_scorecard.log",
    benchmark:
        "results/benchmarks/report_scorecard.tsv"
    conda:
        "../envs/stormdraw.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        code=code("report_scorecard", *TRUTH_MODULES),
        templates=digest(
            [
                path.read_text(encoding="utf-8")
                for path in sorted(LIBRARY.glob("stormdraw/report/templates/[!.]*"))
                if path.suffix in {".jinja", ".css", ".js"}
            ]
        ),
        # The page shows the whole configuration, so every changed key rewrites it. Nothing is made
        # from the page. This is the only rule with such a digest: others digest what they read.
        settings=digest(config),
        models={name: MODELS[name] for name in TOLD_OF},
    message:
        "Writing the scorecard"
    script:
        "../workflow_scripts/report_scorecard.py"


if CANDIDATES:

    # For each candidate, once its members exist.
    rule report_products:
        input:
            ensemble="<results>/ensembles/{system}/{init}.nc",
        output:
            **{
                kind: f"<results>/report/products_of/{{system}}/{{init}}.{ending}"
                for kind, ending in GRIB_PRODUCTS.items()
            },
            netcdf="<results>/report/products_of/{system}/{init}.nc",
            inventories=[
                f"<results>/report/products_of/{{system}}/{{init}}.{ending}.idx"
                for ending in GRIB_PRODUCTS.values()
            ],
        log:
            "results/logs/report_products/{system}/{init}.log",
        benchmark:
            "results/benchmarks/report_products/{system}/{init}.tsv"
        wildcard_constraints:
            system=one_of(CANDIDATES),
        priority: TO_FOLLOW
        group:
            "case_{init}"
        conda:
            "../envs/stormdraw.yaml"
        threads: 1
        resources:
            mem_mb=lambda wildcards, attempt: attempt
            * products_megabytes(SETTINGS, MEMBERS_IN_FILES[wildcards.system]),
            runtime=growing(60),
        params:
            code=code("report_products"),
            settings={
                "variables": STATE,
                "thresholds": {
                    name: [one.given for one in SETTINGS.scores.fixed_thresholds(name)]
                    for name in SETTINGS.scores.thresholds
                },
                "local_patch": SETTINGS.scores.local_patch,
            },
        message:
            "Writing the products of {wildcards.system} at {wildcards.init}"
        script:
            "../workflow_scripts/report_products.py"

    rule report_winner:
        input:
            summary=[] if len(CANDIDATES) == 1 else "<results>/scores/summary.csv",
            products=[
                f"<results>/report/products_of/{system}/{Path(product).name}"
                for system in CANDIDATES
                for product in PRODUCTS
            ],
        output:
            PRODUCTS,
        log:
            "results/logs/report_winner.log",
        benchmark:
            "results/benchmarks/report_winner.tsv"
        conda:
            "../envs/stormdraw.yaml"
        threads: 1
        resources:
            mem_mb=growing(1000),
            runtime=growing(30),
        params:
            code=code("report_winner"),
            products_of=SETTINGS.report.products_of,
        message:
            "Choosing the products of the run"
        script:
            "../workflow_scripts/report_winner.py"
