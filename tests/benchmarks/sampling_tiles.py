"""How far a pass over a tile is from the same points of a pass over the whole grid.

    python tests/benchmarks/sampling_tiles.py RUN CONFIG

The tile is the left part of the demo's grid; of it, only points are compared that lie further from
its cut side than the convolutions see, so a network without global layers would not differ.
"""

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow_scripts"))

import stormdraw  # noqa: F401  (before ecCodes; see its __init__)

import torch  # isort: skip
from torch import nn  # isort: skip

from sampling_quality import LEAD  # isort: skip
from stormdraw.fields.states import StateReader, read_grid_of  # isort: skip
from stormdraw.models.checkpoint import load_model  # isort: skip
from stormdraw.models.forcings import ForecastHour, make_forcings  # isort: skip
from stormdraw.settings import load_settings, load_yaml  # isort: skip

# Even numbers of rows and columns, so that nothing is padded; convolutions see 19 points far.
ROWS, COLUMNS, TILE, OVERLAP = 96, 130, 90, 24


class WithoutStatistics(nn.Module):
    """What is left of a group norm if its statistics are given: a weight and a bias."""

    def __init__(self, norm: nn.GroupNorm) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x (B, C, Y, X) -> the same."""
        return x * self.norm.weight[:, None, None] + self.norm.bias[:, None, None]


def strip_statistics(module: nn.Module) -> None:
    """Put `WithoutStatistics` in the place of every group norm."""
    for name, child in module.named_children():
        if isinstance(child, nn.GroupNorm):
            setattr(module, name, WithoutStatistics(child))
        else:
            strip_statistics(child)


@torch.inference_mode()
def measure(run: Path, config: Path) -> dict[str, Any]:
    """Largest differences in standard deviations of the output, with group norm and without."""
    settings = load_settings(load_yaml(config))
    days = sorted((run / "results/fields/hrrr").glob("*.nc"))
    checkpoint = run / "results/models/ddpm_residual/model.pt"
    trained = load_model(checkpoint, torch.device("cpu"), settings.roles)
    init, model = settings.initial_times()[0], trained.model
    state = torch.from_numpy(StateReader(days, settings.variables).read(init))[None]
    static = run / "results/fields/static.nc"
    forcings = make_forcings(
        model.settings.forcings, read_grid_of(days[0]), static, trained.terrain
    )
    known = torch.from_numpy(forcings.at(ForecastHour(init, LEAD)))[None]
    condition = model.condition(state, known)[..., :ROWS, :COLUMNS]
    generator, timestep = torch.Generator().manual_seed(0), torch.tensor([500])
    noisy = torch.randn(1, len(settings.variables), ROWS, COLUMNS, generator=generator)

    def difference() -> float:
        whole = model.network(noisy, condition, timestep)
        tile = model.network(noisy[..., :TILE], condition[..., :TILE], timestep)
        kept = slice(0, TILE - OVERLAP)
        return float((tile[..., kept] - whole[..., kept]).abs().max() / whole.std())

    with_norm = difference()
    strip_statistics(model.network)
    return {"with": with_norm, "without": difference()}


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), Path(sys.argv[2]))))
