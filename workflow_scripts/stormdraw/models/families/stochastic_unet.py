"""What a configuration may say of the family stochastic_unet."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from stormdraw.models.families import NetworkOptions, Norm, Role
from stormdraw.models.families.conditional_unet import GROUPS


class Options(NetworkOptions):
    """The section `network` of a model's configuration.

    `channels` is the width of each level, the finest first; each further level has half the rows
    and columns. `noise_scales` has a noise channel an entry, smooth over so many points.
    `displacements` is in how many groups, each with a displacement of its own, the features of the
    finest level are carried along (`models/advection.py`); 0 carries none. `norm` is `local`, of
    each point by itself, or `group`, over the whole field.
    """

    role: ClassVar[Role] = "generator"
    halved: ClassVar[tuple[str, int]] = ("channels", GROUPS)
    channels: Annotated[
        list[Annotated[int, Field(ge=GROUPS, multiple_of=GROUPS)]], Field(min_length=2)
    ] = Field(default=[16, 32])
    noise_scales: Annotated[list[Annotated[int, Field(ge=1, le=64)]], Field(min_length=1)] = Field(
        default=[1, 1, 1, 4, 4, 16, 16]
    )
    # Divisors of GROUPS, and so of every width.
    displacements: Literal[0, 1, 2, 4, 8] = 0
    norm: Norm = "group"
