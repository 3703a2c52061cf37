"""Writes results/scores/{system}/{init}.points.nc: points that can be scored."""

from pathlib import Path

from stormdraw.job import job
from stormdraw.scores.points import write_points

with job("scores_points", snakemake.log[0]):
    write_points(Path(snakemake.input.ensemble), Path(snakemake.output.points))
