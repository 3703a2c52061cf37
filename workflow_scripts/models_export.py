"""Writes results/models/{model}/package/: a trained model that needs torch and NumPy only.

- predict.py: draws members; network.pt2, noise.pt2, fields.npz, model.json: what it reads.
- README.md: a model card.
"""

from pathlib import Path

from stormdraw.ensembles.package.writing import Drawn, write_package
from stormdraw.job import job

with job("models_export", snakemake.log[0]):
    static = snakemake.input.get("static")
    write_package(
        Path(snakemake.input.checkpoint),
        Path(snakemake.input.states),
        Path(static[0]) if static else None,
        Path(snakemake.input.metrics),
        Path(snakemake.output.package),
        Drawn(**snakemake.params.drawn),
        snakemake.params.periods,
    )
