"""Writes results/models/{model}/model.pt, a checkpoint that was trained elsewhere, and its
metrics.json.

It must fit the configuration; whoever draws from it checks the grid of the fields.
"""

import json
from pathlib import Path

import torch

from stormdraw.files import write_text
from stormdraw.job import job
from stormdraw.models.checkpoint import load_model
from stormdraw.models.driving import RunDriving
from stormdraw.models.given import given_checkpoint, take
from stormdraw.settings import load_settings

with job("models_take", snakemake.log[0]):
    settings = load_settings(snakemake.config)
    name = snakemake.wildcards.model
    entry = settings.given_models[name]
    given = given_checkpoint(entry)
    take(entry, Path(snakemake.output.checkpoint))
    # The weights must be those of this version's network.
    load_model(
        snakemake.output.checkpoint, torch.device("cpu"), settings.roles, RunDriving.of(settings)
    )
    write_text(snakemake.output.metrics, json.dumps(given.header.metrics, indent=1) + "\n")
