"""`model.pt`: everything that sampling needs, in one file that loads on any device."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch

from stormdraw import __version__
from stormdraw.errors import StormdrawError
from stormdraw.fields.driving_statistics import DrivingStatistics
from stormdraw.fields.statistics import Statistics
from stormdraw.files import replacing
from stormdraw.grids import Grid
from stormdraw.models.driving import RunDriving, require_driving
from stormdraw.models.forcings import DrivingFields
from stormdraw.models.forecaster import Forecaster
from stormdraw.models.forecasters import make_forecaster
from stormdraw.models.header import FORMAT, READABLE, Header, require_lead
from stormdraw.models.trained_grid import TrainedGrid
from stormdraw.provenance import commit
from stormdraw.roles import Roles

_AGAIN = "delete it to train again"

_ARRAYS = ("mean", "std", "tendency_mean", "tendency_std")


@dataclass(frozen=True)
class TrainedModel:
    """A trained model, and the mean and standard deviation (m) of its terrain, if it uses any.

    `grid` is the grid it was trained on; users of the model check their fields against it.
    `driving` are the statistics of the fields that drive it, if any do. `longest_lead` is that of
    the forecasts it learnt from, in hours, if what it is given ages with the lead.
    """

    name: str
    model: Forecaster
    terrain: tuple[float, float] | None
    grid: TrainedGrid
    driving: DrivingStatistics | None = None
    longest_lead: int | None = None

    def require_lead(self, longest: int, what: str) -> None:
        """Raise StormdrawError if it never learnt from forecasts of that many hours.

        `what` names the user and the model.
        """
        or_else = "delete its checkpoint to train again"
        require_lead(self.longest_lead, longest, what, or_else)

    def driven(self, run: RunDriving | None) -> DrivingFields | None:
        """The fields that drive it in a run that it was loaded for; None if it is not driven."""
        if self.driving is None or run is None:
            return None
        return DrivingFields(self.driving, run.reader())


def save_model(
    path: Path,
    name: str,
    model: Forecaster,
    statistics: Statistics,
    terrain: tuple[float, float] | None,
    grid: Grid,
    driving: DrivingStatistics | None = None,
    longest_lead: int | None = None,
    record: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Write a model as numbers, strings, lists and tensors only, so that it loads weights-only.

    `statistics` are those of at least the model's variables; `driving` are those of the fields that
    drive it. What drives it, and with which latency, is part of its settings. `longest_lead` is as
    in `TrainedModel`. `record` is what its training was (`record_of`).
    """
    statistics = statistics.of(model.roles.every)
    content = {
        "format": FORMAT,
        "name": name,
        "state_dict": {
            key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()
        },
        "settings": model.settings.model_dump(mode="json"),
        "variables": list(statistics.variables),
        "roles": model.roles.by_role(),
        "statistics": {
            "transforms": list(statistics.transforms),
            **{key: getattr(statistics, key).tolist() for key in _ARRAYS},
        },
        "terrain": None if terrain is None else {"mean": terrain[0], "std": terrain[1]},
        "driving": None if driving is None else driving.to_dict(),
        "longest_lead": longest_lead,
        "grid": TrainedGrid.of(grid).to_dict(),
        "code": {"version": __version__, "commit": commit()},
        "record": dict(record),
    }
    with replacing(path) as temporary:
        torch.save(content, temporary)


def load_model(
    path: str | Path,
    device: torch.device,
    run: Roles | None = None,
    driving: RunDriving | None = None,
) -> TrainedModel:
    """A model on `device`, ready to sample.

    `run` has the roles of the current configuration's variables, and `driving` is what drives that
    run. Raises StormdrawError if the file is not a checkpoint of this version, has other variables
    or other roles, or is driven by something else.
    """
    content = read_checkpoint(path)
    header = Header(str(path), content)
    own = header.settings
    require_driving(own, None if driving is None else driving.by, header.origin)
    if run is not None:
        header.require_roles(run, _AGAIN)
    numbers = content["statistics"]
    statistics = Statistics(
        variables=tuple(content["variables"]),
        transforms=tuple(numbers["transforms"]),
        **{key: np.array(numbers[key], dtype=np.float32) for key in _ARRAYS},
    )
    model = make_forecaster(own, statistics, header.roles)
    try:
        model.load_state_dict(content["state_dict"])
    except RuntimeError as error:
        raise StormdrawError(
            f"{path}: its weights do not fit the family {own.family} of this version: "
            f"{' '.join(str(error).split())[:200]}; {_AGAIN}"
        ) from None
    terrain = content["terrain"]
    return TrainedModel(
        content["name"],
        model.to(device).eval(),
        None if terrain is None else (terrain["mean"], terrain["std"]),
        header.grid,
        # Checkpoints from before there was driving lack the key.
        DrivingStatistics.from_dict(content["driving"]) if content.get("driving") else None,
        header.longest_lead,
    )


def read_checkpoint(
    path: str | Path, to_do: str = _AGAIN, origin: str | None = None
) -> dict[str, Any]:
    """The content of a checkpoint with all tensors on the CPU, which are read when used.

    Raises StormdrawError if it is not one, or of a format that this version does not read. Its
    message begins with `origin`, by default the path, and ends with `to_do`.
    """
    origin = origin or str(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except FileNotFoundError:
        raise StormdrawError(f"{origin}: no such checkpoint; train the model first") from None
    except Exception as error:
        # torch raises many kinds of exceptions here, depending on where the file is damaged.
        raise StormdrawError(
            f"{origin}: not a readable checkpoint ({type(error).__name__}); {to_do}"
        ) from None
    found = content.get("format") if isinstance(content, dict) else None
    if not isinstance(found, int):
        raise StormdrawError(f"{origin}: not a checkpoint of stormdraw; {to_do}")
    if found not in READABLE:
        told = " and ".join(map(str, READABLE))
        newer = ", which a newer stormdraw wrote" if found > FORMAT else ""
        raise StormdrawError(
            f"{origin}: a checkpoint of format {found}{newer}; this version reads {told}; {to_do}"
        )
    return content
