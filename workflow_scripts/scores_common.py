"""Writes results/scores/{system}/{init}.nc of all systems, over the points that none lacks."""

from pathlib import Path

from stormdraw.job import job
from stormdraw.scores.common import CaseFiles, score_in_common
from stormdraw.settings import load_settings

with job("scores_common", snakemake.log[0]) as log:
    settings = load_settings(snakemake.config)
    files = snakemake.input
    systems = {
        Path(ensemble).parent.name: CaseFiles(Path(ensemble), Path(statistics))
        for ensemble, statistics in zip(files.ensembles, files.statistics, strict=True)
    }
    agreed = score_in_common(
        systems,
        [Path(path) for path in files.truth],
        {Path(path).parent.name: Path(path) for path in snakemake.output.statistics},
        settings.seed,
        settings.scores,
        snakemake.threads,
    )
    if not agreed:
        log.warning("a system lacks points; all were scored anew without them (see missing.csv)")
