"""Writes results/models/{model}/plan.json: parameters, and memory to train and to sample."""

from pathlib import Path

from stormdraw.fields.states import read_grid_of
from stormdraw.job import job
from stormdraw.models.plan import write_plan
from stormdraw.models.settings import ModelSettings
from stormdraw.settings import load_settings

with job("models_plan", snakemake.log[0]):
    settings = snakemake.params.settings
    forecaster = settings.get("forecaster")
    write_plan(
        snakemake.wildcards.model,
        load_settings(snakemake.config),
        ModelSettings.model_validate(settings["model"]),
        read_grid_of(snakemake.input.fields).shape,
        Path(snakemake.output.plan),
        ModelSettings.model_validate(forecaster) if forecaster else None,
    )
