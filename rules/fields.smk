# fields: GRIB2 of any grid to CF NetCDF on one grid.

# The target grid, and how fields are put on it and stored.
TARGET_GRID = SETTINGS.fields.model_dump(mode="json", include={"crop", "coarsen"})
TARGET = SETTINGS.fields.model_dump(mode="json", exclude={"static", "radar_cells"})


rule fields_normalise:
    input:
        manifest=f"<results>/archive/{BASE_MODEL.name}/{{date}}/manifest.csv",
        # Gives the grid for a day of which the archive has nothing. No cycle lacks an analysis.
        grid=(
            manifests("static")
            if SETTINGS.archive.hours_may_be_absent() and not SETTINGS.cycle
            else []
        ),
    output:
        fields=f"<results>/fields/{BASE_MODEL.name}/{{date}}.nc",
        quality=f"<results>/fields/quality/{BASE_MODEL.name}/{{date}}.csv",
    log:
        "results/logs/fields_normalise/{date}.log",
    benchmark:
        "results/benchmarks/fields_normalise/{date}.tsv"
    priority: EARLY
    conda:
        "../envs/stormdraw.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
    params:
        code=code("fields_normalise"),
        settings={"variables": ANALYSED, "no_echo": BASE_MODEL.reflectivity_floor, **TARGET},
    message:
        "Normalising the analyses of {wildcards.date}"
    script:
        "../workflow_scripts/fields_normalise.py"


rule fields_static:
    input:
        manifest=static_manifest,
    output:
        fields=f"<results>/fields/{OF_STATIC}.nc",
        quality=f"<results>/fields/quality/{OF_STATIC if SETTINGS.cycle else 'static/all'}.csv",
    log:
        f"results/logs/fields_{OF_STATIC}.log",
    benchmark:
        f"results/benchmarks/fields_{OF_STATIC}.tsv"
    priority: EARLY
    conda:
        "../envs/stormdraw.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code("fields_static"),
        settings={"variables": SETTINGS.static_fields, **TARGET},
    message:
        "Normalising the fields that do not change"
    script:
        "../workflow_scripts/fields_static.py"


rule fields_statistics:
    input:
        fields=TRAINING_FILES,
    output:
        statistics="<results>/fields/statistics.nc",
    log:
        "results/logs/fields_statistics.log",
    benchmark:
        "results/benchmarks/fields_statistics.tsv"
    priority: EARLY
    conda:
        "../envs/stormdraw.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(60),
    params:
        code=code("fields_statistics"),
        settings={
            "variables": ANALYSED,
            "training": SETTINGS.periods.model_dump(mode="json")["training"],
        },
    message:
        "Computing statistics over the training period"
    script:
        "../workflow_scripts/fields_statistics.py"


# Apart from the statistics, since another threshold must not train a model anew.
if SETTINGS.scores.percentiles:

    rule fields_percentiles:
        input:
            fields=TRAINING_FILES,
        output:
            percentiles="<results>/fields/percentiles.nc",
        log:
            "results/logs/fields_percentiles.log",
        benchmark:
            "results/benchmarks/fields_percentiles.tsv"
        priority: TO_COMPARE
        conda:
            "../envs/stormdraw.yaml"
        threads: 1
        resources:
            # A strip of rows of all training times.
            mem_mb=growing(1000),
            runtime=growing(240),
        params:
            code=code("fields_percentiles"),
            settings={
                "percentiles": SETTINGS.scores.percentiles,
                "training": SETTINGS.periods.training.model_dump(mode="json"),
            },
        message:
            "Computing percentiles over the training period"
        script:
            "../workflow_scripts/fields_percentiles.py"


rule fields_reference:
    input:
        manifest=manifest_of_reference,
        grid=initial_file,
    output:
        fields="<results>/fields/{reference}/{init}.nc",
        quality="<results>/fields/quality/{reference}/{init}.csv",
    log:
        "results/logs/fields_reference/{reference}/{init}.log",
    benchmark:
        "results/benchmarks/fields_reference/{reference}/{init}.tsv"
    priority: TO_COMPARE
    conda:
        "../envs/stormdraw.yaml"
    threads: 1
    resources:
        # Weights of each of the members' grids: 150 MB on a whole 3 km grid.
        mem_mb=growing(1000 if SMALL_GRID else 2500),
        runtime=growing(30),
    params:
        code=code("fields_reference", BASE_MODULE),
        settings=lambda wildcards: {
            "variables": STATE,
            "leads": list(SETTINGS.leads),
            "ages": SETTINGS.ages(wildcards.reference),
            "no_echo": NO_ECHO,
            **TARGET,
        },
    message:
        "Putting {wildcards.reference} of {wildcards.init} on the target grid"
    script:
        "../workflow_scripts/fields_reference.py"


# Only if the analyses are not all of the truth.
if not SETTINGS.archive.truth_is_analysis:

    rule fields_truth:
        input:
            manifest=manifest_of_truth,
            analyses=analyses_of_truth,
            files=own_files_of_truth,
        output:
            fields="<results>/fields/truth/{date}.nc",
            quality="<results>/fields/quality/truth/{date}.csv",
        log:
            "results/logs/fields_truth/{date}.log",
        benchmark:
            "results/benchmarks/fields_truth/{date}.tsv"
        priority: TO_COMPARE
        conda:
            "../envs/stormdraw.yaml"
        threads: 1
        resources:
            # Weights between the truth's grid and the target's: 150 MB on a whole 3 km grid.
            mem_mb=growing(1000 if SMALL_GRID else 2500),
            runtime=growing(30),
        params:
            code=code("fields_truth", *TRUTH_MODULES),
            times=lambda wildcards: [format_init(time) for time in times_of_truth(wildcards)],
            settings={
                "truth": TRUTH_OF,
                "radar_cells": SETTINGS.fields.radar_cells,
                "no_echo": BASE_MODEL.reflectivity_floor,
                **TARGET,
            },
        message:
            "Putting the truth of {wildcards.date} on the target grid"
        script:
            "../workflow_scripts/fields_truth.py"


# Only if a larger-scale model drives ours.
if DRIVING is not None:

    rule fields_driving:
        input:
            manifest="<results>/archive/driving/{date}/manifest.csv",
            grid=GRID_FILE,
        output:
            fields="<results>/fields/driving/{date}.nc",
            quality="<results>/fields/quality/driving/{date}.csv",
        log:
            "results/logs/fields_driving/{date}.log",
        benchmark:
            "results/benchmarks/fields_driving/{date}.tsv"
        priority: EARLY
        conda:
            "../envs/stormdraw.yaml"
        threads: 1
        resources:
            # Positions of the target's points on the driving grid: 150 MB for the whole of HRRR's.
            mem_mb=growing(1000 if SMALL_GRID else 2500),
            runtime=growing(60),
        params:
            code=code("fields_driving", BASE_MODULE),
            settings=driving_settings,
        message:
            "Reading the driving forecasts of {wildcards.date}"
        script:
            "../workflow_scripts/fields_driving.py"


# A given model has its own statistics.
if DRIVING is not None and SETTINGS.periods.training is not None:

    rule fields_driving_statistics:
        input:
            fields=driving_to_learn_from(),
        output:
            statistics="<results>/fields/driving_statistics.nc",
        log:
            "results/logs/fields_driving_statistics.log",
        benchmark:
            "results/benchmarks/fields_driving_statistics.tsv"
        priority: EARLY
        conda:
            "../envs/stormdraw.yaml"
        threads: 1
        resources:
            mem_mb=growing(1000),
            runtime=growing(60),
        params:
            code=code("fields_driving_statistics"),
            settings=driving_statistics_settings(),
        message:
            "Computing statistics of the driving forecasts over the training period"
        script:
            "../workflow_scripts/fields_driving_statistics.py"
