"""Writes nothing: ends the run with an error that names what the scorecard leaves out."""

from stormdraw.errors import StormdrawError
from stormdraw.job import job

with job("report_gaps", snakemake.log[0]):
    raise StormdrawError(
        f"{snakemake.input.scorecard} is there, with a gap: {' '.join(snakemake.params.gaps)} "
        "Mend it and run the same command without `left_out`"
    )
