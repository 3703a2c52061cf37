"""Writes results/archive/audit.csv: which files were wanted and what the archive had."""

from pathlib import Path

from stormdraw.archive.audit import audit, require_enough, write_audit
from stormdraw.job import job
from stormdraw.settings import load_settings

with job("archive_audit", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    by_source: dict[str, list[Path]] = {}
    for path in map(Path, snakemake.input.manifests):
        by_source.setdefault(path.parent.parent.name, []).append(path)
    table = audit(by_source, lambda valid, shortest: settings.archive.state_run(valid, shortest)[1])
    write_audit(table, snakemake.output.audit)
    require_enough(table, settings)
