"""Writes results/report/figures/{figure}.svg."""

from pathlib import Path

from stormdraw.job import job
from stormdraw.report.figure import Files, figures
from stormdraw.settings import load_settings

# Inputs that are a single file, not several by system or model.
ONE_FILE = ("summary", "audit", "diagnosis", "places")


def by_folder(paths: list[str]) -> dict[str, list[Path]]:
    """Paths by the name of their folder: the system or the model."""
    folders: dict[str, list[Path]] = {}
    for path in map(Path, paths):
        folders.setdefault(path.parent.name, []).append(path)
    return folders


with job("report_figure", snakemake.log[0]):
    given = dict(snakemake.input.items())
    files = {name: Path(given[name]) for name in ONE_FILE if name in given}
    if "statistics" in given:
        files["statistics"] = by_folder(given["statistics"])
    if "metrics" in given:
        files["metrics"] = {name: path for name, (path,) in by_folder(given["metrics"]).items()}
    if "maps" in given:
        files["maps"] = {Path(path).stem: Path(path) for path in given["maps"]}
    figures()[snakemake.params.name].draw(
        load_settings(snakemake.config),
        Files(of=snakemake.params.of, **files),
        Path(snakemake.output.figure),
    )
