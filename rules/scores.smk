# scores: ensembles and truth to sufficient statistics, then to scores with intervals.


rule scores_case:
    input:
        ensemble="results/ensembles/{system}/{init}.nc",
        truth=truth_files,
    output:
        statistics="results/scores/{system}/{init}.nc",
    log:
        "results/logs/scores_case/{system}/{init}.log",
    benchmark:
        "results/benchmarks/scores_case/{system}/{init}.tsv"
    conda:
        "../envs/stormdraw.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        code=code("scores_case"),
        settings={"seed": SETTINGS.seed, "leads": list(SETTINGS.leads)},
    message:
        "Scoring {wildcards.system} at {wildcards.init}"
    script:
        "../workflow_scripts/scores_case.py"


rule scores_summary:
    input:
        statistics=all_statistics,
    output:
        summary="results/scores/summary.csv",
    log:
        "results/logs/scores_summary.log",
    benchmark:
        "results/benchmarks/scores_summary.tsv"
    conda:
        "../envs/stormdraw.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
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
