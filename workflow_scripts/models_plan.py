"""Writes results/models/{model}/plan.json: parameters, memory and operations."""

from pathlib import Path

from stormdraw.fields.states import read_grid_of
from stormdraw.job import job
from stormdraw.models.operations import pass_operations, training_operations
from stormdraw.models.plan import write_plan
from stormdraw.models.settings import ModelSettings
from stormdraw.settings import load_settings

with job("models_plan", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    given = snakemake.params.settings
    model = ModelSettings.model_validate(given["model"])
    forecaster = given.get("forecaster") and ModelSettings.model_validate(given["forecaster"])
    shape = read_grid_of(snakemake.input.fields).shape
    write_plan(
        snakemake.wildcards.model,
        settings,
        model,
        shape,
        Path(snakemake.output.plan),
        forecaster,
        {
            "operations": {
                "training": training_operations(settings, model, shape, forecaster),
                "one_pass": pass_operations(settings, model, shape),
            }
        },
    )
