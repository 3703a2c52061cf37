"""The options of the family block_mlp."""

from typing import Annotated, ClassVar

from pydantic import Field

from stormdraw.models.families import NetworkOptions, Role


class Options(NetworkOptions):
    """The section `network` of a model's configuration.

    `block` is the number of fine rows, and of columns, in a coarse cell.
    """

    roles: ClassVar[tuple[Role, ...]] = ("downscaler",)
    halved: ClassVar[tuple[str, int]] = ("hidden", 8)
    block: Annotated[int, Field(ge=2)] = 16
    hidden: Annotated[int, Field(ge=8, multiple_of=2)] = 256
