"""`model.pt`: everything that sampling needs, in one file that loads on any device."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stormdraw import __version__
from stormdraw.errors import StormdrawError
from stormdraw.fields.statistics import Statistics
from stormdraw.files import replacing
from stormdraw.grids import Grid
from stormdraw.models.forecaster import Forecaster
from stormdraw.models.forecasters import make_forecaster
from stormdraw.models.settings import ModelSettings
from stormdraw.models.trained_grid import TrainedGrid
from stormdraw.provenance import commit

FORMAT = 3

_ARRAYS = ("mean", "std", "tendency_mean", "tendency_std")


@dataclass(frozen=True)
class TrainedModel:
    """A trained model, and the mean and standard deviation (m) of its terrain, if it uses any.

    `grid` is the grid it was trained on; users of the model check their fields against it.
    """

    name: str
    model: Forecaster
    terrain: tuple[float, float] | None
    grid: TrainedGrid


def save_model(
    path: Path,
    name: str,
    model: Forecaster,
    statistics: Statistics,
    terrain: tuple[float, float] | None,
    grid: Grid,
) -> None:
    """Write a model as numbers, strings, lists and tensors only, so that it loads weights-only."""
    content = {
        "format": FORMAT,
        "name": name,
        "state_dict": {
            key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()
        },
        "settings": model.settings.model_dump(mode="json"),
        "variables": list(statistics.variables),
        "statistics": {
            "transforms": list(statistics.transforms),
            **{key: getattr(statistics, key).tolist() for key in _ARRAYS},
        },
        "terrain": None if terrain is None else {"mean": terrain[0], "std": terrain[1]},
        "grid": TrainedGrid.of(grid).to_dict(),
        "code": {"version": __version__, "commit": commit()},
    }
    with replacing(path) as temporary:
        torch.save(content, temporary)


def load_model(
    path: str | Path,
    device: torch.device,
    variables: list[str] | None = None,
) -> TrainedModel:
    """A model on `device`, ready to sample.

    `variables` are those of the current configuration. Raises StormdrawError if the file is not a
    checkpoint of this version, or has other variables.
    """
    content = _read(path)
    if variables is not None and list(variables) != content["variables"]:
        raise StormdrawError(
            f"{path}: was trained for {', '.join(content['variables'])}, but the configuration's "
            f"variables are {', '.join(variables)}; delete it to train again"
        )
    own = ModelSettings.model_validate(content["settings"])
    numbers = content["statistics"]
    statistics = Statistics(
        variables=tuple(content["variables"]),
        transforms=tuple(numbers["transforms"]),
        **{key: np.array(numbers[key], dtype=np.float32) for key in _ARRAYS},
    )
    model = make_forecaster(own, statistics)
    try:
        model.load_state_dict(content["state_dict"])
    except RuntimeError as error:
        raise StormdrawError(
            f"{path}: its weights do not fit the family {own.family} of this version: "
            f"{' '.join(str(error).split())[:200]}; delete it to train again"
        ) from None
    terrain = content["terrain"]
    return TrainedModel(
        content["name"],
        model.to(device).eval(),
        None if terrain is None else (terrain["mean"], terrain["std"]),
        TrainedGrid.from_dict(content["grid"]),
    )


def _read(path: str | Path) -> dict[str, Any]:
    """The content of a checkpoint with all tensors on the CPU."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise StormdrawError(f"{path}: no such checkpoint; train the model first") from None
    except Exception as error:
        # torch raises many kinds of exceptions here, depending on where the file is damaged.
        raise StormdrawError(
            f"{path}: not a readable checkpoint ({type(error).__name__}); delete it to train again"
        ) from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise StormdrawError(
            f"{path}: not a checkpoint of this version (format {FORMAT}); delete it to train again"
        )
    return content
