"""The options of the family deep_unet."""

from typing import Annotated, ClassVar

from pydantic import Field

from stormdraw.models.families import NetworkOptions, Norm, Role

GROUPS = 8


class Options(NetworkOptions):
    """The section `network` of a model's configuration.

    `channels` is the width of each level, the finest first; each further level has half the rows
    and columns. `blocks` is the number of residual blocks per level on the way down; there is one
    more on the way up. `attention` adds one attention layer between the two. `norm` is `local`, at
    each point, or `group`, over the whole field.
    """

    roles: ClassVar[tuple[Role, ...]] = ("denoiser",)
    halved: ClassVar[tuple[str, int]] = ("channels", GROUPS)
    channels: Annotated[
        list[Annotated[int, Field(ge=GROUPS, multiple_of=GROUPS)]], Field(min_length=2)
    ]
    blocks: Annotated[int, Field(ge=1)] = 2
    attention: bool = False
    norm: Norm = "group"
