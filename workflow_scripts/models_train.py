"""Writes results/models/{model}/model.pt (weights, settings, statistics; loads with weights_only)
and results/models/{model}/metrics.json (one entry per epoch).

If memory runs out, a smaller model is trained; the log and plan.json, which is rewritten, report
it.

An interrupted training resumes from results/models/{model}/resume/, which is not declared to
Snakemake: it would delete it before a rerun.
"""

from pathlib import Path

from stormdraw.gpu_lease import gpu_lease
from stormdraw.job import job
from stormdraw.models.settings import ModelSettings
from stormdraw.models.training_files import TrainingFiles
from stormdraw.models.within_memory import train_within_memory
from stormdraw.provenance import digest
from stormdraw.settings import load_settings

with job("models_train", snakemake.log[0]), gpu_lease(snakemake.resources.get("gpu", 1)):
    folder = Path(snakemake.output.checkpoint).parent
    days = [*snakemake.input.training, *snakemake.input.validation]
    static = snakemake.input.get("static")
    forecaster = snakemake.input.get("forecaster")
    model = snakemake.wildcards.model
    settings = load_settings(snakemake.config)
    model_settings = ModelSettings.model_validate(snakemake.params.settings["model"])
    of_forecaster = snakemake.params.settings.get("forecaster")
    train_within_memory(
        model,
        settings,
        model_settings,
        TrainingFiles(
            fields=[Path(path) for path in dict.fromkeys(days)],
            statistics=Path(snakemake.input.statistics),
            static=Path(static[0]) if static else None,
            model=Path(snakemake.output.checkpoint),
            metrics=Path(snakemake.output.metrics),
            resume_folder=folder
            / "resume"
            / digest([snakemake.params.settings, snakemake.params.code]),
            tensorboard_folder=folder / "tensorboard",
            forecaster=Path(forecaster) if forecaster else None,
            driving=[Path(path) for path in snakemake.input.get("driving", [])],
            driving_statistics=next(map(Path, snakemake.input.get("driving_statistics", [])), None),
        ),
        Path(snakemake.input.plan),
        snakemake.threads,
        ModelSettings.model_validate(of_forecaster) if of_forecaster else None,
    )
