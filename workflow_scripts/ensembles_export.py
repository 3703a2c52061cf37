"""Adds a case to results/ensembles/{system}.{format}, and writes .cases/{init}.json there: what was
added, so that Snakemake knows."""

import json
from pathlib import Path

from stormdraw.ensembles.export import CaseToExport, export_case
from stormdraw.files import write_text
from stormdraw.job import job
from stormdraw.settings import load_settings
from stormdraw.times import format_init

with job("ensembles_export", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    done = Path(snakemake.output.case)
    added = CaseToExport(
        Path(snakemake.input.ensemble),
        done.parents[1],
        snakemake.params.members,
        [format_init(time) for time in settings.initial_times()],
    )
    export_case(settings.ensembles.export, added)
    write_text(done, json.dumps({"ensemble": str(added.ensemble), "members": added.members}) + "\n")
