"""Writes results/models/{model}/diagnosis.nc: a trained model on up to six pairs of hours of the
validation period, or of the end of the training period if there is none. By variable:

- denoising_error (condition, level, variable): mean squared error of the clean state at each noise
  level, in the units of the model's target, whose variance is near 1; with the right condition and
  with that of another case. error_of_points is the least error of estimates from single points.
- crps (condition, variable): fair CRPS at 1 h in physical units with both conditions;
  persistence_error.
- spectrum_* (variable, wavenumber): variance of members and truth and of their change in one hour.
- impossible_share (stage, variable): share of physically impossible points, as drawn and within
  bounds.
- path_* (rung, variable, y, x): one member on its path from noise to sample.

Models that forecast in one step have no noise levels and no path; the attribute `gap` says why a
file has no data.
"""

from pathlib import Path

from stormdraw.ensembles.one_hour import hour_sampler
from stormdraw.gpu_lease import gpu_lease
from stormdraw.job import job
from stormdraw.models.diagnosis.diagnose import write_diagnosis
from stormdraw.settings import load_settings

with job("models_diagnose", snakemake.log[0]), gpu_lease(snakemake.resources.get("gpu", 1)):
    static = snakemake.input.get("static")
    write_diagnosis(
        Path(snakemake.input.checkpoint),
        [Path(path) for path in snakemake.input.states],
        Path(static[0]) if static else None,
        load_settings(snakemake.config),
        hour_sampler,
        Path(snakemake.output.diagnosis),
        snakemake.params.settings,
        snakemake.threads,
        [Path(path) for path in snakemake.input.get("driving", [])],
    )
