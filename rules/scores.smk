# scores: from ensembles and truth to sufficient statistics, and to scores with intervals.


# Points that a reference or a baseline lacks are left out for all systems before anything is
# scored. A case is thus scored once, when it is drawn, whatever other systems there will be.
rule scores_points:
    input:
        ensembles=expand("<results>/ensembles/{system}/{{init}}.nc", system=COMPARED_WITH),
    output:
        points="<results>/points/{init}.nc",
    log:
        "results/logs/scores_points/{init}.log",
    benchmark:
        "results/benchmarks/scores_points/{init}.tsv"
    priority: TO_FOLLOW
    group:
        "case_{init}"
    conda:
        "../envs/stormdraw.yaml"
    threads: 1
    resources:
        mem_mb=growing(
            points_megabytes(SETTINGS, [MEMBERS_IN_FILES[name] for name in COMPARED_WITH])
        ),
        runtime=growing(30),
    params:
        code=code("scores_points"),
        settings={"leads": list(SETTINGS.leads)},
    message:
        "Finding the points that all systems are compared on at {wildcards.init}"
    script:
        "../workflow_scripts/scores_points.py"


rule scores_case:
    input:
        ensemble="<results>/ensembles/{system}/{init}.nc",
        points="<results>/points/{init}.nc",
        truth=truth_files,
        # Variables whose truth is not the analysis are scored against that as well, so that readers
        # see what the choice of the truth does to the order of systems.
        analyses=analyses_of_case if WITH_ANOTHER_TRUTH else [],
        percentiles=PERCENTILES,
        outlines=region_files,
    output:
        **STATISTICS,
    log:
        "results/logs/scores_case/{system}/{init}.log",
    benchmark:
        "results/benchmarks/scores_case/{system}/{init}.tsv"
    priority: TO_FOLLOW
    group:
        "case_{init}"
    conda:
        "../envs/stormdraw.yaml"
    threads: THREADS_TO_SCORE
    resources:
        mem_mb=memory_to_score,
        runtime=growing(120),
    params:
        code=code("scores_case"),
        settings=scored_with(),
        with_another_truth=WITH_ANOTHER_TRUTH,
    message:
        "Scoring {wildcards.system} at {wildcards.init}"
    script:
        "../workflow_scripts/scores_case.py"


rule scores_summary:
    input:
        statistics=all_statistics,
    output:
        summary="<results>/scores/summary.csv",
        tidy="<results>/scores/scores.parquet",
        verdicts="<results>/scores/verdicts.csv",
        overall="<results>/scores/overall.csv",
        missing="<results>/scores/missing.csv",
        by_hour="<results>/scores/by_hour.csv",
    log:
        "results/logs/scores_summary.log",
    benchmark:
        "results/benchmarks/scores_summary.tsv"
    conda:
        "../envs/stormdraw.yaml"
    threads: 1
    resources:
        mem_mb=growing(summary_megabytes(SETTINGS, MEMBERS_IN_FILES.values())),
        runtime=growing(30),
    params:
        code=code("scores_summary"),
        settings=summed_with("stations"),
    message:
        "Summing the scores over all cases"
    script:
        "../workflow_scripts/scores_summary.py"


# Of one case of each system, before its members are deleted: scores by other people's libraries,
# from the fetched GRIB2 on. It knows nothing of how ours are made, and so follows from no score.
rule scores_second_opinion:
    input:
        ensemble="<results>/ensembles/{system}/{init}.nc",
        points="<results>/points/{init}.nc",
        truth=truth_files,
        analyses=analyses_fetched,
        others=other_truth_fetched,
        percentiles=PERCENTILES,
    output:
        opinion="<results>/scores/second_opinion/{system}/{init}.csv",
    log:
        "results/logs/scores_second_opinion/{system}/{init}.log",
    benchmark:
        "results/benchmarks/scores_second_opinion/{system}/{init}.tsv"
    priority: TO_FOLLOW
    group:
        "case_{init}"
    conda:
        "../envs/stormdraw.yaml"
    threads: 1
    resources:
        mem_mb=growing(second_opinion_megabytes(SETTINGS)),
        runtime=growing(30),
    params:
        code=code("scores_second_opinion", *TRUTH_MODULES),
        settings=second_opinion_with(),
    message:
        "Scoring {wildcards.system} at {wildcards.init} by other libraries"
    script:
        "../workflow_scripts/scores_second_opinion.py"


rule scores_check:
    input:
        opinions=expand(
            "<results>/scores/second_opinion/{system}/{init}.csv",
            zip,
            system=CHECKED,
            init=CHECKED.values(),
        ),
        statistics=expand(
            "<results>/scores/{system}/{init}.nc", zip, system=CHECKED, init=CHECKED.values()
        ),
    output:
        check="<results>/scores/check.csv",
    log:
        "results/logs/scores_check.log",
    benchmark:
        "results/benchmarks/scores_check.tsv"
    conda:
        "../envs/stormdraw.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
    params:
        code=code("scores_check"),
        settings=scored_with(),
    message:
        "Comparing our scores with those by other libraries"
    script:
        "../workflow_scripts/scores_check.py"


if STATIONS is not None:

    # From the members as well, before they are deleted: a report that changes needs them again.
    rule scores_stations:
        input:
            ensemble="<results>/ensembles/{system}/{init}.nc",
            reports=reports_of_case,
            static=static_of_case,
            percentiles=PERCENTILES,
        output:
            scores="<results>/scores/stations/{system}/{init}.nc",
        log:
            "results/logs/scores_stations/{system}/{init}.log",
        benchmark:
            "results/benchmarks/scores_stations/{system}/{init}.tsv"
        priority: TO_FOLLOW
        group:
            "case_{init}"
        conda:
            "../envs/stormdraw.yaml"
        threads: 1
        resources:
            mem_mb=growing(stations_megabytes(SETTINGS)),
            runtime=growing(60),
        params:
            code=code("scores_stations"),
            settings=scored_at_stations_with(),
        message:
            "Scoring {wildcards.system} at {wildcards.init} against stations"
        script:
            "../workflow_scripts/scores_stations.py"

    rule scores_stations_summary:
        input:
            scores=expand(
                "<results>/scores/stations/{system}/{init}.nc", system=SYSTEMS, init=SCORED
            ),
        output:
            **STATION_TABLES,
        log:
            "results/logs/scores_stations_summary.log",
        benchmark:
            "results/benchmarks/scores_stations_summary.tsv"
        conda:
            "../envs/stormdraw.yaml"
        threads: 1
        resources:
            mem_mb=growing(summary_megabytes(SETTINGS, MEMBERS_IN_FILES.values())),
            runtime=growing(30),
        params:
            code=code("scores_stations_summary"),
            settings=summed_with(),
        message:
            "Summing the scores at stations over all cases"
        script:
            "../workflow_scripts/scores_stations_summary.py"


if WITH_ANOTHER_TRUTH:

    rule scores_analysis:
        input:
            statistics=expand(
                "<results>/scores/analysis/{system}/{init}.nc", system=SYSTEMS, init=SCORED
            ),
        output:
            summary="<results>/scores/analysis.csv",
        log:
            "results/logs/scores_analysis.log",
        benchmark:
            "results/benchmarks/scores_analysis.tsv"
        conda:
            "../envs/stormdraw.yaml"
        threads: 1
        resources:
            mem_mb=growing(summary_megabytes(SETTINGS, MEMBERS_IN_FILES.values())),
            runtime=growing(30),
        params:
            code=code("scores_analysis"),
            settings=summed_with("stations"),
        message:
            "Summing the scores against the analysis over all cases"
        script:
            "../workflow_scripts/scores_analysis.py"
