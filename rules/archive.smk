# archive: GRIB2 messages fetched, verified and listed.


rule archive_simulate:
    output:
        archive=directory(SIMULATED),
        world="results/archive/simulated_world.nc",
    log:
        "results/logs/archive_simulate.log",
    benchmark:
        "results/benchmarks/archive_simulate.tsv"
    conda:
        "../envs/stormdraw.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        code=code("archive_simulate"),
        settings=digest(
            [
                SETTINGS.model_dump(
                    mode="json", include={"seed", "periods", "leads", "cases", "archive"}
                ),
                # HREF has HRRR's forecasts among its members.
                SETTINGS.forecasts_with_hrrr() and SETTINGS.archive.reference is None,
            ]
        ),
    message:
        "Simulating an archive of GRIB2 files: HRRR, HREF's members and HREF's products"
    script:
        "../workflow_scripts/archive_simulate.py"


rule archive_fetch:
    input:
        mirror=mirror_folder,
    output:
        manifest="results/archive/{source}/{date}/manifest.csv",
    log:
        "results/logs/archive_fetch/{source}/{date}.log",
    benchmark:
        "results/benchmarks/archive_fetch/{source}/{date}.tsv"
    localrule: stays_here("archive_fetch")
    conda:
        "../envs/stormdraw.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(120),
    params:
        code=code("archive_fetch"),
        requests=lambda wildcards: digest(requests(SETTINGS, wildcards.source, wildcards.date)),
        origin=digest(SETTINGS.archive.model_dump(mode="json", include={"source"})),
    message:
        "Fetching {wildcards.source} of {wildcards.date}"
    script:
        "../workflow_scripts/archive_fetch.py"
