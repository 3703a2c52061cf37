"""The options of the family stochastic_unet."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from stormdraw.models.families import NetworkOptions, Norm, Role
from stormdraw.models.families.conditional_unet import GROUPS


class Options(NetworkOptions):
    """The section `network` of a model's configuration.

    `channels` is the width of each level, the finest first; each further level has half the rows
    and columns. `noise_scales` has one entry per noise channel: the width in points over which it
    is smoothed. `displacements` is the number of channel groups, each with its own displacement, in
    which the finest level's features are moved (`models/advection.py`); 0 moves none. `norm` is
    `local`, at each point, or `group`, over the whole field.
    """

    roles: ClassVar[tuple[Role, ...]] = ("generator",)
    halved: ClassVar[tuple[str, int]] = ("channels", GROUPS)
    channels: Annotated[
        list[Annotated[int, Field(ge=GROUPS, multiple_of=GROUPS)]], Field(min_length=2)
    ] = Field(default=[16, 32])
    noise_scales: Annotated[list[Annotated[int, Field(ge=1, le=64)]], Field(min_length=1)] = Field(
        default=[1, 1, 1, 4, 4, 16, 16]
    )
    # Divisors of GROUPS, and thus of every width.
    displacements: Literal[0, 1, 2, 4, 8] = 0
    norm: Norm = "group"
