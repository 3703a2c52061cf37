# scores: ensembles and truth to sufficient statistics, then to scores with intervals.


rule scores_case:
    input:
        ensemble="results/ensembles/{system}/{init}.nc",
        truth=truth_files,
        outlines=region_files,
    output:
        statistics="results/scores/{system}/{init}.own.nc",
    log:
        "results/logs/scores_case/{system}/{init}.log",
    benchmark:
        "results/benchmarks/scores_case/{system}/{init}.tsv"
    priority: TO_FOLLOW
    conda:
        "../envs/stormdraw.yaml"
    threads: THREADS_TO_SCORE
    resources:
        mem_mb=memory_to_score,
        runtime=growing(120),
    params:
        code=code("scores_case"),
        settings=scored_with(),
    message:
        "Scoring {wildcards.system} at {wildcards.init}"
    script:
        "../workflow_scripts/scores_case.py"


# What one system lacks is left out of all. Mostly none lacks anything, and then nothing is scored
# twice: where ensembles are kept, a new model does not score the others again. Where they go, it
# draws and scores all of them again, since the points of all are looked at here.
rule scores_common:
    input:
        ensembles=expand("results/ensembles/{system}/{{init}}.nc", system=SYSTEMS),
        statistics=expand("results/scores/{system}/{{init}}.own.nc", system=SYSTEMS),
        truth=truth_files,
        outlines=region_files,
    output:
        statistics=expand("results/scores/{system}/{{init}}.nc", system=SYSTEMS),
    log:
        "results/logs/scores_common/{init}.log",
    benchmark:
        "results/benchmarks/scores_common/{init}.tsv"
    priority: TO_FOLLOW
    conda:
        "../envs/stormdraw.yaml"
    threads: THREADS_TO_SCORE
    resources:
        mem_mb=growing(case_megabytes(SETTINGS, max(MEMBERS_IN_FILES.values()))),
        runtime=growing(240),
    params:
        code=code("scores_common"),
        settings=scored_with(),
    message:
        "Comparing all systems at {wildcards.init} on the same points"
    script:
        "../workflow_scripts/scores_common.py"


rule scores_summary:
    input:
        statistics=all_statistics,
    output:
        summary="results/scores/summary.csv",
        tidy="results/scores/scores.parquet",
        verdicts="results/scores/verdicts.csv",
        missing="results/scores/missing.csv",
        by_initial_hour="results/scores/by_initial_hour.csv",
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
        settings={
            "seed": SETTINGS.seed,
            "systems": list(SYSTEMS),
            "scores": SETTINGS.scores.model_dump(mode="json"),
        },
    message:
        "Summing the scores over all cases"
    script:
        "../workflow_scripts/scores_summary.py"
