"""Writes results/report/figures/*.svg."""

from pathlib import Path

from stormdraw.job import job
from stormdraw.report.archive_audit import draw_archive_audit
from stormdraw.report.crps_by_lead import draw_crps_by_lead
from stormdraw.report.crps_maps import draw_crps_maps
from stormdraw.report.diagnosis_figure import draw_diagnosis
from stormdraw.report.event_forecasts import draw_event_forecasts
from stormdraw.report.fractions_skill import draw_fractions_skill
from stormdraw.report.member_maps import draw_member_maps
from stormdraw.report.rank_histograms import draw_rank_histograms
from stormdraw.report.sampling_path_figure import draw_sampling_path
from stormdraw.report.score_files import ScoreFiles
from stormdraw.report.spectra import draw_spectra
from stormdraw.report.spread_bins import draw_spread_bins
from stormdraw.report.spread_error import draw_spread_error
from stormdraw.report.training_curves import draw_training_curves
from stormdraw.settings import load_settings


def by_folder(paths: list[str]) -> dict[str, list[Path]]:
    """Paths by the name of the folder they are in: the system or the model."""
    folders: dict[str, list[Path]] = {}
    for path in map(Path, paths):
        folders.setdefault(path.parent.name, []).append(path)
    return folders


with job("report_figures", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    files, figures = snakemake.input, snakemake.output
    metrics = {model: path for model, (path,) in by_folder(files.metrics).items()}
    statistics = ScoreFiles(by_folder(files.statistics))
    draw_crps_by_lead(settings, files.summary, figures.crps_by_lead)
    draw_spread_error(settings, files.summary, figures.spread_error)
    draw_rank_histograms(settings, statistics, figures.rank_histograms)
    draw_event_forecasts(settings, statistics, figures.event_forecasts)
    draw_fractions_skill(settings, statistics, figures.fractions_skill)
    draw_spread_bins(settings, statistics, figures.spread_bins)
    draw_spectra(settings, statistics, figures.spectra)
    draw_crps_maps(settings, statistics, files.ensembles[0], figures.crps_maps)
    draw_member_maps(settings, by_folder(files.ensembles), files.truth, figures.member_maps)
    draw_archive_audit(files.audit, figures.archive_audit)
    draw_training_curves(settings, metrics, figures.training_curves)
    for model, (diagnosis,) in by_folder(files.diagnoses).items():
        draw_diagnosis(diagnosis, figures[f"diagnosis_{model}"])
        draw_sampling_path(diagnosis, figures[f"sampling_path_{model}"])
