"""The options of the family conditional_unet."""

from typing import Annotated, ClassVar

from pydantic import Field

from stormdraw.models.families import NetworkOptions, Norm, Role

GROUPS = 8


class Options(NetworkOptions):
    """The section `network` of a model's configuration.

    `norm` is `local`, at each point, or `group`, over the whole field.
    """

    roles: ClassVar[tuple[Role, ...]] = ("denoiser",)
    halved: ClassVar[tuple[str, int]] = ("base_channels", GROUPS)
    base_channels: Annotated[int, Field(ge=GROUPS, multiple_of=GROUPS)] = 16
    norm: Norm = "group"
