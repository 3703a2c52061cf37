# report: what came out, to look at.

from stormdraw.report.winner import candidates
from stormdraw.variables import scored_variables, variable

SHEETS = scored_variables(STATE)
CANDIDATES = candidates(SETTINGS)

# One ensemble's, for other programs: the winner's, or that of report.products_of.
NAMED = SETTINGS.report.products_of is not None
PRODUCT_KINDS = ("mean.grib2", "sprd.grib2", "pmmn.grib2", "prob.grib2", "nc")
PRODUCTS = expand(
    "results/report/products/{init}.{kind}", init=INITS if CANDIDATES else [], kind=PRODUCT_KINDS
)

# Figures of each model that is diagnosed.
OF_A_MODEL = {"diagnosis": "Diagnosis", "sampling_path": "From noise to sample"}


rule report_figures:
    input:
        summary="results/scores/summary.csv",
        statistics=all_statistics,
        ensembles=expand(
            "results/ensembles/{system}/{init}.nc", system=MAPPED_SYSTEMS, init=MAPPED_INITS
        ),
        truth=all_truth_files(),
        metrics=expand("results/models/{model}/metrics.json", model=SETTINGS.model_names),
        diagnoses=expand("results/models/{model}/diagnosis.nc", model=DIAGNOSED),
        audit="results/archive/audit.csv",
    output:
        **{
            f"{figure}_{model}": report(
                f"results/report/figures/models/{model}/{figure}.svg",
                caption=f"report/{figure}.rst",
                category="Models",
                labels={"model": model, "figure": label},
            )
            for figure, label in OF_A_MODEL.items()
            for model in DIAGNOSED
        },
        crps_by_lead=report(
            "results/report/figures/crps_by_lead.svg",
            caption="report/crps_by_lead.rst",
            category="Scores",
            labels={"figure": "CRPS by lead"},
        ),
        spread_error=report(
            "results/report/figures/spread_error.svg",
            caption="report/spread_error.rst",
            category="Calibration",
            labels={"figure": "Spread and error"},
        ),
        rank_histograms=report(
            "results/report/figures/rank_histograms.svg",
            caption="report/rank_histograms.rst",
            category="Calibration",
            labels={"figure": "Rank histograms"},
        ),
        event_forecasts=report(
            "results/report/figures/event_forecasts.svg",
            caption="report/event_forecasts.rst",
            category="Scores",
            labels={"figure": "Forecasts of events"},
        ),
        fractions_skill=report(
            "results/report/figures/fractions_skill.svg",
            caption="report/fractions_skill.rst",
            category="Scores",
            labels={"figure": "Fractions skill score"},
        ),
        spread_bins=report(
            "results/report/figures/spread_bins.svg",
            caption="report/spread_bins.rst",
            category="Calibration",
            labels={"figure": "Error by spread"},
        ),
        spectra=report(
            "results/report/figures/spectra.svg",
            caption="report/spectra.rst",
            category="Members",
            labels={"figure": "Power spectra"},
        ),
        crps_maps=report(
            "results/report/figures/crps_maps.svg",
            caption="report/crps_maps.rst",
            category="Scores",
            labels={"figure": "CRPS on the map"},
        ),
        member_maps=report(
            "results/report/figures/member_maps.svg",
            caption="report/member_maps.rst",
            category="Members",
            labels={"figure": "Members beside the truth"},
        ),
        archive_audit=report(
            "results/report/figures/archive_audit.svg",
            caption="report/archive_audit.rst",
            category="Archive",
            labels={"figure": "Hours of the archive"},
        ),
        training_curves=report(
            "results/report/figures/training_curves.svg",
            caption="report/training_curves.rst",
            category="Training",
            labels={"figure": "Training"},
        ),
    log:
        "results/logs/report_figures.log",
    benchmark:
        "results/benchmarks/report_figures.tsv"
    conda:
        "../envs/stormdraw.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        code=code("report_figures"),
        settings=digest(config),
    message:
        "Drawing the figures"
    script:
        "../workflow_scripts/report_figures.py"


rule report_variables:
    input:
        summary="results/scores/summary.csv",
        statistics=all_statistics,
    output:
        **{
            name: report(
                f"results/report/figures/variables/{name}.svg",
                caption="report/variable.rst",
                category="Variables",
                labels={"variable": name, "figure": variable(name).long_name},
            )
            for name in SHEETS
        },
    log:
        "results/logs/report_variables.log",
    benchmark:
        "results/benchmarks/report_variables.tsv"
    conda:
        "../envs/stormdraw.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        code=code("report_variables"),
        settings=digest(config),
    message:
        "Drawing all scores of each variable"
    script:
        "../workflow_scripts/report_variables.py"


rule report_scorecard:
    input:
        summary="results/scores/summary.csv",
        verdicts="results/scores/verdicts.csv",
        missing="results/scores/missing.csv",
        plans=expand("results/models/{model}/plan.json", model=SETTINGS.model_names),
        metrics=expand("results/models/{model}/metrics.json", model=SETTINGS.model_names),
        manifests=all_manifests(),
        figures=[
            path for path in rules.report_figures.output if Path(path).parent.name == "figures"
        ],
        diagnoses=expand("results/models/{model}/diagnosis.nc", model=DIAGNOSED),
        diagnosis_figures=expand(
            "results/report/figures/models/{model}/{figure}.svg",
            model=DIAGNOSED,
            figure=OF_A_MODEL,
        ),
        sheets=expand("results/report/figures/variables/{variable}.svg", variable=SHEETS),
        ensembles=expand(
            "results/ensembles/{system}/{init}.nc", system=MAPPED_SYSTEMS, init=MAPPED_INITS
        ),
        truth=all_truth_files(),
        quality=all_quality(),
    output:
        headline="results/report/headline.json",
        scorecard=report(
            "results/report/scorecard.html",
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
        code=code("report_scorecard"),
        templates=digest(
            [path.read_text() for path in sorted(LIBRARY.glob("stormdraw/report/templates/*"))]
        ),
        settings=digest(config),
        models=MODELS,
    message:
        "Writing the scorecard"
    script:
        "../workflow_scripts/report_scorecard.py"


# A system that is named need not win, so its ensembles are not held until the scores are there.
rule report_products:
    input:
        summary=[] if NAMED else "results/scores/summary.csv",
        ensembles=expand("results/ensembles/{system}/{{init}}.nc", system=CANDIDATES),
    output:
        mean="results/report/products/{init}.mean.grib2",
        spread="results/report/products/{init}.sprd.grib2",
        matched="results/report/products/{init}.pmmn.grib2",
        probability="results/report/products/{init}.prob.grib2",
        netcdf="results/report/products/{init}.nc",
        inventories=[
            f"results/report/products/{{init}}.{kind}.grib2.idx"
            for kind in ("mean", "sprd", "pmmn", "prob")
        ],
    log:
        "results/logs/report_products/{init}.log",
    benchmark:
        "results/benchmarks/report_products/{init}.tsv"
    conda:
        "../envs/stormdraw.yaml"
    threads: 1
    resources:
        mem_mb=growing(scoring_megabytes(SETTINGS)),
        runtime=growing(60),
    params:
        code=code("report_products"),
        settings=digest(config),
    message:
        "Writing the winning ensemble's products at {wildcards.init}"
    script:
        "../workflow_scripts/report_products.py"
