# ensembles: members of every system at every case, (member, lead, y, x).


rule ensembles_calibrate:
    input:
        checkpoint="results/models/{model}/model.pt",
        forecaster=forecaster_of_system,
        states=VALIDATION_FILES,
        static=STATIC_FILES,
        driving=driving_of_calibration,
    output:
        calibration="results/models/{model}/calibration_{system}.json",
    log:
        "results/logs/ensembles_calibrate/{model}/{system}.log",
    benchmark:
        "results/benchmarks/ensembles_calibrate/{model}/{system}.tsv"
    wildcard_constraints:
        system=one_of([] if SETTINGS.cycle else DRAWN),
    priority: EARLY
    conda:
        "../envs/stormdraw.yaml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=memory_to_draw,
        runtime=time_to_draw(members_to_calibrate),
    params:
        code=lambda wildcards: code("ensembles_calibrate", *modules_of_system(wildcards.system)),
        settings=calibration_settings,
    message:
        "Calibrating {wildcards.system} on validation cases"
    script:
        "../workflow_scripts/ensembles_calibrate.py"


rule ensembles_sample:
    input:
        checkpoint=checkpoint,
        forecaster=forecaster_of_system,
        states=initial_files,
        static=static_of_case,
        driving=driving_of_case,
        calibration=calibration_file,
    output:
        ensemble=unless_kept("<results>/ensembles/{system}/{init}.nc"),
    log:
        "results/logs/ensembles_sample/{system}/{init}.log",
    benchmark:
        "results/benchmarks/ensembles_sample/{system}/{init}.tsv"
    wildcard_constraints:
        system=one_of(set(DRAWN) - {*SPLIT, *STRETCHED}),
    priority: TO_DRAW
    conda:
        "../envs/stormdraw.yaml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=memory_to_draw,
        runtime=time_to_draw(members_of_case),
    params:
        code=lambda wildcards: code("ensembles_sample", *modules_of_system(wildcards.system)),
        settings=case_settings,
    message:
        "Sampling {wildcards.system} at {wildcards.init}"
    script:
        "../workflow_scripts/ensembles_sample.py"


# The members of a case on several GPUs: each job draws some, with the same noise in any split, so
# that they are equal up to rounding.
rule ensembles_part:
    input:
        checkpoint=checkpoint,
        forecaster=forecaster_of_system,
        states=initial_files,
        static=static_of_case,
        driving=driving_of_case,
        calibration=calibration_file,
    output:
        part=temp("<results>/ensembles/{system}/{init}.part{part}.nc"),
    log:
        "results/logs/ensembles_part/{system}/{init}.part{part}.log",
    benchmark:
        "results/benchmarks/ensembles_part/{system}/{init}.part{part}.tsv"
    wildcard_constraints:
        system=one_of(SPLIT),
        part=r"\d+",
    priority: TO_DRAW
    conda:
        "../envs/stormdraw.yaml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=memory_to_draw,
        runtime=time_to_draw(lambda wildcards: len(range(*members_of_part(wildcards)))),
    params:
        code=lambda wildcards: code("ensembles_part", *modules_of_system(wildcards.system)),
        settings=case_settings,
        members=members_of_part,
    message:
        "Sampling {wildcards.system} at {wildcards.init}, part {wildcards.part}"
    script:
        "../workflow_scripts/ensembles_part.py"


rule ensembles_join:
    input:
        parts=parts_of_case,
        calibration=calibration_file,
    output:
        ensemble=unless_kept("<results>/ensembles/{system}/{init}.nc"),
    log:
        "results/logs/ensembles_join/{system}/{init}.log",
    benchmark:
        "results/benchmarks/ensembles_join/{system}/{init}.tsv"
    wildcard_constraints:
        system=one_of(SPLIT),
    priority: TO_FOLLOW
    conda:
        "../envs/stormdraw.yaml"
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(30),
    params:
        code=code("ensembles_join"),
        settings=case_settings,
    message:
        "Joining the members of {wildcards.system} at {wildcards.init}"
    script:
        "../workflow_scripts/ensembles_join.py"


# Only where the hours of a forecast are drawn in stretches: each from the last states of the one
# before, with the same noise in any split.
if STRETCHED:

    use rule ensembles_sample as ensembles_hours with:
        input:
            checkpoint=checkpoint,
            forecaster=forecaster_of_system,
            states=initial_files,
            static=static_of_case,
            driving=driving_of_case,
            calibration=calibration_file,
            before=states_before,
        output:
            ensemble=temp("<results>/ensembles/{system}/{init}.hours_{hours}.nc"),
            states=temp(directory("<results>/ensembles/{system}/{init}.hours_{hours}.states")),
        log:
            "results/logs/ensembles_hours/{system}_{hours}/{init}.log",
        benchmark:
            "results/benchmarks/ensembles_hours/{system}_{hours}/{init}.tsv"
        wildcard_constraints:
            system=one_of(STRETCHED),
            hours=one_of(STRETCHES),
        threads: THREADS_TO_DRAW_HOURS
        message:
            "Sampling {wildcards.system} at {wildcards.init}, hours {wildcards.hours}"

    use rule ensembles_join as ensembles_join_hours with:
        input:
            parts=stretches_of_case,
            # Each stretch is calibrated already.
            calibration=[],
        log:
            "results/logs/ensembles_join_hours/{system}/{init}.log",
        benchmark:
            "results/benchmarks/ensembles_join_hours/{system}/{init}.tsv"
        wildcard_constraints:
            system=one_of(STRETCHED),
        message:
            "Joining the hours of {wildcards.system} at {wildcards.init}"


# Only if a system downscales.
if DOWNSCALED:

    rule ensembles_downscale:
        input:
            checkpoints=checkpoints,
            forecasts=forecasts_of_case,
        output:
            ensemble=unless_kept("<results>/ensembles/{system}/{init}.nc"),
        log:
            "results/logs/ensembles_downscale/{system}/{init}.log",
        benchmark:
            "results/benchmarks/ensembles_downscale/{system}/{init}.tsv"
        wildcard_constraints:
            system=one_of(DOWNSCALED),
        priority: TO_DRAW
        conda:
            "../envs/stormdraw.yaml"
        threads: 8
        resources:
            gpu=1,
            mem_mb=memory_to_draw,
            runtime=time_to_draw(members_of_case),
        params:
            code=lambda wildcards: code("ensembles_downscale", *modules_of_system(wildcards.system)),
            settings=case_settings,
        message:
            "Downscaling forecasts to {wildcards.system} at {wildcards.init}"
        script:
            "../workflow_scripts/ensembles_downscale.py"


# Only where a system is calibrated from another.
if CALIBRATED:

    rule ensembles_pair:
        input:
            ensemble=raw_ensemble,
            truth=truth_files,
        output:
            pairs=unless_kept("<results>/ensembles/{system}/pairs/{init}.nc"),
        log:
            "results/logs/ensembles_pair/{system}/{init}.log",
        benchmark:
            "results/benchmarks/ensembles_pair/{system}/{init}.tsv"
        wildcard_constraints:
            system=one_of(CALIBRATED),
        priority: EARLIEST
        conda:
            "../envs/stormdraw.yaml"
        threads: 1
        resources:
            mem_mb=growing(2000),
            runtime=growing(60),
        params:
            code=code("ensembles_pair"),
            settings=fitting_settings,
        message:
            "Pairing what {wildcards.system} is calibrated from at {wildcards.init} with the truth"
        script:
            "../workflow_scripts/ensembles_pair.py"

    rule ensembles_fit:
        input:
            pairs=pairs_of_system,
        output:
            coefficients="<results>/ensembles/{system}/coefficients.json",
        log:
            "results/logs/ensembles_fit/{system}.log",
        benchmark:
            "results/benchmarks/ensembles_fit/{system}.tsv"
        wildcard_constraints:
            system=one_of(CALIBRATED),
        priority: EARLIEST
        conda:
            "../envs/stormdraw.yaml"
        threads: 1
        resources:
            mem_mb=growing(2000),
            runtime=growing(60),
        params:
            code=code("ensembles_fit"),
            cases=lambda wildcards: fitted_cases(wildcards.system),
            settings=fitting_settings,
        message:
            "Fitting the distributions of {wildcards.system} on validation cases"
        script:
            "../workflow_scripts/ensembles_fit.py"


rule ensembles_take:
    input:
        unpack(files_of_case),
    output:
        ensemble=unless_kept("<results>/ensembles/{system}/{init}.nc"),
    log:
        "results/logs/ensembles_take/{system}/{init}.log",
    benchmark:
        "results/benchmarks/ensembles_take/{system}/{init}.tsv"
    wildcard_constraints:
        system=one_of(TAKEN),
    priority: TO_FOLLOW
    group:
        "case_{init}"
    conda:
        "../envs/stormdraw.yaml"
    threads: 1
    resources:
        mem_mb=memory_to_take,
        runtime=growing(30),
    params:
        code=lambda wildcards: code("ensembles_take", *modules_of_system(wildcards.system)),
        settings=case_settings,
    message:
        "Taking {wildcards.system} at {wildcards.init}"
    script:
        "../workflow_scripts/ensembles_take.py"


# Only where a system is in files of others. What is behind an address is no input of a job.
if READ:

    rule ensembles_read:
        input:
            files=files_of_others,
            grid=grid_of_case,
        output:
            ensemble=unless_kept("<results>/ensembles/{system}/{init}.nc"),
            quality="<results>/fields/quality/{system}/{init}.csv",
        log:
            "results/logs/ensembles_read/{system}/{init}.log",
        benchmark:
            "results/benchmarks/ensembles_read/{system}/{init}.tsv"
        wildcard_constraints:
            system=one_of(READ),
        priority: TO_FOLLOW
        group:
            "case_{init}"
        conda:
            "../envs/stormdraw.yaml"
        threads: 1
        resources:
            mem_mb=memory_to_take,
            runtime=growing(60),
        params:
            code=lambda wildcards: code("ensembles_read", *modules_of_system(wildcards.system)),
            settings=case_settings,
        message:
            "Reading {wildcards.system} at {wildcards.init}"
        script:
            "../workflow_scripts/ensembles_read.py"


# Only if ensembles are exported: from the members, before they are deleted.
if EXPORTED:

    rule ensembles_export:
        input:
            ensemble="<results>/ensembles/{system}/{init}.nc",
        output:
            case=EXPORTED_CASE,
        log:
            "results/logs/ensembles_export/{system}/{init}.log",
        benchmark:
            "results/benchmarks/ensembles_export/{system}/{init}.tsv"
        priority: TO_FOLLOW
        group:
            "case_{init}"
        conda:
            "../envs/stormdraw.yaml"
        threads: 1
        resources:
            mem_mb=memory_to_export,
            runtime=growing(60),
        params:
            code=code("ensembles_export", module_of_export(EXPORT)),
            settings=case_settings,
            members=members_of_case,
        message:
            "Exporting {wildcards.system} at {wildcards.init}"
        script:
            "../workflow_scripts/ensembles_export.py"
