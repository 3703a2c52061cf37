"""Writes results/fields/truth/{date}.nc, each variable float32 (time, y, x), and
results/fields/quality/truth/{date}.csv, its suspicious values."""

from pathlib import Path

from stormdraw.archive.truth_names import truth_name
from stormdraw.fields.expected_grid import grid_of_truth
from stormdraw.fields.truth import TruthInputs, VariableTruth, write_truth
from stormdraw.fields.writing import Destination
from stormdraw.job import job
from stormdraw.settings import load_settings
from stormdraw.times import parse_init

with job("fields_truth", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    archive, given = settings.archive, snakemake.input
    write_truth(
        TruthInputs(
            Path(given.manifest) if given.manifest else None,
            [Path(path) for path in given.analyses],
            [parse_init(time) for time in snakemake.params.times],
            None if given.analyses else grid_of_truth(settings),
            archive.hours_may_be_absent(),
            archive.exclude,
        ),
        {
            name: VariableTruth(
                truth_name(settings, name),
                own.no_echo(archive.base_model),
                own.codes,
                own.own_files,
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
