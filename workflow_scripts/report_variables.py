"""Writes results/report/figures/variables/*.svg."""

from pathlib import Path

from stormdraw.job import job
from stormdraw.report.score_files import ScoreFiles
from stormdraw.report.variable_figures import draw_variables
from stormdraw.settings import load_settings

with job("report_variables", snakemake.log[0]):
    systems: dict[str, list[Path]] = {}
    for path in map(Path, snakemake.input.statistics):
        systems.setdefault(path.parent.name, []).append(path)
    draw_variables(
        load_settings(snakemake.config),
        snakemake.input.summary,
        ScoreFiles(systems),
        dict(snakemake.output.items()),
    )
