"""Families of networks: a family is two files of its name, in `families/` and in `networks/`.

The one in `families/` has a class `Options`, the section `network` of a configuration, which tells
too what role the networks have, how they are made smaller, and whether they learn places. The one
in `networks/` has a class `Network`, made as `Network(variables, condition_channels, options)`. Its
role says how it is called, with tensors (B, channels, Y, X):

- a `denoiser` as `network(noisy, condition, timestep)`: noise or velocity of a noisy state;
- a `regressor` as `network(condition)`: the target itself;
- a `generator` as `network(condition, noise)`: one draw of it for each `noise`, which its method
  `draw_noise(white, (y, x))` makes of white noise, (B, N, Y, X) (`white_noise.py`);
- a `downscaler` as `network(noisy, coarse, timestep)`: noise or velocity of a block of fine values
  (B, 1, block, block), given the means (B, V) of all variables over it.

It says how far it looks. What it makes of a point depends on points at most `context` away, or on
all if that is None. A part of the grid that begins at multiples of `multiple` rows and columns, and
is multiples of it high and wide or ends where the grid does, comes out as in the whole grid, but
for points that lack some of their context.

Nothing else switches on the name of a family.
"""

import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING

from stormdraw.models.families import NetworkOptions

if TYPE_CHECKING:
    from torch import nn


def families() -> list[str]:
    """The names of all families."""
    folder = Path(__file__).parent / "families"
    return sorted(module.name for module in pkgutil.iter_modules([str(folder)]))


def options_of(family: str) -> type[NetworkOptions]:
    """The class of a family's options; no network is imported for this."""
    return importlib.import_module(f"stormdraw.models.families.{family}").Options


def build_network(
    family: str, options: NetworkOptions, variables: int, condition_channels: int
) -> "nn.Module":
    """A new network of a family, with torch's present random state."""
    module = importlib.import_module(f"stormdraw.models.networks.{family}")
    # Here, since settings know families and torch takes seconds to import.
    from stormdraw.models.execution import keep_norms_in_single_precision

    network = module.Network(variables, condition_channels, options)
    keep_norms_in_single_precision(network)
    return network
