"""The demo with a diffusion model in place of its own, for tests to change copies of."""

from pathlib import Path
from typing import Any

import yaml


def diffusion_run(root: Path) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((root / "config" / "demo.yaml").read_text())
    del config["cases"]["history"]
    config["models"] = ["ddpm_residual"]
    _, *others = config["ensembles"]["systems"]
    ours = {"name": "ddpm_residual", "method": "diffusion", "model": "ddpm_residual"}
    config["ensembles"]["systems"] = [ours, *others]
    return config
