# report: what came out, to look at.


rule report_figures:
    input:
        summary="results/scores/summary.csv",
        statistics=all_statistics,
        ensembles=expand("results/ensembles/{system}/{init}.nc", system=MAPPED_SYSTEMS, init=INITS),
        truth=all_truth_files(),
        metrics=expand("results/models/{model}/metrics.json", model=SETTINGS.models),
        audit="results/archive/audit.csv",
    output:
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


rule report_scorecard:
    input:
        summary="results/scores/summary.csv",
        verdicts="results/scores/verdicts.csv",
        missing="results/scores/missing.csv",
        plans=expand("results/models/{model}/plan.json", model=SETTINGS.models),
        metrics=expand("results/models/{model}/metrics.json", model=SETTINGS.models),
        manifests=all_manifests(),
        quality=all_quality(),
        figures=rules.report_figures.output,
    output:
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
        mem_mb=growing(1000),
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
