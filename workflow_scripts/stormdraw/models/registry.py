"""Families of networks: a family is two files of its name, in `families/` and in `networks/`.

The file in `families/` has a class `Options`, the section `network` of a configuration. It also
states the roles of the networks, how they are made smaller, and whether they learn positions. The
file in `networks/` has a class `Network`, constructed as `Network(variables, condition_channels,
options)`; that of a family with several roles has one class for each, such as `Denoiser`. The role
determines the call, with tensors (B, channels, Y, X):

- a `denoiser` as `network(noisy, condition, timestep)`: noise or velocity of a noisy state, given
  the state and the timestep (B,) as the model's formulation scales them (`formulation.py`);
- a `regressor` as `network(condition)`: the target itself;
- a `generator` as `network(condition, noise)`: one sample of the target for each `noise`, which its
  method `draw_noise(white, (y, x))` makes from white noise, (B, N, Y, X) (`white_noise.py`);
- a `downscaler` as `network(noisy, coarse, timestep)`: the same of a block of fine values
  (B, 1, block, block), given the means (B, V) of all variables over it.

A condition holds the states of the last hours, whose variables may be fewer than those of the
target, and the forcings. A family whose options have `frames`, which is the number of these states,
takes the number of variables of each as a fourth argument, to tell them from the forcings.

A network states its receptive field. Its output at a point depends on points at most `context`
away, or on all points if that is None. A part of the grid gives the same output as the whole grid,
except at points that lack some of their context, if it begins at multiples of `multiple` rows and
columns, and its sides are multiples of it or end at the grid's edge.

Nothing else depends on the name of a family.
"""

import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING

from stormdraw.models.families import NetworkOptions, Role

if TYPE_CHECKING:
    from torch import nn


def families() -> list[str]:
    """The names of all families."""
    folder = Path(__file__).parent / "families"
    return sorted(module.name for module in pkgutil.iter_modules([str(folder)]))


def options_of(family: str) -> type[NetworkOptions]:
    """The class of a family's options; this imports no network."""
    return importlib.import_module(f"stormdraw.models.families.{family}").Options


def build_network(
    family: str,
    options: NetworkOptions,
    variables: int,
    condition_channels: int,
    frame_channels: int,
    role: Role | None = None,
) -> "nn.Module":
    """A new network of a family, from torch's current random state.

    It gives `variables` and takes states that have `frame_channels` each. `role` is one of those of
    the family, and need not be given if there is one only.
    """
    module = importlib.import_module(f"stormdraw.models.networks.{family}")
    # Imported here, since settings import families and torch takes seconds to import.
    from stormdraw.models.execution import keep_norms_in_single_precision

    of_frames = (frame_channels,) if hasattr(options, "frames") else ()
    name = "Network" if len(options.roles) == 1 else str(role).capitalize()
    network = getattr(module, name)(variables, condition_channels, options, *of_frames)
    keep_norms_in_single_precision(network)
    return network
