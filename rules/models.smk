# models: from fields and a configuration to a trained checkpoint.


rule models_plan:
    input:
        fields=GRID_FILE,
    output:
        plan="results/models/{model}/plan.json",
    log:
        "results/logs/models_plan/{model}.log",
    benchmark:
        "results/benchmarks/models_plan/{model}.tsv"
    priority: EARLY
    conda:
        "../envs/stormdraw.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        code=lambda wildcards: code("models_plan", *networks_of(wildcards.model)),
        settings=lambda wildcards: planned_with(wildcards.model),
    message:
        "Planning {wildcards.model}: its parameters and memory"
    script:
        "../workflow_scripts/models_plan.py"


rule models_train:
    input:
        plan="results/models/{model}/plan.json",
        training=TRAINING_FILES,
        validation=VALIDATION_FILES,
        static=STATIC_FILES,
        statistics="<results>/fields/statistics.nc",
        forecaster=forecaster_of_model,
        driving=driving_of_training,
        driving_statistics=driving_statistics_of_training,
    output:
        checkpoint="results/models/{model}/model.pt",
        metrics="results/models/{model}/metrics.json",
    log:
        "results/logs/models_train/{model}.log",
    benchmark:
        "results/benchmarks/models_train/{model}.tsv"
    wildcard_constraints:
        model=one_of(TRAINED_ON_ONE),
    priority: EARLIEST
    conda:
        "../envs/stormdraw.yaml"
    threads: 8
    resources:
        gpu=devices_to_train,
        mem_mb=memory_to_train,
        runtime=time_to_train,
    params:
        code=lambda wildcards: code("models_train", *networks_of(wildcards.model)),
        settings=lambda wildcards: trained_on(wildcards.model),
    message:
        "Training {wildcards.model}"
    script:
        "../workflow_scripts/models_train.py"


# Slurm gives such a job its nodes, and the script starts a torchrun on each of them with srun.
if TRAINED_ON_NODES:

    use rule models_train as models_train_on_nodes with:
        wildcard_constraints:
            model=one_of(TRAINED_ON_NODES),
        resources:
            mpi="srun",
            nodes=nodes_to_train,
            tasks=nodes_to_train,
            tasks_per_gpu=0,
            gpu=devices_to_train,
            mem_mb=memory_to_train,
            runtime=time_to_train,


# In place of a training, if a model was trained elsewhere.
if TAKEN_MODELS:

    rule models_take:
        output:
            checkpoint="results/models/{model}/model.pt",
            metrics="results/models/{model}/metrics.json",
        log:
            "results/logs/models_take/{model}.log",
        benchmark:
            "results/benchmarks/models_take/{model}.tsv"
        wildcard_constraints:
            model=one_of(TAKEN_MODELS),
        priority: EARLIEST
        conda:
            "../envs/stormdraw.yaml"
        threads: 1
        resources:
            mem_mb=growing(2000),
            runtime=growing(60),
        params:
            code=lambda wildcards: code("models_take", *networks_of(wildcards.model)),
            # Its content decides, not where it lies or when it was copied there.
            sha256=lambda wildcards: hash_of_given(wildcards.model),
        message:
            "Taking in {wildcards.model}"
        script:
            "../workflow_scripts/models_take.py"


rule models_diagnose:
    input:
        checkpoint="results/models/{model}/model.pt",
        states=DIAGNOSED_FILES,
        static=STATIC_FILES,
        driving=driving_of_diagnosis,
    output:
        diagnosis="results/models/{model}/diagnosis.nc",
    log:
        "results/logs/models_diagnose/{model}.log",
    benchmark:
        "results/benchmarks/models_diagnose/{model}.tsv"
    wildcard_constraints:
        model=one_of(DIAGNOSED),
    conda:
        "../envs/stormdraw.yaml"
    threads: THREADS_TO_DIAGNOSE
    resources:
        gpu=1,
        mem_mb=memory_to_draw,
        runtime=growing(60),
    params:
        code=lambda wildcards: code("models_diagnose", *networks_of(wildcards.model)),
        settings=lambda wildcards: planned_with(wildcards.model),
    message:
        "Diagnosing {wildcards.model}: noise levels, condition, spectra"
    script:
        "../workflow_scripts/models_diagnose.py"


# Only if models are exported.
if EXPORTED_MODELS:

    rule models_export:
        input:
            checkpoint="results/models/{model}/model.pt",
            metrics="results/models/{model}/metrics.json",
            states=GRID_FILE,
            static=STATIC_FILES,
        output:
            package=directory("results/models/{model}/package"),
        log:
            "results/logs/models_export/{model}.log",
        benchmark:
            "results/benchmarks/models_export/{model}.tsv"
        wildcard_constraints:
            model=one_of(SETTINGS.models_export),
        conda:
            "../envs/stormdraw.yaml"
        threads: 1
        resources:
            mem_mb=memory_to_train,
            runtime=growing(60),
        params:
            code=lambda wildcards: code("models_export", *networks_of(wildcards.model)),
            drawn=lambda wildcards: drawn_from(wildcards.model),
            periods=lambda wildcards: periods_of(wildcards.model),
        message:
            "Packing {wildcards.model} for other programs"
        script:
            "../workflow_scripts/models_export.py"
