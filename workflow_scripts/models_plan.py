"""Writes results/models/{model}/plan.json: parameters, memory and work."""

from pathlib import Path

from stormdraw.fields.states import read_grid_of
from stormdraw.job import job
from stormdraw.models.operations import work_of
from stormdraw.models.plan import write_plan
from stormdraw.models.settings import ModelSettings
from stormdraw.settings import load_settings

with job("models_plan", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    given = snakemake.params.settings
    model = ModelSettings.model_validate(given["model"])
    forecaster = given.get("forecaster") and ModelSettings.model_validate(given["forecaster"])
    shape = read_grid_of(snakemake.input.fields).shape
    trained = "given" not in given
    write_plan(
        snakemake.wildcards.model,
        settings,
        model,
        shape,
        Path(snakemake.output.plan),
        forecaster,
        {"work": work_of(settings, model, shape, forecaster, trained)},
        trained,
    )
