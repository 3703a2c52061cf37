"""Writes results/ensembles/{system}/coefficients.json: for each variable and lead those of the
distributions, and the CRPS of validation cases without and with them."""

from pathlib import Path

from stormdraw.ensembles.post_processing import fit_pairs
from stormdraw.job import job

with job("ensembles_fit", snakemake.log[0]):
    fit_pairs(
        snakemake.wildcards.system,
        [Path(path) for path in snakemake.input.pairs],
        snakemake.params.cases,
        Path(snakemake.output.coefficients),
    )
