"""Writes results/report/maps/{system}.nc: the fields of one case for maps."""

from pathlib import Path

from stormdraw.job import job
from stormdraw.report.mapped_case import Wanted, extract_case

with job("report_map", snakemake.log[0]):
    extract_case(
        snakemake.wildcards.system,
        [Path(path) for path in snakemake.input.ensembles],
        [Path(path) for path in snakemake.input.states],
        [Path(path) for path in snakemake.input.truth],
        Wanted(**snakemake.params.wanted),
        Path(snakemake.output.case),
    )
