"""Families of networks: a family is a file in `networks/`, and its name is the file's.

The file has a class `Options`, the section `network` of a configuration, and a class `Network` made
as `Network(variables, condition_channels, options)`. Its attribute `role` says how it is called,
with tensors (B, channels, Y, X):

- a `denoiser` as `network(noisy, condition, timestep)`: noise or velocity of a noisy state;
- a `regressor` as `network(condition)`: the target itself;
- a `generator` as `network(condition, noise)`: one draw of it for each `noise`, which its method
  `draw_noise(count, shape, generator, device)` makes, (B, N, Y, X);
- a `downscaler` as `network(noisy, coarse, timestep)`: noise or velocity of a block of fine values
  (B, 1, block, block), given the means (B, V) of all variables over it.

Nothing else switches on the name of a family.
"""

import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from stormdraw.errors import StormdrawError
from stormdraw.section import explain

if TYPE_CHECKING:
    from torch import nn


def families() -> list[str]:
    """The names of all families; no network is imported for this."""
    folder = Path(__file__).parent / "networks"
    return sorted(module.name for module in pkgutil.iter_modules([str(folder)]))


def build_network(
    family: str, options: dict[str, Any], variables: int, condition_channels: int
) -> "nn.Module":
    """A new network of a family, with torch's present random state.

    Raises StormdrawError for a family that is not there or options it does not have.
    """
    if family not in families():
        raise StormdrawError(
            f"unknown family {family!r} of models: known ones are {', '.join(families())}"
        )
    module = importlib.import_module(f"stormdraw.models.networks.{family}")
    # Here, since settings know families and torch takes a second to import.
    from stormdraw.models.execution import keep_norms_in_single_precision

    try:
        checked = module.Options.model_validate(options)
    except ValidationError as error:
        raise StormdrawError(f"network of the family {family}: {explain(error)}") from None
    network = module.Network(variables, condition_channels, checked)
    keep_norms_in_single_precision(network)
    return network
