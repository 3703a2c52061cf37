# archive: fetches, verifies and lists GRIB2 messages.


rule archive_simulate:
    output:
        archive=directory(SIMULATED),
        world=SIMULATED_WORLD,
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
        code=code("archive_simulate", BASE_MODULE),
        settings=digest(
            [
                SETTINGS.model_dump(
                    mode="json",
                    include={"seed", "periods", "leads", "cases", "archive"},
                    # Which reports are taken is the business of archive_stations, and a clock is
                    # for forecasts.
                    exclude={"archive": {"stations": True, "simulated": {"now", "late"}}},
                ),
                STATIONS is not None,
                # The reference's members include them.
                bool(SETTINGS.ages(BASE_MODEL.forecast_source))
                and SETTINGS.archive.reference is None,
                SETTINGS.ages(BASE_MODEL.lagged_source),
                [format_init(time) for time in SETTINGS.compared_cases()],
                # Older runs of a system are driven too.
                [DRIVING_ROWS, driving_by_day()] if MIRROR else [],
            ]
        ),
    message:
        "Simulating an archive of GRIB2 files"
    script:
        "../workflow_scripts/archive_simulate.py"


# Files on this machine may be copied in any number at once; profiles limit downloads.
DOWNLOADS = 1 if SETTINGS.archive.over_the_network() else 0


rule archive_fetch:
    input:
        mirror=MIRROR,
    output:
        manifest="<results>/archive/{source}/{date}/manifest.csv",
    log:
        "results/logs/archive_fetch/{source}/{date}.log",
    benchmark:
        "results/benchmarks/archive_fetch/{source}/{date}.tsv"
    priority: TO_COMPARE
    localrule: stays_here("archive_fetch")
    conda:
        "../envs/stormdraw.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(120),
        downloads=DOWNLOADS,
    params:
        code=code("archive_fetch"),
        requests=lambda wildcards: digest(
            [wanted_of(wildcards.source)[wildcards.date], driving_rows_of(wildcards.source)]
        ),
        origin=digest(SETTINGS.archive.model_dump(mode="json", include=WHERE_FROM)),
    message:
        "Fetching {wildcards.source} of {wildcards.date}"
    script:
        "../workflow_scripts/archive_fetch.py"


if STATION_REPORTS:

    # IEM is asked for one file at a time, whatever the number of jobs.
    rule archive_stations:
        input:
            mirror=MIRROR,
            files=lambda wildcards: station_files(wildcards.date),
        output:
            reports="<results>/archive/stations/{date}.parquet",
            quality="<results>/archive/stations/quality/{date}.csv",
        log:
            "results/logs/archive_stations/{date}.log",
        benchmark:
            "results/benchmarks/archive_stations/{date}.tsv"
        localrule: stays_here("archive_stations")
        conda:
            "../envs/stormdraw.yaml"
        threads: 1
        resources:
            mem_mb=growing(1000),
            runtime=growing(60),
            downloads=STATION_DOWNLOADS,
        params:
            code=code("archive_stations"),
            settings=lambda wildcards: digest(station_settings(wildcards.date)),
        message:
            "Reports of stations of {wildcards.date}"
        script:
            "../workflow_scripts/archive_stations.py"


# As early as possible: too large a gap ends the run.
rule archive_audit:
    input:
        manifests=all_manifests(),
    output:
        audit="<results>/archive/audit.csv",
    log:
        "results/logs/archive_audit.log",
    benchmark:
        "results/benchmarks/archive_audit.tsv"
    priority: 10
    conda:
        "../envs/stormdraw.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("archive_audit"),
        settings=SETTINGS.archive.model_dump(
            mode="json", include={"missing_limit", "analysis_lead"}
        ),
    message:
        "Listing what the archive had and what it lacked"
    script:
        "../workflow_scripts/archive_audit.py"
