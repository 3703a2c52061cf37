"""Writes results/fields/truth/{date}.nc, each variable float32 (time, y, x), and
results/fields/quality/truth/{date}.csv, its suspicious values."""

from pathlib import Path

from stormdraw.archive.truth_names import truth_name
from stormdraw.fields.truth import VariableTruth, write_truth
from stormdraw.fields.writing import Destination
from stormdraw.job import job
from stormdraw.settings import load_settings

with job("fields_truth", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    archive = settings.archive
    write_truth(
        Path(snakemake.input.manifest),
        [Path(path) for path in snakemake.input.analyses],
        {
            name: VariableTruth(
                truth_name(settings, name), own.no_echo(archive.base_model), own.codes
            )
            for name in settings.variables
            for own in [archive.truth_of(name)]
        },
        Destination(
            Path(snakemake.output.fields),
            Path(snakemake.output.quality),
            settings.fields,
            snakemake.params.settings,
            snakemake.threads,
        ),
    )
